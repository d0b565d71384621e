"""More positions than the context has

A slice past the end is cut, in both; PyTorch tells of it at the sum, here the sum is refused for the sizes that the slice really has.
"""

import torch

x, wpe = torch.ones(2, 2048, 8), torch.ones(1024, 8)
x + wpe[0:2048]
