"""Float labels for cross_entropy

Both name the dtypes; here also the declaration, and the fix, before anything runs.
"""

import torch
from torch.nn.functional import cross_entropy

logits, targets = torch.ones(4, 10), torch.ones(4)
cross_entropy(logits, targets)
