"""What people who come from PyTorch and Python write out of habit, and how it is written here."""

from collections.abc import Iterable
from dataclasses import replace

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.stdlib import registry
from tensorlogic.stdlib.layers import LAYERS
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
    "Sequential": "call one layer after the other, `head(relu(body(x)))`, or go through `layers: [Linear(4, 8), Linear(8, 2)]` with `for`",
    "ModuleList": "write a list: `layers: [Linear(4, 8), Linear(8, 2)]`, `blocks: [Block(D); L]`",
    "ModuleDict": "give each of the models a field of its own",
    "Parameter": "declare it: `param w: float32[D] = normal(0.02)`",
    "Identity": "leave it out",
    "optim": NO_PREFIX,
    "tf": NO_PREFIX,
    "jnp": NO_PREFIX,
    "inf": 'write `float("inf")`',
    "nan": 'write `float("nan")`',
    "pi": "declare `const pi = 3.141592653589793`",
    "math": "functions stand without a prefix: `sqrt(x)`",
    "pass": "an empty block is `{ }`",
    "int64": "`.to(int64)` makes integers of a tensor, `as int` of a number",
    "isinstance": "types are known before the program runs",
    "f": "text with holes is `format(\"{} of {}\", a, b)`",
}  # fmt: skip
CONSTANTS = frozenset(("None", "True", "False"))  # of Python: no names of indices
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
    "H": TRANSPOSE,
    "astype": "write `.to(float16)`",
    "type": "write `.to(float16)`",
    "nelement": "write `.numel()`",
    "is_cuda": "write `.device`",
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
MODELS = {
    "train": "write `train(m)`",
    "eval": "write `eval(m)`",
    "parameters": "write `params(m)`",
    "named_parameters": "write `params(m)`",
    "zero_grad": "write `opt.zero_grad()` with the optimizer",
    "to": "models are made on the device of the run: `--device cuda`",
    "cuda": "models are made on the device of the run: `--device cuda`",
    "cpu": "models are made on the device of the run: `--device cpu`",
    "state_dict": "write `save_model(m, path)`",
    "load_state_dict": "write `load(m, path)`",
    "requires_grad_": "declare the parameter `frozen`, or name what learns: `params: m.head`",
    "children": "name the fields: `m.head`",
    "modules": "name the fields: `m.head`",
    "register_buffer": "declare it: `buffer mean: float32[D] = zeros()`",
}  # fmt: skip
PREFIXES = ("torch", "F", "nn", "np", "math", "optim", "tf", "jnp", "functional")
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
    return NAMES.get(name, "") or module_hint(name)


def module_hint(name: str) -> str:
    """A layer or loss of torch.nn without parameters of its own is a function here: `ReLU()` is `relu(x)`."""
    plain = name.lower().removesuffix("loss") if name[:1].isupper() else ""
    found = next((known for known in registry.names() if plain and known.replace("_", "").removesuffix("loss") == plain), None)
    return f"it is a function: `{found}(...)`" if found else ""


def prefixed_hint(callee: ast.Member) -> str:
    """`torch.zeros` and `F.relu` are `zeros` and `relu`; empty where there is no such function or layer."""
    known = _is_known(callee.name) and _is_prefix(callee.base)
    return f"functions and layers stand without a prefix: `{callee.name}(...)`" if known else ""


def _is_known(name: str) -> bool:
    return registry.lookup(name) is not None or name in LAYERS or name == "tensor"


def _is_prefix(node: ast.Node) -> bool:
    while isinstance(node, ast.Member):
        node = node.base
    return isinstance(node, ast.Name) and node.name in PREFIXES


def model_hint(name: str) -> str:
    """What a method of torch.nn.Module is here."""
    return MODELS.get(name, "")


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
