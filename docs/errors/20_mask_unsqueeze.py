"""A padding mask without its missing axes

PyTorch compares the batch with the positions, which here are equal; every head then sees the mask of another sample.
"""

import torch

scores, keep = torch.zeros(8, 4, 8, 8), torch.ones(8, 8, dtype=torch.bool)
print(scores.masked_fill(~keep, -1e9).shape)
