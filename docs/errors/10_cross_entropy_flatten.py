"""Logits [B, T, V] against flattened targets

PyTorch compares B with B * T, and would take T for the classes; here the message says which shape is expected.
"""

import torch
from torch.nn.functional import cross_entropy

logits, targets = torch.ones(2, 5, 100), torch.ones(2, 5, dtype=torch.int64)
cross_entropy(logits, targets.reshape(10))
