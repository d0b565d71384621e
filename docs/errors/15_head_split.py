"""A width that the heads do not divide

PyTorch's `//` cuts off the rest, and the reshape fails on a number of elements; here the division itself is refused.
"""

import torch

D, H = 768, 10
x = torch.ones(2, 5, D)
x.reshape(2, 5, H, D // H).transpose(1, 2)
