"""An image with its channels last

PyTorch takes the height for the channels and counts them; here the permutation that is missing is written out.
"""

import torch
from torch.nn.functional import conv2d

image, w = torch.ones(8, 224, 224, 3), torch.ones(64, 3, 7, 7)
conv2d(image, w, stride=2, padding=3)
