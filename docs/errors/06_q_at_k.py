"""q @ k without the transpose

PyTorch finds it unless the length happens to be the size of a head, as it is here; then the scores are nonsense.
"""

import torch

q, k = torch.ones(2, 4, 64, 64), torch.ones(2, 4, 64, 64)
print((q @ k / 8).shape)
