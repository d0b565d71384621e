"""An evaluator of tensor equations in numpy, written from the text of the contract alone: trees of its own, joins by broadcasting.

A node is a tuple whose first item says what it is:

    ("ref", name, items)          an item is an index, an int, ("lin", ((factor, index), ...), offset), ("floor", index, k), a "ref" of ints
    ("num", index)                an index as its number
    ("const", value)
    ("sum", ((sign, node), ...))  ("prod", ((op, node), ...)) with op `*`, `/` or "" for juxtaposition
    ("pow", node, n)  ("neg", node)  ("fn", name, node)
    ("group", node)               parentheses
    ("red", name, indices, node)  ("norm", name, index, node)
"""

import numpy as np

FUNCTIONS = {"tanh": np.tanh, "exp": np.exp, "sin": np.sin, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "relu": lambda x: np.maximum(x, 0)}


def _logsumexp(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    most = np.max(x, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(x - most), axis=axis, keepdims=True)) + most


REDUCERS = {
    "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, "mean": np.mean,
    "logsumexp": lambda x, axis, keepdims: _logsumexp(x, axis),
}  # fmt: skip


class Refused(Exception):
    """A group joins an index in one operand and has it alone in another."""


class Oracle:
    """`sizes` are the ranges of the indices, whose order is that of the axes of every value."""

    def __init__(self, sizes: dict[str, int], tensors: dict[str, np.ndarray]):
        self.sizes, self.tensors = sizes, tensors
        self.order = list(sizes)
        self.summed: dict[int, set[str]] = {}  # by the identity of the scope

    def run(self, node: tuple, left: tuple[str, ...]) -> np.ndarray:
        """The value with the axes of `left`."""
        absent = self.free(node) - set(left)
        for name in sorted(absent):
            self.summed.setdefault(id(self.scope(node, name)), set()).add(name)
        value = self.scoped(node)
        whole = np.broadcast_to(value, [self.sizes[n] if n in left else s for n, s in zip(self.order, value.shape, strict=True)])
        kept = [self.order.index(name) for name in left]
        return whole.transpose(*kept, *(a for a in range(len(self.order)) if a not in kept)).reshape([self.sizes[n] for n in left])

    # --- scopes -----------------------------------------------------------------------------------------------------

    def below(self, node: tuple) -> list[tuple]:
        match node:
            case ("sum" | "prod", parts):
                return [part for _, part in parts]
            case ("pow", inner, _) | ("neg", inner) | ("fn", _, inner) | ("group", inner) | ("red" | "norm", _, _, inner):
                return [inner]
            case ("ref", _, items):
                return [item for item in items if isinstance(item, tuple) and item[0] == "ref"]
        return []

    def free(self, node: tuple) -> set[str]:
        match node:
            case ("num", name):
                return {name}
            case ("ref", _, items):
                found = set()
                for item in items:
                    if isinstance(item, str):
                        found.add(item)
                    elif isinstance(item, tuple):
                        found |= self.free(item) if item[0] == "ref" else {item[1]} if item[0] == "floor" else {n for _, n in item[1]}
                return found
            case ("red", _, names, inner):
                return self.free(inner) - set(names)
            case ("norm", _, name, inner):
                return self.free(inner) | {name}
        return set().union(*map(self.free, self.below(node)), set())

    def scope(self, root: tuple, name: str) -> tuple:
        """The last scope on the way to where all occurrences are."""
        best, node = root, root
        while True:
            if node[0] == "group":
                joined = [self.joined(part, name) for part in self.operands(node[1]) if name in self.free(part)]
                if any(joined) and not all(joined):
                    raise Refused(name)
                if any(joined):
                    best = node[1]
            having = [part for part in self.below(node) if name in self.free(part)]
            if len(having) != 1 or node[0] in ("ref", "num") or (node[0] == "norm" and node[2] == name):
                return best
            if node[0] in ("fn", "red", "norm"):
                best = having[0]
            node = having[0]

    def joined(self, node: tuple, name: str) -> bool:
        """In two factors of one product, which no function hides."""
        if node[0] in ("fn", "red", "norm", "ref"):
            return False
        if node[0] == "prod" and sum(name in self.free(part) for op, part in node[1] if op != "/") >= 2:
            return True
        return any(self.joined(part, name) for part in self.below(node))

    def operands(self, node: tuple) -> list[tuple]:
        return [part for _, part in node[1]] if node[0] == "sum" else [node]

    # --- values -----------------------------------------------------------------------------------------------------

    def scoped(self, node: tuple) -> np.ndarray:
        """A node with what is summed in it."""
        names = self.summed.get(id(node), set())
        if node[0] == "sum":
            parts = [(1 if sign == "+" else -1) * self.total(self.scoped(part), names & self.free(part)) for sign, part in node[1]]
            return sum(parts[1:], parts[0])
        return self.total(self.value(node), names)

    def total(self, value: np.ndarray, names: set[str]) -> np.ndarray:
        return self.reduced(np.sum, value, names)

    def reduced(self, how, value: np.ndarray, names) -> np.ndarray:
        axes = tuple(self.order.index(name) for name in names)
        full = np.broadcast_to(value, [self.sizes[n] if n in names else s for n, s in zip(self.order, value.shape, strict=True)])
        return how(full, axis=axes, keepdims=True) if axes else value

    def axis(self, name: str) -> np.ndarray:
        return np.arange(self.sizes[name]).reshape([-1 if n == name else 1 for n in self.order])

    def value(self, node: tuple) -> np.ndarray:
        match node:
            case ("const", value):
                return np.full([1] * len(self.order), value)
            case ("num", name):
                return self.axis(name).astype(np.float64)
            case ("ref", name, items):
                return (
                    self.tensors[name][tuple(np.broadcast_arrays(*map(self.place, items)))]
                    if items
                    else self.value(("const", self.tensors[name]))
                )
            case ("prod", parts):
                total = self.scoped(parts[0][1])
                for op, part in parts[1:]:
                    total = total / self.scoped(part) if op == "/" else total * self.scoped(part)
                return total
            case ("pow", inner, n):
                return self.scoped(inner) ** n
            case ("neg", inner):
                return -self.scoped(inner)
            case ("fn", name, inner):
                return FUNCTIONS[name](self.scoped(inner))
            case ("red", name, names, inner):
                return self.reduced(REDUCERS[name], self.scoped(inner), names)
            case ("norm", name, index, inner):
                return self.normed(name, self.order.index(index), self.scoped(inner))
            case ("group", inner):
                return self.scoped(inner)
        raise AssertionError(node)

    def normed(self, name: str, axis: int, value: np.ndarray) -> np.ndarray:
        if name == "cumsum":
            return np.cumsum(value, axis=axis)
        weights = np.exp(value - value.max(axis=axis, keepdims=True))
        return weights / weights.sum(axis=axis, keepdims=True)

    def place(self, item) -> np.ndarray:
        match item:
            case str():
                return self.axis(item)
            case int():
                return np.full([1] * len(self.order), item)
            case ("lin", parts, offset):
                return sum(factor * self.axis(name) for factor, name in parts) + offset
            case ("floor", name, divisor):
                return self.axis(name) // divisor
        return self.value(item)


