"""The same programs in SQL, evaluated by sqlite: a recursive common table expression where a relation is recursive by itself and linearly,
rounds of inserts where it is not; strata one after the other."""

import sqlite3

from maker import Made
from oracle import Rule, Sum, is_variable

Names = dict[str, str]


def least_model(made: Made) -> dict[str, set]:
    database = sqlite3.connect(":memory:")
    for name, arity in made.arities.items():
        database.execute(f"create table {name} ({columns(arity)}, unique ({columns(arity)}))")
        marks = ", ".join("?" * arity)
        database.executemany(f"insert into {name} values ({marks})", made.facts.get(name, ()))
    for level in made.strata:
        rules = [rule for rule in made.rules if rule.head[0] in level]
        (_by_expression if len(level) == 1 and all(uses(rule, level) <= 1 for rule in rules) else _by_rounds)(database, made, rules)
    return {name: set(database.execute(f"select * from {name}")) for name in made.arities}


def columns(arity: int) -> str:
    return ", ".join(f"c{at}" for at in range(arity))


def uses(rule: Rule, level: list[str]) -> int:
    return sum(part[0] == "atom" and part[1] in level for part in rule.body)


def _by_expression(database: sqlite3.Connection, made: Made, rules: list[Rule]) -> None:
    name = rules[0].head[0]
    ordered = sorted(rules, key=lambda rule: uses(rule, [name]))
    first = [] if not uses(ordered[0], [name]) else [f"select {columns(made.arities[name])} from {name}"]  # a relation needs a beginning
    parts = " union ".join([*first, *(select(rule, {name: "r"}) for rule in ordered)])
    database.execute(f"insert into {name} with recursive r({columns(made.arities[name])}) as ({parts}) select * from r")


def _by_rounds(database: sqlite3.Connection, made: Made, rules: list[Rule]) -> None:
    before = -1
    while database.total_changes != before:
        before = database.total_changes
        for rule in rules:
            database.execute(f"insert or ignore into {rule.head[0]} {select(rule)}")


def select(rule: Rule, instead: Names | None = None) -> str:
    """One rule. `instead` says which table an atom reads that is not called like its relation."""
    atoms = [part for part in rule.body if part[0] == "atom"]
    named: dict[str, str] = {}
    conditions: list[str] = []
    for at, (_, _, terms) in enumerate(atoms):
        conditions += matched(f"a{at}", terms, named, True)
    rest = [part for part in rule.body if part[0] != "atom"]
    while rest:
        part = next(part for part in rest if _ready(part, named))
        rest.remove(part)
        conditions += _condition(part, named)
    tables = ", ".join(f"{(instead or {}).get(name, name)} a{at}" for at, (_, name, _) in enumerate(atoms))
    shown = ", ".join(value(term, named) for term in rule.head[1])
    return f"select distinct {shown} from {tables}" + (f" where {' and '.join(conditions)}" if conditions else "")


def value(term: object, named: Names) -> str:
    if isinstance(term, Sum):
        return f"({value(term.left, named)} {term.sign} {value(term.right, named)})"
    if is_variable(term):
        return named[str(term)]
    return f"'{term}'" if isinstance(term, str) else str(term)


def matched(table: str, terms: tuple, named: Names, binds: bool) -> list[str]:
    """What a row of a table must be; variables that have no value yet get one where the row `binds` them."""
    found = []
    for at, term in enumerate(terms):
        if binds and is_variable(term) and term not in named:
            named[str(term)] = f"{table}.c{at}"
        elif term != "_":
            found.append(f"{table}.c{at} = {value(term, named)}")
    return found


def _ready(part: tuple, named: Names) -> bool:
    def known(term: object) -> bool:
        return (known(term.left) and known(term.right)) if isinstance(term, Sum) else not is_variable(term) or term in named

    match part:
        case ("cmp", "=", left, right):
            return known(right) or known(left)
        case ("cmp", _, left, right):
            return known(left) and known(right)
        case ("not", _, terms):
            return all(map(known, terms))
        case ("agg", _, _, wanted, _, terms):
            return all(known(term) for term in terms if term != wanted)
    return False


def _condition(part: tuple, named: Names) -> list[str]:
    match part:
        case ("cmp", "=", left, right) if is_variable(left) and left not in named:
            named[left] = value(right, named)
            return []
        case ("cmp", op, left, right):
            return [f"{value(left, named)} {'=' if op == '==' else op} {value(right, named)}"]
        case ("not", name, terms):
            return [f"not exists (select 1 from {name} n0{_where(matched('n0', terms, named, False))})"]
        case ("agg", result, op, wanted, name, terms):
            inner = {key: item for key, item in named.items() if key != wanted}
            conditions = matched("n0", terms, inner, True)
            of = "coalesce({}, 0)" if op == "sum" else "{}"
            found = f"(select {of.format(f'{op}(distinct {inner[wanted]})')} from {name} n0{_where(conditions)})"
            named[result] = found
            return [f"{found} is not null"] if op in ("min", "max") else []
    raise AssertionError(part)


def _where(conditions: list[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""
