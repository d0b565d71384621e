"""An embedding given floats

Both say which dtype; here also where it was declared, and before anything runs.
"""

import torch
from torch.nn.functional import embedding

ids, table = torch.ones(2, 5), torch.ones(100, 8)
embedding(ids, table)
