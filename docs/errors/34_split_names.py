"""Three parts, two names

Python says how many values there were, and only when it gets there.
"""

import torch

x, w = torch.ones(2, 5, 8), torch.ones(8, 24)
q, k = torch.chunk(x @ w, 3, dim=-1)
