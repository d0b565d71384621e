"""Heads that nobody promised to divide

PyTorch works until somebody chooses 7 heads; here the function has to say what it needs, and its callers to keep it.
"""

import torch


def heads(x, H):
    B, T, D = x.shape
    return x.reshape(B, T, H, D // H).transpose(1, 2)


print(heads(torch.ones(2, 5, 768), 12).shape)
heads(torch.ones(2, 5, 768), 7)
