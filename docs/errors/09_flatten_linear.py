"""A forgotten flatten before the last layer

PyTorch tells of two matrices that stand nowhere in the program; here the sizes are those of the layer and of the image.
"""

import torch
from torch import nn

conv, head = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(16 * 32 * 32, 10)
head(torch.relu(conv(torch.ones(8, 3, 32, 32))))
