"""Random straight-line tensor functions that are right by construction, with the shapes that every value has in terms of the sizes."""

import random
from dataclasses import dataclass, field

NAMES = ("A", "B", "C", "D")
Size = tuple[str, ...]  # a product of names: () is 1


def text(size: Size) -> str:
    return " * ".join(size) or "1"


def shape_text(shape: tuple[Size, ...]) -> str:
    return f"[{', '.join(map(text, shape))}]"


@dataclass
class Line:
    """One statement `let name = source`; `python` is the same for torch; `shape` of the result; `broken` a wrong variant or ""."""

    name: str
    source: str
    python: str
    broken: str = ""


@dataclass
class Program:
    """`params` by name, with shapes in products of sizes."""

    params: dict[str, tuple[Size, ...]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    shapes: dict[str, tuple[Size, ...]] = field(default_factory=dict)

    def source(self, result: str, broken_at: int = -1) -> str:
        params = ", ".join(f"{name}: f32{shape_text(shape)}" for name, shape in self.params.items())
        head = f"fn f({params}) -> {result} {{\n"
        body = "".join(f"    let {line.name} = {line.broken if i == broken_at else line.source}\n" for i, line in enumerate(self.lines))
        return f"{head}{body}    return {self.lines[-1].name}\n}}\n"


def program(seed: int, length: int) -> Program:
    r = random.Random(seed)
    made = Program()
    for index in range(r.randint(2, 3)):
        made.params[f"x{index}"] = tuple((r.choice(NAMES),) for _ in range(r.randint(1, 3)))
    for name in NAMES:  # every size is bound by a vector of its own
        made.params[f"v{name}"] = ((name,),)
    made.shapes = dict(made.params)
    while len(made.lines) < length:
        step = r.choice(STEPS)(r, made, r.choice(list(made.shapes)))
        if step is not None:
            source, python, shape, broken = step
            name = f"y{len(made.lines)}"
            made.lines.append(Line(name, source, python, broken))
            made.shapes[name] = shape
    return made


# Each step gives (source, python, shape, broken source) or None where it does not apply.


def elementwise(r, made, x):
    op = r.choice(["relu", "tanh", "exp", "neg"])
    return f"{op}({x})", f"torch.{op}({x})", made.shapes[x], f"{op}({x}, {x}, {x}, {x})"


def add(r, made, x):
    same = [name for name, shape in made.shapes.items() if shape == made.shapes[x]]
    other, op = r.choice(same), r.choice("+-*/")
    shape = made.shapes[x]
    wrong = _vector_unlike(r, shape[-1]) if shape and shape[-1] else ""
    return f"{x} {op} {other}", f"{x} {op} {other}", shape, f"{x} {op} {wrong}" if wrong else ""


def row(r, made, x):
    shape = made.shapes[x]
    if not shape or len(shape[-1]) != 1 or shape[-1][0] not in NAMES:
        return None
    return f"{x} + v{shape[-1][0]}", f"{x} + v{shape[-1][0]}", shape, f"{x} + {_vector_unlike(r, shape[-1])}"


def _vector_unlike(r, size: Size) -> str:
    return f"v{r.choice([n for n in NAMES if (n,) != size])}"


def matmul(r, made, x):
    left = made.shapes[x]
    fits = [n for n, s in made.shapes.items() if len(s) == 2 and len(left) >= 2 and s[0] == left[-1]]
    if not fits:
        return None
    other = r.choice(fits)
    wrong = [n for n, s in made.shapes.items() if len(s) == 2 and s[0] != left[-1] and "(" not in text(s[0]) + text(left[-1])]
    return f"{x} @ {other}", f"{x} @ {other}", (*left[:-1], made.shapes[other][1]), f"{x} @ {r.choice(wrong)}" if wrong else ""


def reduce(r, made, x):
    shape = made.shapes[x]
    if not shape:
        return None
    axis, keep = r.randrange(len(shape)), r.random() < 0.4
    dim = r.choice([axis, axis - len(shape)])
    kept = (*shape[:axis], (), *shape[axis + 1 :]) if keep else (*shape[:axis], *shape[axis + 1 :])
    flags = f", dim: {dim}{', keepdim: true' if keep else ''}"
    return f"sum({x}{flags})", f"torch.sum({x}, dim={dim}, keepdim={keep})", kept, f"sum({x}, dim: {len(shape)})"


def reshape(r, made, x):
    shape = made.shapes[x]
    names = [name for size in shape for name in size]
    r.shuffle(names)
    cuts = sorted(r.sample(range(len(names) + 1), min(len(names) + 1, r.randint(1, 3))))
    groups = [tuple(names[a:b]) for a, b in zip([0, *cuts], [*cuts, len(names)], strict=True)]
    sizes = ", ".join(map(text, groups))
    extra = ", ".join([*map(text, groups), "2"])
    return f"{x}.reshape([{sizes}])", f"{x}.reshape([{sizes}])", tuple(tuple(sorted(g)) for g in groups), f"{x}.reshape([{extra}])"


def transpose(r, made, x):
    shape = made.shapes[x]
    if len(shape) < 2:
        return None
    a, b = r.sample(range(len(shape)), 2)
    swapped = list(shape)
    swapped[a], swapped[b] = swapped[b], swapped[a]
    return f"{x}.transpose({a}, {b})", f"{x}.transpose({a}, {b})", tuple(swapped), f"{x}.transpose({a}, {len(shape)})"


def unsqueeze(r, made, x):
    shape = made.shapes[x]
    if len(shape) > 4:
        return None
    axis = r.randint(0, len(shape))
    return f"{x}.unsqueeze({axis})", f"{x}.unsqueeze({axis})", (*shape[:axis], (), *shape[axis:]), f"{x}.unsqueeze({len(shape) + 1})"


def first(r, made, x):
    shape = made.shapes[x]
    if not shape:
        return None
    return f"{x}[0]", f"{x}[0]", shape[1:], f"{x}[{', '.join(['0'] * (len(shape) + 1))}]"


def last_axis(r, made, x):
    shape = made.shapes[x]
    return (f"{x}[..., 0:1]", f"{x}[..., 0:1]", (*shape[:-1], ()), f"{x}[..., 1:1]") if shape else None


def join(r, made, x):
    shape = made.shapes[x]
    if not shape:
        return None
    axis = r.randrange(len(shape))
    fits = [n for n, s in made.shapes.items() if len(s) == len(shape) and s[:axis] + s[axis + 1 :] == shape[:axis] + shape[axis + 1 :]]
    other = r.choice(fits)
    total = f"({text(shape[axis])} + {text(made.shapes[other][axis])})"
    joined = (*shape[:axis], (total,), *shape[axis + 1 :])
    return f"cat([{x}, {other}], dim: {axis})", f"torch.cat([{x}, {other}], dim={axis})", joined, f"cat([{x}, {other}], dim: {len(shape)})"


def slices(r, made, x):
    shape = made.shapes[x]
    if not shape or len(shape[0]) != 1 or shape[0][0] not in NAMES:
        return None
    name = shape[0][0]
    kind, size = r.choice([("1:", f"({name} - 1)"), (":-1", f"({name} - 1)"), ("::2", f"ceil_div({name}, 2)"), ("0:2", f"min({name}, 2)")])
    return f"{x}[{kind}]", f"{x}[{kind}]", ((size,), *shape[1:]), f"{x}[{name}:]"


def spread(r, made, x):
    """Explicit ones broadcast against anything."""
    shape = made.shapes[x]
    others = [n for n, s in made.shapes.items() if len(s) == 1 and s[0]]
    if len(shape) != 1 or not shape[0]:
        return None
    other = r.choice(others)
    source = f"{x}.unsqueeze(1) * {other}.unsqueeze(0)"
    wrong = f"{x}.unsqueeze(1) * {other}" if made.shapes[other][0] != ("1",) else ""
    return source, source, (shape[0], made.shapes[other][0]), wrong


STEPS = (join, slices, spread, elementwise, add, add, row, matmul, matmul, reduce, reshape, transpose, unsqueeze, first, last_axis)
