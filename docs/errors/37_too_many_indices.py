"""The first token of what is already pooled

Both count the axes; here with the declaration at hand.
"""

import torch

hidden = torch.ones(2, 8)
hidden[:, 0, :]
