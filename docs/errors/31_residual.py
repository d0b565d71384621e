"""A residual of another width

The second matrix of the block was forgotten. With F = 1 PyTorch would say nothing.
"""

import torch
from torch.nn.functional import gelu

x, up = torch.ones(2, 5, 8), torch.ones(8, 32)
x + gelu(x @ up)
