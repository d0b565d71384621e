"""A softmax over an axis that is not there

Both say which axes there are; here before anything runs, and at the declaration.
"""

import torch

scores, v = torch.ones(2, 5, 7), torch.ones(2, 7, 4)
torch.softmax(scores, dim=3) @ v
