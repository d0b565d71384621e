"""A weight of nn.Linear multiplied without transpose

PyTorch has numbers of this run only; here both declarations are shown, and the fix.
"""

import torch

x, w = torch.ones(8, 4), torch.ones(6, 4)
x @ w
