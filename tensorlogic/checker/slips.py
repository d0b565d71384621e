"""What people who come from PyTorch and Python write out of habit, and how it is written here."""

from collections.abc import Iterable
from dataclasses import replace

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Int, List

NO_PREFIX = "functions and layers stand without a prefix: `softmax(x, dim: -1)`, `Linear(4, 8)`"
NAMES = {
    "None": "leave out what is not given; a missing axis is `x.unsqueeze(1)`",
    "True": "write `true`",
    "False": "write `false`",
    "nn": NO_PREFIX,
    "F": NO_PREFIX,
    "torch": NO_PREFIX,
    "np": "a module of Python is made known by `python import numpy as np`",
    "self": "a method of a `struct` has `self` as its first parameter; a model's fields are in scope by their names",
    "super": "fields of a model are declared, there is nothing to call",
    "Sequential": "call one layer after the other: `head(relu(body(x)))`",
    "ModuleList": "repeat a submodule with `blocks: [Block(D); L]`",
    "isinstance": "types are known before the program runs",
    "f": "text with holes is `format(\"{} of {}\", a, b)`",
}  # fmt: skip
TRANSPOSE = "write `.transpose(-2, -1)`"
MEMBERS = {
    "T": TRANSPOSE,
    "mT": TRANSPOSE,
    "t": TRANSPOSE,
    "numpy": "print it, or save it with `save_model`; from Python, functions give tensors",
    "tolist": "a tensor of one element has `.item()`",
    "cuda": "write `.to(device: gpu)`, or run with `--device cuda`",
    "size": "write `.shape[0]`, or give the size a name in the type: `x: f32[N, D]`",
    "dim": "write `.ndim`",
    "data": "tensors are values: the tensor itself",
    "grad": "write `grad(loss, w)`",
    "requires_grad": "declare it with `param`",
    "requires_grad_": "declare it with `param`",
    "append": "write `.push(x)`",
    "extend": "write `a + b`",
    "format": 'write `format("{} of {}", a, b)`',
    "values": "the result is the values; `argmax` or `argsort` give the places",
    "indices": "`argmax`, `argmin` and `argsort` give the places",
    "parameters": "write `params(m)`",
    "state_dict": "write `save_model(m, path)`",
    "new_zeros": "write `zeros(shape)`",
}  # fmt: skip
PARAMETERS = {
    "axis": ("dim", "dims"),
    "axes": ("dim", "dims"),
    "keepdims": ("keepdim",),
    "size": ("shape", "kernel_size"),
    "is_causal": ("causal",),
    "attn_mask": ("mask",),
    "dropout_p": ("dropout",),
    "input": ("x", "logits"),
    "target": ("targets", "y"),
}
DEVICE = "devices and dtypes are names, not text: `.to(device: gpu)`, `.to(float16)`"
STRING_SUM = 'make a text of it: `{} as string`, or `format("{{}}{{}}", a, b)`'


def name_hint(name: str) -> str:
    """How a name of Python or PyTorch that does not exist here is said; empty where it is no such name."""
    return NAMES.get(name, "")


def member_hint(name: str, names: Iterable[str]) -> str:
    """The same for what stands behind a dot of a value with these members."""
    if name in MEMBERS:
        return MEMBERS[name]
    if name.endswith("_") and registry.lookup(name[:-1]) is not None:
        return f"tensors are values: write `x = x.{name[:-1]}(...)`"
    near = did_you_mean(name, names)
    if near is None and name.endswith("_"):
        return "tensors are values: assign the result, `x = ...`, or write `x += y`"
    return f"did you mean `{near}`?" if near else ""


def unknown_parameter(name: str, signatures: tuple[Signature, ...]) -> str:
    """What a parameter that no overload has may be meant to be."""
    known = list(dict.fromkeys(p.name for signature in signatures for p in signature.params))
    meant = next((other for other in PARAMETERS.get(name, ()) if other in known), None) or did_you_mean(name, known)
    if meant is not None:
        return f"did you mean `{meant}`?"
    return f"its parameters are {', '.join(known)}" if known else "it takes no arguments"


def one_list(name: str, nodes: list[ast.Node], types: list) -> str:
    """The advice for sizes or axes that are given one by one where the builtin takes a list; empty where they are not."""
    places = {i for s in builtin_signatures(name) for i, p in enumerate(s.params) if p.type == List(Int())}
    at = next((i for i in sorted(places) if i < len(types) and all(isinstance(type_, Int) for type_ in types[i:])), None)
    if at is None:
        return ""
    return f"sizes and axes are one list: `[{', '.join(node.span.text for node in nodes[at:])}]`"


def better_refusal(told: Diagnostic, name: str, names: list[str | None], nodes: list[ast.Node], types: list) -> Diagnostic:
    """The message for a builtin's wrong number or names of arguments (one of each list per argument), seen against all overloads."""
    signatures = builtin_signatures(name)
    known = {p.name for signature in signatures for p in signature.params}
    for given, node in zip(names, nodes, strict=True):
        if given is not None and given not in known:
            help = unknown_parameter(given, signatures)
            return Diagnostic("TL0202", f"`{name}` has no parameter `{given}`", node.span, help=(help,))
    advice = one_list(name, nodes, types) if told.code == "TL0307" else ""
    return replace(told, help=(advice,)) if advice else told
