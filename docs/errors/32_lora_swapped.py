"""LoRA's A and B swapped

For a square layer PyTorch notices at the rank; here at the name of the axis.
"""

import torch
from torch.nn.functional import linear

x, w, A, B = torch.ones(8, 16), torch.ones(16, 16), torch.ones(4, 16), torch.ones(16, 4)
linear(x, w) + 0.5 * linear(linear(x, B), A)
