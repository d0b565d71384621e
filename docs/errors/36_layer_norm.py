"""A layer norm of channels that are not last

PyTorch says it with the numbers of this run; where T is D it normalizes time instead.
"""

import torch
from torch.nn.functional import layer_norm

x, weight, bias = torch.ones(2, 8, 8), torch.ones(8), torch.ones(8)
print(layer_norm(x, [8], weight, bias).shape)
