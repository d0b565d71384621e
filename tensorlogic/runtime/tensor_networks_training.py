"""Care of tensor-network layers while they learn: canonical form, ranks that grow and shrink, what to watch.

Every function takes a whole model and works on the layers in it that it is for.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.tensor_networks import Network, TTLinear, TuckerLinear, allowed_ranks

Kind = TypeVar("Kind", bound=Network)


def networks(model: nn.Module, kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
    """The layers of a kind with their paths. Raises TL0602 where there is none."""
    found = [(path, layer) for path, layer in model.named_modules() if isinstance(layer, kind)]
    if not found:
        raise TensorLogicError(Diagnostic("TL0602", f"the model has no {'tensor-network' if kind is Network else kind.__name__} layer"))
    return iter(found)


# --- canonical form --------------------------------------------------------------------------------------------------


@torch.no_grad()
def recondition(model: nn.Module) -> None:
    """Left-canonical trains: all cores but the last have orthonormal columns, so that the last has the norm of the weight; factors of
    Tucker's form likewise, with the norm in the core. What a layer computes stays the same, but for rounding; so do its parameters as
    objects, and an optimizer goes on (its momenta are of the coordinates before)."""
    for _, layer in networks(model, Network):
        if isinstance(layer, TTLinear):
            _write(layer, left_canonical([core.detach() for core in layer.parts()]))
        elif isinstance(layer, TuckerLinear):
            _canonical_tucker(layer)


def left_canonical(cores: Sequence[Tensor]) -> list[Tensor]:
    """The same train [r, n, m, s] with orthonormal columns in all cores but the last."""
    done, current = [], cores[0]
    for following in cores[1:]:
        q, rest = torch.linalg.qr(current.reshape(-1, current.shape[3]))
        done.append(q.reshape(*current.shape[:3], -1))
        current = torch.tensordot(rest, following, dims=1)
    return [*done, current]


def _write(layer: TTLinear, cores: Sequence[Tensor]) -> None:
    """New values; a core of another shape becomes a new parameter."""
    for k, (old, new) in enumerate(zip(layer.parts(), cores, strict=True)):
        if old.shape == new.shape:
            old.copy_(new)
        else:
            layer.cores[k] = nn.Parameter(new.contiguous(), old.requires_grad)


def _canonical_tucker(layer: TuckerLinear) -> None:
    core = layer.core.detach()
    for factor in (*layer.input_factors, *layer.output_factors):
        q, rest = torch.linalg.qr(factor)
        factor.copy_(q)
        core = core.movedim(0, -1) @ rest.T  # the axis in front goes behind: after all of them the order is as before
    layer.core.copy_(core)


# --- ranks -----------------------------------------------------------------------------------------------------------


@torch.no_grad()
def set_tt_ranks(model: nn.Module, ranks: Sequence[int]) -> None:
    """Give every train these inner ranks, as far as its sizes allow. More rank keeps what a layer computes, less takes the nearest
    weight of that rank. Cores of another shape are new parameters: an optimizer is made after this. Raises TL0304 for a wrong number."""
    for path, layer in networks(model, TTLinear):
        if len(ranks) != len(layer.ranks):
            title = f"`{path or 'the layer'}` has {len(layer.ranks)} inner ranks, not {len(ranks)}"
            raise TensorLogicError(Diagnostic("TL0304", title))
        if min(ranks, default=1) < 1:
            raise TensorLogicError(Diagnostic("TL0310", f"a rank is at least 1, found {min(ranks)}"))
        _resize(layer, allowed_ranks(layer.inputs, layer.outputs, ranks))


def _resize(layer: TTLinear, ranks: Sequence[int]) -> None:
    cores = [core.detach() for core in layer.parts()]
    if any(new < old for new, old in zip(ranks, layer.ranks, strict=True)):
        cores = truncated(cores, ranks)
    _write(layer, padded(cores, ranks))


def truncated(cores: Sequence[Tensor], ranks: Sequence[int]) -> list[Tensor]:
    """The train with inner ranks of at most `ranks`, by SVD from the right."""
    found = left_canonical(cores)
    for k in range(len(found) - 1, 0, -1):
        u, s, vh = torch.linalg.svd(found[k].reshape(found[k].shape[0], -1), full_matrices=False)
        kept = min(ranks[k - 1], s.shape[0])
        found[k] = vh[:kept].reshape(kept, *found[k].shape[1:])
        found[k - 1] = torch.tensordot(found[k - 1], u[:, :kept] * s[:kept], dims=1)
    return found


def padded(cores: Sequence[Tensor], ranks: Sequence[int]) -> list[Tensor]:
    """The same train with these inner ranks, which are no smaller. What is new is zero on the right of a bond and small noise on its
    left, so that the weight is the same and the new directions have gradients."""
    found = list(cores)
    for k, rank in enumerate(ranks):
        left, right = found[k], found[k + 1]
        new = rank - left.shape[3]
        noise = torch.randn(*left.shape[:3], new, dtype=left.dtype, device=left.device) * left.std(correction=0)
        found[k] = torch.cat((left, noise), dim=3)
        found[k + 1] = torch.cat((right, right.new_zeros(new, *right.shape[1:])), dim=0)
    return found


@torch.no_grad()
def adapt_ranks(model: nn.Module, low: float, high: float, smallest: int, largest: int) -> int:
    """Ranks by gradients: a bond whose cores have a gradient above `high`, relative to their norms, gains one rank, below `low` it loses
    one, within `smallest` and `largest`. The number of bonds that changed; if it is not 0, the optimizer is made anew.

    To be called after `backward`. Raises TL0305 where there are no gradients."""
    changed = 0
    for path, layer in networks(model, TTLinear):
        wanted = [_adapted(rank, push, low, high, smallest, largest) for rank, push in zip(layer.ranks, pushes(path, layer), strict=True)]
        before, ranks = layer.ranks, allowed_ranks(layer.inputs, layer.outputs, wanted)
        if ranks != before:
            _resize(layer, ranks)
            changed += sum(a != b for a, b in zip(before, ranks, strict=True))
    return changed


def _adapted(rank: int, push: float, low: float, high: float, smallest: int, largest: int) -> int:
    wanted = rank + 1 if push > high else rank - 1 if push < low else rank
    return max(smallest, min(wanted, largest)) if wanted != rank else rank


def pushes(path: str, layer: TTLinear) -> list[float]:
    """How large the gradient of the two cores at each bond is, relative to them."""
    if any(core.grad is None for core in layer.parts()):
        title = f"the cores of `{path or 'the layer'}` have no gradient"
        raise TensorLogicError(Diagnostic("TL0305", title, help=("call `backward(loss)` before",)))
    ratios = [float(core.grad.norm() / core.norm().clamp_min(1e-12)) for core in layer.parts()]  # type: ignore[union-attr]
    return [(a + b) / 2 for a, b in zip(ratios, ratios[1:], strict=False)]


# --- watching --------------------------------------------------------------------------------------------------------


def core_norms(model: nn.Module) -> list[float]:
    """The norms of the cores and factors of all layers, in order."""
    return [float(part.detach().norm()) for _, layer in networks(model, Network) for part in layer.parts()]


def tt_report(model: nn.Module) -> str:
    """One line for each layer: its ranks, the norm and the largest element of each part, and beside a dense layer's its elements and the
    multiplications for a row of its input."""
    return "\n".join(_line(path, layer) for path, layer in networks(model, Network))


def _line(path: str, layer: Network) -> str:
    parts = [part.detach() for part in layer.parts()]
    ranks = layer.ranks if isinstance(layer, TTLinear) else list(parts[0].shape)
    norms, largest = (", ".join(f"{value:.3g}" for value in found) for found in _figures(parts))
    dense = f"of {layer.I * layer.O:,}"
    size = f"{sum(part.numel() for part in parts):,} elements {dense}, {layer.multiplications():,} multiplications {dense}"
    return f"{path or 'layer'}: ranks {ranks}, norms [{norms}], largest [{largest}], {size}"


def _figures(parts: Sequence[Tensor]) -> tuple[list[float], list[float]]:
    return [float(part.norm()) for part in parts], [float(part.abs().max()) for part in parts]
