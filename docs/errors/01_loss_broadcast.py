"""A loss of [N, 1] against [N]

The classic: PyTorch makes an N x N table of differences and trains on its mean; here two ranks that both grow are an error.
"""

import torch

x, w, wanted = torch.ones(8, 4), torch.ones(4, 1), torch.zeros(8)
difference = x @ w - wanted
print(difference.shape)
