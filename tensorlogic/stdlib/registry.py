"""Builtins are declared here, once each: the signature is the type rule, the body the lowering, the docstring the documentation.

    @builtin("linear(x: T[...B, I], w: T[O, I], b: T[O] = none) -> T[...B, O]")
    def linear(x, w, b=None):
        \"\"\"Affine map of the last axis: `x @ w.T + b`. See torch.nn.functional.linear.\"\"\"
        return torch.nn.functional.linear(x, w, b)

Several signatures are overloads, tried in order; a further declaration under the same name adds overloads with a body of their own.
The body is one torch expression, which the backends emit inline, or one call of a function of `tensorlogic.runtime`. Its names are the
parameters of the signature, `torch`, `runtime`, `math` and Python's own; a parameter that an overload does not have takes the default
that the body gives it. See docs/signatures.md for what signatures can say.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module

from tensorlogic.record import record
from tensorlogic.stdlib.costs import Cost, each


@record
class Builtin:
    """One name. `bodies` and `costs` have one for each of the `signatures`; `effect` marks builtins that do more than compute a value."""

    name: str
    signatures: tuple[str, ...]
    bodies: tuple[Callable, ...]
    costs: tuple[Cost, ...]
    infer: Callable | None
    doc: str
    module: str
    effect: str | None  # None, "random", "output", "file", "panic", "mutation", "calls" (runs functions of the program)
    mixes: bool  # its tensors mix as operands do: integers and bools adapt to floats

    @property
    def body(self) -> Callable:
        """The body of the first overload."""
        return self.bodies[0]


@record
class Initializer:
    """What fills a declared tensor: `body` takes `shape` and `dtype`, then the parameters of the signature."""

    name: str
    signature: str
    body: Callable
    doc: str


EACH = each()
_BUILTINS: dict[str, Builtin] = {}
_INITIALIZERS: dict[str, Initializer] = {}
_MODULES = (
    "creation", "elementwise", "numbers", "combination", "activations", "reductions", "extremes", "shape", "indexing", "linear",
    "matrices", "convolution", "normalization", "attention", "losses", "decomposition", "equations", "tensor_networks", "weights",
    "training", "adapters", "host", "lists", "text", "properties", "relations", "data", "tokenizers",
)  # fmt: skip


def builtin(
    *signatures: str, infer: Callable | None = None, effect: str | None = None, cost: Cost = EACH, mixes: bool = False
) -> Callable[[Callable], Callable]:
    """Declare a builtin, or more overloads of it. The name is the one in front of the signatures; the function's own name is free. Unless
    `cost` says otherwise it takes one operation for each element of its result."""
    name = _name(signatures[0])

    def declare(body: Callable) -> Callable:
        bodies, doc, known = (body,) * len(signatures), (body.__doc__ or "").strip(), _BUILTINS.get(name)
        costs = (cost,) * len(signatures)
        if known is None:
            _BUILTINS[name] = Builtin(name, signatures, bodies, costs, infer, doc, body.__module__, effect, mixes)
            return body
        if set(known.signatures) & set(signatures):
            raise ValueError(f"an overload of {name} is declared twice")
        more = {"signatures": known.signatures + signatures, "bodies": known.bodies + bodies, "costs": known.costs + costs}
        more |= {"infer": known.infer or infer, "doc": known.doc or doc, "effect": known.effect or effect, "mixes": known.mixes or mixes}
        _BUILTINS[name] = replace(known, **more)
        return body

    return declare


def initializer(signature: str) -> Callable[[Callable], Callable]:
    """Declare an initializer: `param w: float32[D] = normal(0.02)` takes shape and dtype from the declaration."""

    def declare(body: Callable) -> Callable:
        name = _name(signature)
        _INITIALIZERS[name] = Initializer(name, signature, body, (body.__doc__ or "").strip())
        return body

    return declare


def _name(signature: str) -> str:
    return signature.partition("(")[0].partition("<")[0].strip()


def _load() -> None:
    if not _BUILTINS:
        for module in _MODULES:
            import_module(f"tensorlogic.stdlib.{module}")


def lookup(name: str) -> Builtin | None:
    _load()
    return _BUILTINS.get(name)


def lookup_initializer(name: str) -> Initializer | None:
    _load()
    return _INITIALIZERS.get(name)


def names() -> Iterator[str]:
    """What programs can call; names with a dot in front stand for members."""
    _load()
    return iter(sorted(name for name in _BUILTINS if not name.startswith(".")))


def initializer_names() -> Iterator[str]:
    _load()
    return iter(sorted(_INITIALIZERS))
