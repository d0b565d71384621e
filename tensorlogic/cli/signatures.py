"""`tlc check --show-signatures`: what every function takes, gives, and requires of its sizes, and where that is written."""

import json
from collections.abc import Iterable, Iterator

from tensorlogic.driver import Analysis, requirements
from tensorlogic.source import Span
from tensorlogic.types.conditions import Condition, Described, multiple_of, simplified, subject, words
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Goal, Member, Rel, goal_symbols
from tensorlogic.types.signature import Parameter

ORIGINS = {"where": "where {}", "guard": "guard at {}", "bound": "{}"}


def print_signatures(analysis: Analysis) -> None:
    """Each function, method and model with its requirements, as text."""
    print("\n\n".join("\n".join(lines(item)) for item in requirements(analysis)))


def print_signatures_json(analysis: Analysis) -> None:
    """The same, one object per function and line."""
    for item in requirements(analysis):
        print(json.dumps(to_json(item)))


def lines(item: Described) -> Iterator[str]:
    yield f"{headline(item)}    {item.span.source.name}:{item.span.line}"
    for name in item.sizes:
        said = [(c, words(c.goal)) for c in item.conditions if subject(c.goal, item.sizes) == name]
        yield from (f"    {text:<24}{place(c, item)}" for c, text in said)
        if only := pinned(item, name):
            yield f"    {name} == {only:<{20 - len(name)}}(by all of these together)"
        elif not any(name in goal_symbols(c.goal) for c in item.conditions):
            yield f"    {name} any"
    yield from (f"    ...{name} any" for name in item.signature.segments)
    for condition in item.conditions:
        if subject(condition.goal, item.sizes) is None:
            yield f"    {words(condition.goal):<24}{place(condition, item)}"


def headline(item: Described) -> str:
    """`fn forward(x: float32[B, T]) -> float32[T]`"""
    kinds = "".join(f"{v.name}: {v.kind}, " for v in item.signature.dtype_vars).rstrip(", ")
    params = ", ".join(parameter(p) for p in item.signature.params)
    head = f"{'model' if item.kind == 'model' else 'fn'} {item.name}{f'<{kinds}>' if kinds else ''}({params})"
    return head if item.kind == "model" else f"{head} -> {item.signature.result}"


def parameter(item: Parameter) -> str:
    default = f" = {default_text(item)}" if item.has_default else ""
    return f"{item.name}: {item.type}{default}"


def default_text(item: Parameter) -> str:
    span = getattr(item.default, "span", None)
    return span.text if isinstance(span, Span) else "..."


def place(condition: Condition, item: Described) -> str:
    """`(line 12: where D % 64 == 0)`"""
    what = ORIGINS[condition.origin].format(condition.text)
    reach = "" if condition.always else ", where it is reached"
    if condition.span is None:
        return f"({what}{reach})"
    file = "" if condition.span.source is item.span.source else f"{condition.span.source.name}, "
    return f"({file}line {condition.span.line}{reach}: {what})"


def pinned(item: Described, name: str) -> int | None:
    """The only number that a size can be, where several conditions leave no other and none says so."""
    low, high = item.facts.bounds(Dim.sym(name))
    said = any(is_plain_equality(c.goal, name) for c in item.conditions)
    return low if low is not None and low == high and not said else None


def is_plain_equality(goal: Goal, name: str) -> bool:
    found = simplified(goal)
    return isinstance(found, Rel) and found.op == "==" and found.left.name == name and found.right.value is not None


def to_json(item: Described) -> dict:
    params = [
        {"name": p.name, "type": str(p.type)} | ({"default": default_text(p)} if p.has_default else {}) for p in item.signature.params
    ]
    return {
        "kind": item.kind,
        "name": item.name,
        "file": item.span.source.name,
        "line": item.span.line,
        "signature": headline(item),
        "params": params,
        "result": None if item.kind == "model" else str(item.signature.result),
        "sizes": {name: size_json(item, name) for name in item.sizes},
        "requirements": [condition_json(item, c) for c in item.conditions],
    }


def size_json(item: Described, name: str) -> dict:
    """What is known of the numbers a size may be. `min` of a size of a tensor is 1 where nothing else is said."""
    low, high = item.facts.bounds(Dim.sym(name))
    sets: Iterable[frozenset[int]] = (c.goal.values for c in item.conditions if isinstance(c.goal, Member) and c.goal.dim.name == name)
    values = next((sorted(s) for s in sets), None)
    return {"min": low, "max": high, "multiple_of": multiple_of(item.facts, name)} | ({"values": values} if values else {})


def condition_json(item: Described, condition: Condition) -> dict:
    return {
        "text": words(condition.goal),
        "goal": str(condition.goal),
        "sizes": [name for name in item.sizes if name in goal_symbols(condition.goal)],
        "origin": condition.origin,
        "file": condition.span.source.name if condition.span else None,
        "line": condition.span.line if condition.span else None,
        "code": condition.text,
        "always": condition.always,
    }
