"""A second Datalog, as plain as can be: sets of tuples, every rule over and over until nothing is new, stratum by stratum.

Rules are the program text's own pieces: `Rule(head, body)` with atoms `("p", (terms))`; a variable is a string that starts with a letter
from u to z, everything else is a constant. Written without looking at the engine, and sharing nothing with it.
"""

from dataclasses import dataclass
from itertools import product

Atom = tuple[str, tuple]
AGGREGATES = {"count": lambda values: len(values), "sum": sum, "min": min, "max": max}
COMPARE = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "=": lambda a, b: a == b,
}  # fmt: skip


@dataclass(frozen=True)
class Sum:
    """`left + right` or another sign"""

    sign: str
    left: object
    right: object


@dataclass(frozen=True)
class Rule:
    head: Atom
    body: tuple  # ("atom", name, terms) ("not", name, terms) ("cmp", op, a, b) ("agg", result, op, value, name, terms)


def is_variable(term: object) -> bool:
    return isinstance(term, str) and term[:1] in "uvwxyz" and term != "_"


def value(term: object, env: dict):
    if isinstance(term, Sum):
        a, b = value(term.left, env), value(term.right, env)
        return a + b if term.sign == "+" else a - b if term.sign == "-" else a * b
    return env[term] if is_variable(term) else term


def matches(terms: tuple, row: tuple, env: dict) -> dict | None:
    found = dict(env)
    for term, item in zip(terms, row, strict=True):
        if term == "_":
            continue
        if is_variable(term):
            if found.setdefault(term, item) != item:
                return None
        elif term != item:
            return None
    return found


def ready(part: tuple, env: dict) -> bool:
    def known(term: object) -> bool:
        if isinstance(term, Sum):
            return known(term.left) and known(term.right)
        return not is_variable(term) or term in env

    match part:
        case ("not", _, terms):
            return all(term == "_" or known(term) for term in terms)
        case ("cmp", "=", a, b):
            return known(a) or known(b)
        case ("cmp", _, a, b):
            return known(a) and known(b)
    return True


def rank(part: tuple, env: dict) -> int:
    """Filters as soon as they can be asked, then atoms, then aggregates, which need what is around them."""
    if part[0] in ("atom", "agg"):
        return 1 if part[0] == "atom" else 2
    return 0 if ready(part, env) else 3


def solve(body: tuple, env: dict, facts: dict[str, set]):
    """All environments that make a body true."""
    if not body:
        yield env
        return
    at = min(range(len(body)), key=lambda i: (rank(body[i], env), i))
    part, rest = body[at], body[:at] + body[at + 1 :]
    match part:
        case ("atom", name, terms):
            for row in facts[name]:
                found = matches(terms, row, env)
                if found is not None:
                    yield from solve(rest, found, facts)
        case ("not", name, terms):
            if not any(matches(terms, row, env) is not None for row in facts[name]):
                yield from solve(rest, env, facts)
        case ("cmp", "=", a, b) if is_variable(a) and a not in env:
            yield from solve(rest, env | {a: value(b, env)}, facts)
        case ("cmp", "=", a, b) if is_variable(b) and b not in env:
            yield from solve(rest, env | {b: value(a, env)}, facts)
        case ("cmp", op, a, b):
            if COMPARE[op](value(a, env), value(b, env)):
                yield from solve(rest, env, facts)
        case ("agg", result, op, wanted, name, terms):
            outer = {key: item for key, item in env.items() if key != wanted}
            found = [e for row in facts[name] if (e := matches(terms, row, outer)) is not None]
            inner = [t for t in terms if is_variable(t)]
            rows = {e[wanted] for e in found} if op == "count" else {tuple(e[t] for t in inner) for e in found}
            values = list(rows) if op == "count" else [row[inner.index(wanted)] for row in rows]
            if values or op in ("count", "sum"):
                yield from solve(rest, env | {result: AGGREGATES[op](values) if values else 0}, facts)


def least_model(facts: dict[str, set], rules: list[Rule], strata: list[list[str]]) -> dict[str, set]:
    """The facts and all that follows; `strata` are the derived relations in the order in which they must be complete."""
    model = {name: set(rows) for name, rows in facts.items()}
    for names in strata:
        for name in names:
            model.setdefault(name, set())
        grew = True
        while grew:
            grew = False
            for rule in rules:
                if rule.head[0] in names:
                    new = {tuple(value(term, env) for term in rule.head[1]) for env in solve(rule.body, {}, model)}
                    grew |= not new <= model[rule.head[0]]
                    model[rule.head[0]] |= new
    return model


def text(term: object) -> str:
    if isinstance(term, Sum):
        return f"{text(term.left)} {term.sign} {text(term.right)}"
    return f'"{term}"' if isinstance(term, str) and term != "_" and not is_variable(term) else str(term)


def rule_text(rule: Rule) -> str:
    """The rule as a program."""
    parts = []
    for part in rule.body:
        match part:
            case ("atom", name, terms):
                parts.append(f"{name}({', '.join(map(text, terms))})")
            case ("not", name, terms):
                parts.append(f"not {name}({', '.join(map(text, terms))})")
            case ("cmp", op, a, b):
                parts.append(f"{text(a)} {op} {text(b)}")
            case ("agg", result, op, wanted, name, terms):
                parts.append(f"{result} = {op}({wanted} : {name}({', '.join(map(text, terms))}))")
    return f"{rule.head[0]}({', '.join(map(text, rule.head[1]))}) <- {', '.join(parts)}"


def all_rows(values: list, arity: int) -> list[tuple]:
    return list(product(values, repeat=arity))
