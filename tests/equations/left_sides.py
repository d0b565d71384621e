"""Random left sides of equations, and what they write worked out place by place in Python."""

from itertools import product
from random import Random

import numpy as np

SIZES = {"i": 2, "j": 3, "k": 2}
COMBINE = {"=": lambda a, b: b, "+": lambda a, b: a + b, "*": lambda a, b: a * b, "max": max, "min": min}
NEUTRAL = {"=": 0.0, "+": 0.0, "*": 1.0, "max": -np.inf, "min": np.inf}


class LeftCase:
    """`Y[items] op= X[...] ...` as a function of Y (where Y is there before), X and the tensors of places."""

    def __init__(self, seed: int):
        random = Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.name = f"f{seed}"
        self.tables: dict[str, np.ndarray] = {}
        self.new = random.random() < 0.4
        self.op = random.choice(["=", "+", "+", "*", "max", "min"])
        names = random.sample(list(SIZES), random.randint(1, 3))
        self.items = [self._item(random, names) for _ in range(random.randint(1, 3))]
        used = [name for item in self.items for name in item[1]]
        self.left = list(dict.fromkeys(used)) or names[:1]
        if not used:
            self.items.append(("plain", (names[0],)))
        places = [self._place(item, dict(zip(self.left, at, strict=True))) for item in self.items for at in self._all()]
        count = len(self._all())
        self.shape = [max(places[n * count : (n + 1) * count]) + 1 for n in range(len(self.items))]
        if not self.new:
            self.shape = [
                size if self._gives(item) else size + random.choice([0, 1, 2]) for size, item in zip(self.shape, self.items, strict=True)
            ]
        if self.op == "=" and len({tuple(self._at(at)) for at in self._all()}) < count:
            self.op = "+"  # which of several values for one place stays is not said
        extra = [name for name in SIZES if name not in self.left and random.random() < 0.4]
        axes = [*self.left, *extra]
        random.shuffle(axes)
        self.axes = axes
        self.values = self.numbers.uniform(0.5, 1.5, [SIZES[name] for name in axes])
        self.whole = self.numbers.uniform(0.5, 1.5, self.shape)

    def _item(self, random: Random, names: list[str]) -> tuple:
        kind = random.choice(["plain", "plain", "linear", "sum", "ids", "ids"] + (["const"] if not self.new else []))
        some = random.sample(names, min(len(names), 2))
        if kind == "ids" and self.new:
            kind = "linear"
        if kind == "linear":
            return "linear", (some[0],), random.choice([1, 2, 3]), random.randint(0, 2)
        if kind == "sum" and len(some) == 2:
            return "sum", tuple(some), random.choice([1, 2]), 0
        if kind == "ids":
            name = f"T{len(self.tables)}"
            self.tables[name] = self.numbers.integers(0, 4, [SIZES[n] for n in some])
            return "ids", tuple(some), name
        return ("const", (), random.randrange(3)) if kind == "const" else ("plain", (some[0],))

    def _gives(self, item: tuple) -> bool:
        """Whether the axis gives the index its range."""
        return item[0] in ("plain", "linear")

    def _all(self) -> list[tuple[int, ...]]:
        return list(product(*(range(SIZES[name]) for name in self.left)))

    def _place(self, item: tuple, at: dict[str, int]) -> int:
        match item:
            case ("plain", (name,)):
                return at[name]
            case ("linear", (name,), factor, offset):
                return factor * at[name] + offset
            case ("sum", (one, other), factor, _):
                return at[one] * factor + at[other]
            case ("ids", names, table):
                return int(self.tables[table][tuple(at[name] for name in names)])
            case ("const", _, place):
                return place
        raise AssertionError(item)

    def _at(self, at: tuple[int, ...]) -> list[int]:
        return [self._place(item, dict(zip(self.left, at, strict=True))) for item in self.items]

    def result(self) -> np.ndarray:
        """Each value in its turn; what is not on the left is summed, or put together by the operator."""
        found = np.full(self.shape, NEUTRAL[self.op]) if self.new else self.whole.copy()
        for at in product(*(range(SIZES[name]) for name in self.axes)):
            places = dict(zip(self.axes, at, strict=True))
            place = tuple(self._place(item, places) for item in self.items)
            if self.op == "=" and any(places[name] for name in self.axes if name not in self.left):
                found[place] = found[place] + self.values[at]
            else:
                found[place] = COMBINE[self.op](found[place], self.values[at])
        return found

    def text(self, item: tuple) -> str:
        match item:
            case ("plain", (name,)):
                return name
            case ("linear", (name,), factor, offset):
                return f"{factor} * {name} + {offset}" if factor > 1 else f"{name} + {offset}"
            case ("sum", (one, other), factor, _):
                return f"{factor} * {one} + {other}" if factor > 1 else f"{one} + {other}"
            case ("ids", names, table):
                return f"{table}[{', '.join(names)}]"
        return str(item[2])

    def function(self) -> str:
        sizes = {name: np.shape(value) for name, value in self.arguments().items()}
        types = [f"{name}: {'int64' if name in self.tables else 'f64'}[{', '.join(map(str, shape))}]" for name, shape in sizes.items()]
        target = f"Y[{', '.join(map(self.text, self.items))}]"
        sign = "=" if self.op == "=" else f"{self.op}="
        shape = ", ".join(map(str, self.shape))
        return f"fn {self.name}({', '.join(types)}) -> f64[{shape}] {{\n    {target} {sign} X[{', '.join(self.axes)}]\n    return Y\n}}\n"

    def arguments(self) -> dict[str, np.ndarray]:
        return ({} if self.new else {"Y": self.whole}) | {"X": self.values} | self.tables
