"""One-hot integers as targets

PyTorch complains about a dtype although what is wrong is the shape.
"""

import torch
from torch.nn.functional import cross_entropy, one_hot

logits, targets = torch.ones(4, 10), torch.ones(4, dtype=torch.int64)
cross_entropy(logits, one_hot(targets, 10))
