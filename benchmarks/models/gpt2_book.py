"""GPT-2 as textbooks write it in plain PyTorch: attention spelt out, norms and GELU of its own, AdamW as it comes."""

import math

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * ((x - mean) / torch.sqrt(variance + 1e-5)) + self.bias


class GELU(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


class Attention(nn.Module):
    def __init__(self, width, heads, context, drop):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out, self.dropout = nn.Linear(width, width), nn.Dropout(drop)
        self.register_buffer("mask", torch.triu(torch.ones(context, context), diagonal=1), persistent=False)

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = (part(x).view(batch, steps, self.heads, self.size).transpose(1, 2) for part in (self.query, self.key, self.value))
        scores = (q @ k.transpose(2, 3)).masked_fill_(self.mask.bool()[:steps, :steps], -torch.inf)
        weights = self.dropout(torch.softmax(scores / self.size**0.5, dim=-1))
        return self.out((weights @ v).transpose(1, 2).contiguous().view(batch, steps, width))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.act, self.down = nn.Linear(width, 4 * width), GELU(), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(self.act(self.up(x)))


class Block(nn.Module):
    def __init__(self, width, heads, context, drop):
        super().__init__()
        self.norm1, self.attn = LayerNorm(width), Attention(width, heads, context, drop)
        self.norm2, self.ff, self.shortcut = LayerNorm(width), FeedForward(width), nn.Dropout(drop)

    def forward(self, x):
        x = x + self.shortcut(self.attn(self.norm1(x)))
        return x + self.shortcut(self.ff(self.norm2(x)))


class GPT(nn.Module):
    """The names of its parameters are those of examples/lib/gpt2.tl."""

    def __init__(self, vocabulary, context, width, heads, layers, drop):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.dropped = nn.Dropout(drop)
        self.blocks = nn.Sequential(*(Block(width, heads, context, drop) for _ in range(layers)))
        self.norm, self.head = LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        x = self.dropped(self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device)))
        return self.head(self.norm(self.blocks(x)))
