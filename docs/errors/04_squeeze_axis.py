"""A squeeze that squeezes nothing, or the batch

PyTorch leaves an axis that is not 1 as it is and says nothing; the one time that the batch is 1, it is the batch that goes.
"""

import torch

print(torch.ones(8, 5, 4).mean(dim=1, keepdim=True).squeeze(0).shape)
print(torch.ones(1, 5, 4).mean(dim=1, keepdim=True).squeeze(0).shape)
