"""Heads merged without the transpose

PyTorch takes any two axes, and where T is H (as here) not even the shape tells; here T and H are two names.
"""

import torch

y = torch.ones(2, 8, 8, 4)
print(y.flatten(2).shape)
