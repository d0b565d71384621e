"""Positions added to a sequence-first batch

With as many sequences as positions PyTorch adds them along the batch; here B is not T.
"""

import torch

x, positions = torch.zeros(8, 8, 4), torch.ones(8, 4)
print((x + positions).shape)