def written(node: tuple) -> str:
    """The node as source text; parentheses stand only where a group says so."""
    match node:
        case ("ref", name, items):
            return f"{name}[{', '.join(map(place_text, items))}]" if items else name
        case ("num", name):
            return name
        case ("const", value):
            return repr(float(value))
        case ("sum", parts):
            return "".join(f" {s} {written(p)}" if at else written(p) for at, (s, p) in enumerate(parts))
        case ("prod", parts):
            return "".join((f" {op} " if op else " ") * (at > 0) + written(p) for at, (op, p) in enumerate(parts))
        case ("pow", inner, n):
            return f"{written(inner)} ** {n}"
        case ("neg", inner):
            return f"-{written(inner)}"
        case ("fn", name, inner):
            return f"{name}({written(inner)})"
        case ("group", inner):
            return f"({written(inner)})"
        case ("red", name, names, inner):
            return f"{name}[{', '.join(names)}]({written(inner)})"
        case ("norm", name, index, inner):
            return f"{name}[{index}]({written(inner)})"
    raise AssertionError(node)


def place_text(item) -> str:
    match item:
        case ("lin", parts, offset):
            terms = " + ".join(name if factor == 1 else f"{factor} * {name}" for factor, name in parts)
            return terms + (f" + {offset}" if offset > 0 else f" - {-offset}" if offset < 0 else "")
        case ("floor", name, divisor):
            return f"{name} / {divisor}"
        case tuple():
            return written(item)
    return str(item)
