"""Next tokens, off by one

T - 1 predictions, T - 2 targets. PyTorch says so only after the logits were moved and flattened by hand.
"""

import torch
from torch.nn.functional import cross_entropy

logits, ids = torch.ones(2, 6, 100), torch.ones(2, 6, dtype=torch.int64)
cross_entropy(logits[:, :-1].reshape(-1, 100), ids[:, 2:].reshape(-1))
