"""Random well-typed programs by construction, with their meaning in numpy, and ill-typed twins of them with one mistake.

program(random, number)         a function `made{number}` and what stands beside it
program(random, number, kind)   the same, one of whose statements has a variant with a mistake of that kind
made.text, made.python          in the language, and for numpy
made.twin(random, kind)         the text with that one mistake, and the line where it is
"""

from dataclasses import dataclass
from importlib import import_module
from random import Random

from tests.properties.programs_maker import BREAKS, STEPS, Maker, Skip, Statement, Tensor, Wrong, begin
from tests.properties.programs_sizes import written

for part in ("arithmetic", "builtins", "layout", "host", "calls"):
    import_module(f"tests.properties.programs_{part}")

RESULT_KINDS = ("result", "missing return", "declared result", "parameter name", "parameter type")
KINDS = (*sorted(BREAKS), *RESULT_KINDS)


@dataclass(frozen=True)
class Program:
    """`given` are the parameters with their sizes as numbers; `ints` the int parameters."""

    number: int
    base: str
    prelude: tuple[Statement, ...]
    head: Statement
    body: tuple[Statement, ...]
    end: Statement
    given: tuple[Tensor, ...]
    ints: dict[str, int]
    results: tuple[Tensor, ...]

    @property
    def parts(self) -> tuple[Statement, ...]:
        return (*self.prelude, self.head, *self.body, self.end)

    @property
    def text(self) -> str:
        return self._text({})

    @property
    def python(self) -> str:
        before = [s.python for s in self.prelude if s.python]
        body = [_indented(s.python) for s in self.body]
        return "\n".join([*before, self.head.python, *body, _indented(self.end.python)]) + "\n"

    def _text(self, changed: dict[int, str]) -> str:
        texts = [changed.get(i, s.text) for i, s in enumerate(self.parts)]
        at = len(self.prelude)
        return "\n".join([*texts[:at], texts[at], *map(_indented, texts[at + 1 :]), "}"]) + "\n"

    def twin(self, random: Random, kind: str) -> tuple[str, int] | None:
        """The program with one mistake, and the line (from 0) that must be reported; None if no part has such a variant."""
        found = [(i, wrong) for i, part in enumerate(self.parts) for wrong in part.wrong if wrong.kind == kind]
        if not found:
            return None
        index, wrong = random.choice(found)
        before = sum(part.text.count("\n") + 1 for part in self.parts[:index])
        return self._text({index: wrong.text}), before + wrong.line


def program(random: Random, number: int = 0, kind: str | None = None, length: int = 0) -> Program:
    maker = begin(random, number)
    wanted = length or random.choice((2, 3, 4, 4, 5, 5, 6, 7, 9))
    at = random.randrange(wanted) if kind in BREAKS else -1
    tries = 0
    while len(maker.statements) < wanted and tries < 200:
        tries += 1
        steps = BREAKS[kind] if kind and len(maker.statements) == at else STEPS
        try:
            random.choice(steps)(maker)
        except (Skip, StopIteration):
            continue
    return _finished(maker)


def _finished(m: Maker) -> Program:
    given = tuple(t for t in m.tensors if t.given)
    ints = {"H": m.sizes["H"].value} if "H" in m.sizes else {}
    made = [t for t in m.tensors if not t.given] or list(given)
    result = made[-1]
    others = [t for t in made if t is not result]
    results = (result, m.random.choice(others)) if others and m.chance(0.2) else (result,)
    types = [m.type_of(t) for t in results]
    declared = types[0] if len(results) == 1 else f"({', '.join(types)})"
    names = [t.name for t in results]
    value = names[0] if len(results) == 1 else f"({', '.join(names)})"
    head = _head(m, given, ints, declared)
    end = Statement(f"return {value}", f"return {value}", _wrong_ends(m, result, value, len(results) == 1))
    return Program(m.number, m.base, tuple(m.prelude), head, tuple(m.statements), end, given, ints, results)


def _head(m: Maker, given: tuple[Tensor, ...], ints: dict[str, int], declared: str) -> Statement:
    parameters = [f"{t.name}: {m.type_of(t)}" for t in given] + [f"{name}: int" for name in ints]
    generic, where = "<T: float>" if m.base == "T" else "", f" where {', '.join(m.facts)}" if m.facts else ""

    def text(parameters: list[str], declared: str) -> str:
        return f"fn made{m.number}{generic}({', '.join(parameters)}) -> {declared}{where} {{"

    sizes = [f"{name} = {size.value}" for name, size in m.sizes.items() if name not in ints]
    python = f"def made{m.number}({', '.join([*(t.name for t in given), *ints])}):\n" + _indented("; ".join(sizes))
    wrong = [
        Wrong("parameter name", text([*parameters, parameters[0]], declared)),
        Wrong(
            "parameter type",
            text([*parameters, m.choose(("extra: floaty[2]", "extra: Tensors", "extra: fn(float99) -> int", "extra: f32x[2]"))], declared),
        ),
    ]
    last = len(m.statements) + 1 + sum(s.text.count("\n") for s in m.statements)
    for bad in ("string", "[int]", f"{m.base}{written((*m.tensors[0].shape, *m.tensors[-1].shape, *m.tensors[0].shape))}"):
        wrong.append(Wrong("declared result", text(parameters, bad), last))
    return Statement(text(parameters, declared), python, tuple(wrong))


def _wrong_ends(m: Maker, result: Tensor, value: str, single: bool) -> tuple[Wrong, ...]:
    wrong = [Wrong("missing return", f"let last = {value}", 1), Wrong("result", 'return "text"')]
    wrong += [Wrong("result", f"return {result.name}.unsqueeze(0)"), Wrong("result", f"return ({value}, {value}, {value})")]
    others = [t for t in m.tensors if t.dtype == result.dtype and t.rank == result.rank and t.shape != result.shape]
    others = [t for t in others if all(s.is_plain for s in (*t.shape, *result.shape))]
    if single and others:
        wrong += [Wrong("result", f"return {m.choose(others).name}")] * 3
    return tuple(wrong)


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))
