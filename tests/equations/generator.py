"""Random equations as trees of the oracle, with the tensors that they read."""

from random import Random

import numpy as np

from tests.equations.oracle import FUNCTIONS, REDUCERS, Oracle, Refused

SIZES = {"i": 2, "j": 3, "k": 4, "m": 2, "n": 5}


class Maker:
    """Tensors are made as they are needed: `A0[i, j]` has the sizes of its indices."""

    def __init__(self, random: Random):
        self.random = random
        self.tensors: dict[str, np.ndarray] = {}
        self.types: dict[str, str] = {}
        self.numbers = np.random.default_rng(random.randrange(2**32))

    def tensor(self, names: list[str], extra: tuple[int, ...] = ()) -> str:
        name = f"A{len(self.tensors)}"
        self.tensors[name] = self.numbers.uniform(0.5, 1.5, [SIZES[n] for n in names] + list(extra)) * self.random.choice([1, -1])
        self.types[name] = f"float64[{', '.join([*(n.upper() for n in names), *map(str, extra)])}]"
        return name

    def ids(self, names: list[str], below: int) -> str:
        name = f"T{len(self.tensors)}"
        self.tensors[name] = self.numbers.integers(0, below, [SIZES[n] for n in names])
        self.types[name] = f"int64[{', '.join(n.upper() for n in names)}]"
        return name

    def some(self, low: int = 1, high: int = 3) -> list[str]:
        return self.random.sample(list(SIZES), self.random.randint(low, high))

    def reference(self) -> tuple:
        names = self.some()
        kind = self.random.random()
        if kind < 0.75:
            return "ref", self.tensor(names), tuple(names)
        if kind < 0.82:  # a diagonal
            return "ref", self.tensor([names[0], names[0]]), (names[0], names[0])
        if kind < 0.89:  # a fixed place
            return "ref", self.tensor(names, (3,)), (*names, self.random.randrange(3))
        if kind < 0.95:
            return self.gather(names)
        return self.window(names)

    def gather(self, names: list[str]) -> tuple:
        ids = ("ref", self.ids(names, 6), tuple(names))
        rest = self.some(1, 1)
        name = self.tensor(rest, (6,)) if self.random.random() < 0.5 else f"{self.tensor([])}"
        if self.types[name] == "float64[]":
            self.tensors[name] = self.numbers.uniform(-1, 1, [6, SIZES[rest[0]]])
            self.types[name] = f"float64[6, {rest[0].upper()}]"
            return "ref", name, (ids, rest[0])
        return "ref", name, (rest[0], ids)

    def window(self, names: list[str]) -> tuple:
        """Positions that lie inside, so that no range is narrowed."""
        a, b = self.random.sample(list(SIZES), 2)
        step = self.random.choice([1, 1, 2])
        length = step * (SIZES[a] - 1) + SIZES[b] - 1 + 1
        name = f"A{len(self.tensors)}"
        self.tensors[name] = self.numbers.uniform(-1, 1, [length])
        self.types[name] = f"float64[{length}]"
        return "ref", name, (("lin", ((step, a), (1, b)), 0),)

    def term(self, depth: int) -> tuple:
        kind = self.random.random()
        if depth <= 0 or kind < 0.3:
            return self.atom()
        if kind < 0.55:
            return self.product(depth)
        if kind < 0.7:
            inner = self.sum(depth - 1)
            return ("fn", self.random.choice(list(FUNCTIONS)), inner) if Oracle(SIZES, {}).free(inner) else self.reference()
        if kind < 0.78:
            return "pow", ("group", self.sum(depth - 1)), self.random.choice([2, 2, 3])
        if kind < 0.86:
            return "group", self.sum(depth - 1)
        return self.joined() if kind < 0.9 else self.along(depth)

    def atom(self) -> tuple:
        kind = self.random.random()
        if kind < 0.86:
            return self.reference()
        return ("const", round(self.random.uniform(0.5, 2.0), 2)) if kind < 0.95 else ("num", self.random.choice(list(SIZES)))

    def product(self, depth: int) -> tuple:
        parts = [("*", self.factor(depth))]
        for _ in range(self.random.randint(1, 3)):
            op = self.random.choice(["*", "*", "", "", "/"])
            if op == "/":
                parts.append(("/", ("const", 2.0) if self.random.random() < 0.5 else self.reference()))
            elif op == "" and parts[-1][1][0] == "ref":
                parts.append(("", self.reference()))
            else:
                parts.append(("*", self.factor(depth)))
        return "prod", tuple(parts)

    def joined(self) -> tuple:
        """A power of a group that joins an index, perhaps beside an operand that has it alone."""
        names = self.some(1, 2)
        parts: list[tuple] = [("+", ("prod", tuple(("*", ("ref", self.tensor(names), tuple(names))) for _ in range(2))))]
        if self.random.random() < 0.6:
            own = self.random.choice([self.some(1, 1), names])
            parts.append(("-", ("ref", self.tensor(own), tuple(own))))
        return "pow", ("group", ("sum", tuple(parts)) if len(parts) > 1 else parts[0][1]), 2

    def factor(self, depth: int) -> tuple:
        made = self.term(depth - 1)
        return ("group", made) if made[0] in ("prod", "sum", "pow") else made

    def sum(self, depth: int) -> tuple:
        count = self.random.choice([1, 1, 2, 3])
        if count == 1:
            return self.term(depth)
        parts = [(self.random.choice("+-") if at else "+", self.term(depth)) for at in range(count)]
        return "sum", tuple(parts)

    def along(self, depth: int) -> tuple:
        inner = self.sum(depth - 1)
        names = sorted(Oracle(SIZES, self.tensors).free(inner))
        if not names:
            return inner if inner[0] not in ("sum", "prod") else ("group", inner)
        if self.random.random() < 0.3:
            return "norm", self.random.choice(["softmax", "cumsum"]), self.random.choice(names), inner
        return (
            "red",
            self.random.choice(list(REDUCERS)),
            tuple(self.random.sample(names, min(len(names), self.random.choice([1, 1, 2])))),
            inner,
        )


