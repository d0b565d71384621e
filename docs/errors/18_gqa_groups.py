"""Groups of heads that do not divide

32 query heads cannot share 6 key heads evenly: both say so, here before the weights are loaded and with all three shapes.
"""

import torch
from torch.nn.functional import scaled_dot_product_attention

q, k, v = torch.ones(2, 32, 5, 64), torch.ones(2, 6, 5, 64), torch.ones(2, 6, 5, 64)
scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
