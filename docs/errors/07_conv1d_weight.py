"""GPT-2's Conv1D weights in a linear layer

GPT-2's files have weights [in, out], `linear` takes [out, in]: PyTorch has two numbers, here the transposition is named.
"""

import torch
from torch.nn.functional import linear

x, w, b = torch.ones(2, 5, 768), torch.ones(768, 3 * 768), torch.ones(3 * 768)
linear(x, w, b)
