"""A square weight the wrong way round

Where a weight is square PyTorch cannot notice; here the names of its axes differ, so the compiler does.
"""

import torch
from torch.nn.functional import linear

x, w = torch.ones(2, 5, 8), torch.ones(8, 8)
print((x + linear(x, w)).shape)
