"""A letter of einsum on the wrong axis

PyTorch counts operands and subscripts; where S is D it says nothing.
"""

import torch

q, k = torch.ones(2, 4, 8, 8), torch.ones(2, 4, 8, 8)
print(torch.einsum("bhtd,bhds->bhts", q, k).shape)