class Case:
    """One equation: its text as a function, the tensors, and what it gives; None where it is refused."""

    def __init__(self, seed: int):
        from tests.equations.oracle import written

        random = Random(seed)
        while True:
            maker = Maker(random)
            tree = maker.sum(random.choice([1, 2, 3]))
            oracle = Oracle(SIZES, maker.tensors)
            free = sorted(oracle.free(tree))
            if free and maker.tensors and len(maker.tensors) <= 9:
                break
        self.left = tuple(random.sample(free, random.randint(0, len(free))))
        self.tensors, self.types = maker.tensors, maker.types
        self.text = written(tree)
        self.name = f"f{seed}"
        try:
            with np.errstate(all="ignore"):
                self.result = oracle.run(tree, self.left)
        except Refused:
            self.result = None

    def function(self) -> str:
        """The equation as a function with symbolic sizes; a size that no tensor has is declared."""
        where = ", ".join(f"{n} in 0..{size}" for n, size in SIZES.items())
        sizes = dict(SIZES)
        types = {name: self.concrete(text) for name, text in self.types.items()} if self.bare else self.types
        params = ", ".join(f"{name}: {text}" for name, text in types.items())
        shape = ", ".join(str(sizes[n]) if self.bare else n.upper() for n in self.left)
        target = f"y[{', '.join(self.left)}]" if self.left else "y"
        clause = f" where {where}" if self.bare else ""
        return f"fn {self.name}({params}) -> float64[{shape}] {{\n    let {target} = {self.text}{clause}\n    return y\n}}\n"

    @property
    def bare(self) -> bool:
        """Whether sizes are numbers: where an index stands on no axis by itself."""
        alone = {part.strip() for text in self.types.values() for part in text.partition("[")[2].rstrip("]").split(",")}
        used = {n for n in SIZES if any(c == n for c in words(self.text))} | set(self.left)
        return "+" in "".join(self.text[a + 1 : b] for a, b in brackets(self.text)) or not {n.upper() for n in used} <= alone

    def concrete(self, text: str) -> str:
        for name, size in SIZES.items():
            text = text.replace(name.upper(), str(size)) if f"{name.upper()}" in text.partition("[")[2] else text
        return text


def words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text).split()


def brackets(text: str) -> list[tuple[int, int]]:
    found, start = [], []
    for at, char in enumerate(text):
        if char == "[":
            start.append(at)
        elif char == "]":
            found.append((start.pop(), at))
    return found
