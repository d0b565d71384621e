"""A random program while it is made: what is known, the statements so far in the language and in Python with numpy, and wrong variants."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from tests.properties.programs_sizes import Shape, Size, named, number, quotient, written

Item = TypeVar("Item")
Step = Callable[["Maker"], object]
STEPS: list[Step] = []
BREAKS: dict[str, list[Step]] = {}  # kind of mistake -> the steps that have a variant with it
NAMES = {"B": 2, "T": 4, "D": 6, "N": 5, "M": 3, "E": 7, "C": 8}
DTYPES = {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16"}
OTHER_FLOAT = {"f64": "float32", "f32": "float64", "f16": "float32", "bf16": "float32", "T": "float32"}


class Skip(Exception):
    """A step that does not apply to what there is."""


def step(*kinds: str) -> Callable[[Step], Step]:
    """A step of programs: adds statements, or raises Skip before it added one. `kinds` are those of its wrong variants."""

    def register(function: Step) -> Step:
        STEPS.append(function)
        for kind in kinds:
            BREAKS.setdefault(kind, []).append(function)
        return function

    return register


@dataclass(frozen=True)
class Tensor:
    """A variable. `dtype` is "float" for the floats of the program, or "int64", "bool"; `given` says that it is a parameter."""

    name: str
    dtype: str
    shape: Shape
    given: bool = False

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclass(frozen=True)
class Wrong:
    """A variant of a statement with one mistake of a kind, to be reported at its `line` (0 is the first)."""

    kind: str
    text: str
    line: int = 0


@dataclass(frozen=True)
class Statement:
    text: str
    python: str
    wrong: tuple[Wrong, ...] = ()


@dataclass
class Maker:
    """Makes the function `made{number}`. All names that are not local carry the number, so that many programs fit one file."""

    random: Random
    number: int
    base: str  # the dtype of its floats as written: f64 f32 f16 bf16, or T of a generic function
    sizes: dict[str, Size] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    prelude: list[Statement] = field(default_factory=list)  # declarations beside the function
    count: int = 0

    def fresh(self, prefix: str = "t") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def choose(self, items: Iterable[Item]) -> Item:
        found = list(items)
        if not found:
            raise Skip
        return self.random.choice(found)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def find(self, test: Callable[[Tensor], bool] = lambda t: True, dtype: str = "float") -> Tensor:
        """A tensor that meets the test; the newest ones more often, so that statements build on each other."""
        found = [t for t in self.tensors if t.dtype == dtype and test(t)]
        if not found:
            raise Skip
        return found[-1] if self.chance(0.4) else self.random.choice(found)

    def other_than(self, size: Size) -> Size:
        """A size of the function that may be another number."""
        return self.choose(s for s in self.sizes.values() if s != size and s.is_name)

    def unlike(self, size: Size) -> Tensor:
        """A vector parameter of another size."""
        return self.choose(
            t for t in self.tensors if t.given and t.dtype == "float" and t.rank == 1 and t.shape[0] != size and t.shape[0].is_name
        )

    def add(self, text: str, python: str, shape: Shape, dtype: str = "float", wrong: Iterable[tuple[str, str]] = ()) -> Tensor:
        """`let t = text`."""
        name = self.fresh()
        variants = tuple(Wrong(kind, f"let {name} = {broken}") for kind, broken in wrong)
        self.statements.append(Statement(f"let {name} = {text}", f"{name} = {python}", variants))
        return self.know(name, shape, dtype)

    def declare(self, text: str, python: str = "", wrong: Iterable[Wrong] = ()) -> None:
        """A declaration beside the function."""
        self.prelude.append(Statement(text, python, tuple(wrong)))

    def know(self, name: str, shape: Shape, dtype: str = "float") -> Tensor:
        self.tensors.append(Tensor(name, dtype, shape))
        return self.tensors[-1]

    def block(self, text: str, python: str, wrong: Iterable[Wrong] = ()) -> None:
        """Statements of several lines."""
        self.statements.append(Statement(text, python, tuple(wrong)))

    def type_of(self, tensor: Tensor) -> str:
        return self.type(tensor.shape, tensor.dtype)

    def type(self, shape: Shape, dtype: str = "float") -> str:
        return f"{self.base if dtype == 'float' else dtype}{written(shape)}"


def begin(random: Random, number: int) -> Maker:
    """Parameters: one vector for each size, so that all are bound, a few tensors, ids and masks."""
    base = random.choices(("f64", "T", "f32", "bf16", "f16"), (60, 15, 20, 2, 2))[0]
    maker = Maker(random, number, base)
    for name in random.sample(list(NAMES), random.randint(2, 4)):
        maker.sizes[name] = named(name, NAMES[name])
    _constraints(maker)
    names = list(maker.sizes.values())
    for index, size in enumerate(s for s in names if str(s) not in ("H", "k")):
        maker.tensors.append(Tensor(f"v{index}", "float", (size,), given=True))
    for index in range(random.randint(1, 3)):
        shape = tuple(random.choice([t.shape[0] for t in maker.tensors[: len(names)]]) for _ in range(random.choice((2, 2, 2, 3, 1))))
        maker.tensors.append(Tensor(f"x{index}", "float", shape, given=True))
    if random.random() < 0.4:
        maker.tensors.append(Tensor("ids", "int64", (maker.tensors[0].shape[0],), given=True))
    if random.random() < 0.2:
        maker.tensors.append(Tensor("mask", "bool", maker.choose(t.shape for t in maker.tensors), given=True))
    return maker


def _constraints(maker: Maker) -> None:
    """`where` clauses that hold for the numbers of NAMES, and int parameters that are sizes."""
    if "D" in maker.sizes and maker.chance(0.5):
        maker.sizes["H"] = named("H", 3)
        maker.facts.append("D % H == 0")
    if "T" in maker.sizes and "C" in maker.sizes and maker.chance(0.7):
        maker.facts.append("T <= C")
    for name in [n for n in maker.sizes if n not in "H" and maker.chance(0.3)]:
        even = NAMES[name] % 2 == 0
        maker.facts.append(maker.choose([f"{name} >= 2", *([f"{name} % 2 == 0"] if even else [])]))
    maker.random.shuffle(maker.facts)


def halves(maker: Maker, size: Size) -> list[tuple[Size, Size]]:
    """What divides a size, as the `where` clauses say, with the quotients."""
    found = []
    if f"{size} % H == 0" in maker.facts:
        found.append((maker.sizes["H"], quotient(size, maker.sizes["H"])))
    if f"{size} % 2 == 0" in maker.facts:
        found.append((number(2), quotient(size, number(2))))
    return found
