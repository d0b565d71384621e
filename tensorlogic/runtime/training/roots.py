"""What a training works on: modules, adapters, structs and tensors, also in lists, and the tensors in them by their paths."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

Roots = tuple[tuple[str, Any], ...]


def leaves(thing: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The modules, adapters and tensors of a value, with their paths in it: `.layers.0` of a struct with a list."""
    if isinstance(thing, Tensor) or hasattr(thing, "parameters"):
        yield path, thing
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            yield from leaves(getattr(thing, field.name), f"{path}.{field.name}")
    elif isinstance(thing, list | tuple):
        for i, item in enumerate(thing):
            yield from leaves(item, f"{path}.{i}")


def learnable(of: Any) -> list[Tensor]:
    """The tensors that learn, each once: of a module, a struct, a list of these, an adapter, or tensors themselves."""
    tensors = (t for _, leaf in leaves(of) for t in ((leaf,) if isinstance(leaf, Tensor) else leaf.parameters()))
    return list({id(tensor): tensor for tensor in tensors if tensor.requires_grad}.values())


def top_modules(roots: Roots) -> list[nn.Module]:
    """The modules among the roots."""
    return [leaf for _, thing in roots for _, leaf in leaves(thing) if isinstance(leaf, nn.Module)]


def modules(roots: Roots) -> list[nn.Module]:
    """Every module among the roots, and those inside it."""
    return [module for top in top_modules(roots) for module in top.modules()]


def weights(roots: Roots) -> dict[str, Tensor]:
    """Everything that the roots hold, by the names of the program: `gpt.blocks.0.attn.qkv.weight`."""
    found: dict[str, Tensor] = {}
    for name, thing in roots:
        for path, leaf in leaves(thing, name):
            held = {"": leaf} if isinstance(leaf, Tensor) else leaf.state_dict()
            for key, tensor in held.items():
                if isinstance(tensor, Tensor):
                    found[f"{path}.{key}" if key else path] = tensor.detach()
    return found


def with_params(roots: Roots, params: Any) -> Roots:
    """The roots, and `params` too where a tensor of them is in no root: what learns is saved."""
    known = {id(tensor) for _, thing in roots for tensor in learnable(thing)}
    return roots if all(id(tensor) in known for tensor in learnable(params)) else (*roots, ("params", params))


def unnamed(loss: Tensor, params: list[Tensor]) -> Tensor | None:
    """A tensor that learns and that the loss depends on, but that is not among `params`."""
    known = {id(tensor) for tensor in params}
    pending, seen = [loss.grad_fn], {loss.grad_fn}
    while pending:
        node = pending.pop()
        leaf = getattr(node, "variable", None)
        if leaf is not None and id(leaf) not in known:
            return leaf
        fresh = {parent for parent, _ in node.next_functions if parent is not None} - seen if node is not None else set()
        seen |= fresh
        pending += fresh
    return None
