"""Random well-typed programs: functions of tensors whose sizes are names, with the result type that they must have.

The last function takes PARAMETERS and does a few steps with what it has.
"""

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

PARAMETERS = "x: float32[N, D], w: float32[D, E], b: float32[D], ids: int64[N], k: int"
SAME_SHAPE = ("relu", "tanh", "exp", "sigmoid", "abs", "gelu", "silu", "sin", "square")
Shape = tuple[str, ...]


@dataclass
class Body:
    """The statements so far, and the tensors they may use: name -> shape."""

    random: Random
    functions: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    known: dict[str, Shape] = field(default_factory=lambda: {"x": ("N", "D"), "w": ("D", "E"), "b": ("D",)})

    def pick(self, items):
        return self.random.choice(list(items))

    def add(self, text: str, shape: Shape) -> None:
        name = f"t{len(self.lines)}"
        self.lines.append(f"    let {name} = {text}")
        self.known[name] = shape

    def like(self, shape: Shape) -> str:
        return self.pick(name for name, found in self.known.items() if found == shape)

    def step(self) -> None:
        name = self.pick(self.known)
        ways = (self.unary, self.binary, self.product, self.reduction, self.layout, self.part, self.choice, self.loop, self.call)
        self.pick(ways)(name, self.known[name])

    def unary(self, name: str, shape: Shape) -> None:
        text = self.pick((f"{self.pick(SAME_SHAPE)}({name})", f"-{name}", f"{name}.clamp(-1.0, 1.0)", f"(|v| v * 2.0 + 1.0)({name})"))
        self.add(f"softmax({name}, dim: -1)" if shape and self.random.random() < 0.2 else text, shape)

    def binary(self, name: str, shape: Shape) -> None:
        other = self.pick((self.like(shape), "0.5", "k", "2"))
        operator = self.pick(("+", "-", "*", "/"))
        self.add(f"{name} {operator} {other}" if self.random.random() < 0.7 else f"maximum({name}, {self.like(shape)})", shape)

    def product(self, name: str, shape: Shape) -> None:
        fits = [n for n, s in self.known.items() if len(shape) == 2 and len(s) == 2 and s[0] == shape[1]]
        if fits:
            other = self.pick(fits)
            self.add(f"{name} @ {other}", (shape[0], self.known[other][1]))

    def reduction(self, name: str, shape: Shape) -> None:
        how = self.pick(("sum", "mean", "max", "logsumexp"))
        if len(shape) == 2:
            axis = self.pick((0, 1))
            if self.random.random() < 0.5:
                self.add(f"{name} - {how}({name}, dim: {axis}, keepdim: true)", shape)
            else:
                self.add(f"{how}({name}, dim: {axis})", shape[:axis] + shape[axis + 1 :])

    def layout(self, name: str, shape: Shape) -> None:
        if len(shape) == 2:
            a, b = shape
            ways = {
                f"{name}.transpose(0, 1)": (b, a),
                f"{name}.reshape([{a} * {b}])": (f"{a} * {b}",),
                f"cat([{name}, {self.like(shape)}], dim: 0)": (f"2 * {a}", b),
                f"stack([{name}, {self.like(shape)}], dim: 0).sum(dim: 0)": shape,
                f"chunk(cat([{name}, {name}], dim: 1), 2, dim: 1).1": shape,
            }
            text = self.pick(ways)
            self.add(text, ways[text])

    def part(self, name: str, shape: Shape) -> None:
        if shape and shape[0] == "N":
            self.add(self.pick((f"{name}[ids]", f"{name}[0:N]", f"where({name} > 0.0, {name}, {self.like(shape)} * 0.1)")), shape)
        elif len(shape) == 2:
            self.add(f"{name}[0]", shape[1:])

    def choice(self, name: str, shape: Shape) -> None:
        test = self.pick(("N > 2", "k == 1 or N < D", "not (k > 2)", "D % 2 == 0 and k != 3"))
        self.add(f"if {test} {{ {name} + 1.0 }} else {{ {self.like(shape)} }}", shape)

    def loop(self, name: str, shape: Shape) -> None:
        total = f"s{len(self.lines)}"
        turns = self.pick(("0..3", "range(2)", "[1, 2, 4]"))
        self.lines.append(f"    let {total} = {name}\n    for i in {turns} {{ {total} = {total} * 0.5 + i }}")
        self.known[total] = shape

    def call(self, name: str, shape: Shape) -> None:
        if self.functions and len(shape) == 2:
            self.add(f"{self.pick(self.functions)}({name}, scale: {self.pick(('1.5', '2.0'))})", shape)


def helper(random: Random, number: int) -> str:
    """A function that gives a matrix of the shape that it takes."""
    expression = random.choice(("y * scale", "relu(y) + scale", "y - mean(y, dim: 0, keepdim: true) * scale", "y.tanh() / scale"))
    return f"fn h{number}(y: float32[R, C], scale: float = 0.5) -> float32[R, C] {{ return {expression} }}"


def program(random: Random) -> str:
    """Two helpers and a function `f`."""
    body = Body(random, ["h0", "h1"])
    while len(body.lines) < 8:
        body.step()
    name = body.pick(list(body.known)[3:])
    result = f"float32[{', '.join(body.known[name])}]"
    head = f"fn f({PARAMETERS}) -> {result} where k >= 0 {{"
    return "\n".join([helper(random, 0), helper(random, 1), head, *body.lines, f"    return {name}", "}"]) + "\n"


def programs() -> st.SearchStrategy[str]:
    return st.integers(0, 2**32 - 1).map(lambda seed: program(Random(seed)))
