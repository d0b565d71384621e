"""The Llama of `llama.tl` in PyTorch: what FakeTensor tracing and `torch.export` look at in `llama_shapes.py`."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZES = {"V": 32000, "C": 2048, "D": 2048, "H": 32, "G": 4, "F": 5632, "L": 22}


def rope(x: Tensor, positions: Tensor) -> Tensor:
    """Rotary positions, the two halves of the last axis as pairs."""
    half = x.shape[-1] // 2
    rates = 10000.0 ** (-torch.arange(half, device=x.device) / half)
    angles = positions.unsqueeze(1) * rates
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


class Attention(nn.Module):
    def __init__(self, D: int, H: int, G: int) -> None:
        super().__init__()
        self.H, self.G, self.K = H, G, D // H
        self.q_proj = nn.Linear(D, D, bias=False)
        self.k_proj = nn.Linear(D, G * self.K, bias=False)
        self.v_proj = nn.Linear(D, G * self.K, bias=False)
        self.o_proj = nn.Linear(D, D, bias=False)

    def forward(self, x: Tensor, past_k: Tensor, past_v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        B, T, D = x.shape
        S = past_k.shape[2]
        places = torch.arange(T, device=x.device) + S
        q = rope(self.q_proj(x).reshape(B, T, self.H, self.K).transpose(1, 2), places)
        new_k = rope(self.k_proj(x).reshape(B, T, self.G, self.K).transpose(1, 2), places)
        new_v = self.v_proj(x).reshape(B, T, self.G, self.K).transpose(1, 2)
        k, v = torch.cat([past_k, new_k], 2), torch.cat([past_v, new_v], 2)
        seen = places.unsqueeze(1) >= torch.arange(S + T, device=x.device).unsqueeze(0)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).reshape(B, T, D)), k, v


class FeedForward(nn.Module):
    def __init__(self, D: int, F: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(D, F, bias=False)
        self.up_proj = nn.Linear(D, F, bias=False)
        self.down_proj = nn.Linear(F, D, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, D: int, H: int, G: int, F: int) -> None:
        super().__init__()
        self.input_norm, self.post_norm = nn.RMSNorm(D), nn.RMSNorm(D)
        self.self_attn = Attention(D, H, G)
        self.mlp = FeedForward(D, F)

    def forward(self, x: Tensor, past_k: Tensor, past_v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        attended, k, v = self.self_attn(self.input_norm(x), past_k, past_v)
        h = x + attended
        return h + self.mlp(self.post_norm(h)), k, v


class Llama(nn.Module):
    def __init__(self, V: int, C: int, D: int, H: int, G: int, F: int, L: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(V, D)
        self.layers = nn.ModuleList([Layer(D, H, G, F) for _ in range(L)])
        self.norm = nn.RMSNorm(D)
        self.lm_head = nn.Linear(D, V, bias=False)

    def forward(self, ids: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.embed_tokens(ids)
        new_keys, new_values = [], []
        for i, layer in enumerate(self.layers):
            h, k, v = layer(h, keys[i], values[i])
            new_keys.append(k)
            new_values.append(v)
        return self.lm_head(self.norm(h)), torch.stack(new_keys), torch.stack(new_values)


def inputs(B: int = 2, T: int = 8, S: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, and the caches of S past positions."""
    past = (SIZES["L"], B, SIZES["G"], S, SIZES["D"] // SIZES["H"])
    return torch.zeros(B, T, dtype=torch.int64), torch.zeros(past), torch.zeros(past)


def fake() -> tuple[Tensor, Tensor, Tensor]:
    """One call on tensors without content: every shape is worked out, for these sizes."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        return Llama(**SIZES)(*inputs())


def export() -> torch.export.ExportedProgram:
    """`torch.export` with open sizes B, T and S."""
    from torch.export import Dim

    B, T, S = Dim("B", min=1), Dim("T", min=1), Dim("S", min=0)
    past = {1: B, 3: S}
    with torch.device("meta"):
        return torch.export.export(Llama(**SIZES), inputs(), dynamic_shapes=({0: B, 1: T}, past, past), strict=False)


if __name__ == "__main__":
    import sys

    {"fake": fake, "export": export}[sys.argv[1]]()
