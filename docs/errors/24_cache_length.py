"""A cache that got the new key, not the new value

S + 1 keys with S values: the fused kernel that PyTorch takes on the CPU does not compare the lengths; here they are two.
"""

import torch
from torch.nn.functional import scaled_dot_product_attention

q, k, v, k_new = torch.ones(2, 4, 1, 8), torch.ones(2, 4, 6, 8), torch.ones(2, 4, 6, 8), torch.ones(2, 4, 1, 8)
print(scaled_dot_product_attention(q, torch.cat([k, k_new], dim=2), v).shape)
