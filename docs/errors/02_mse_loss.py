"""The same inside mse_loss

PyTorch warns (once, on stderr) and goes on with the wrong loss; here the rule of the operators holds in the builtins too.
"""

import warnings

import torch
from torch.nn.functional import mse_loss

warnings.simplefilter("ignore")
predicted, wanted = torch.arange(4.0).unsqueeze(1), torch.arange(4.0)
print(mse_loss(predicted, wanted).item(), "instead of", mse_loss(predicted.squeeze(1), wanted).item())
