"""A query with constants asks only for what it needs: rules are rewritten so that its constants travel into their bodies (magic sets)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tensorlogic.runtime.relations.terms import (
    Aggregate,
    Atom,
    Compare,
    Known,
    Literal,
    Not,
    Relation,
    Rule,
    Term,
    names_in,
    relations_of,
    variables_of,
)  # fmt: skip

Rules = Mapping[str, Sequence[Rule]]


@dataclass(slots=True)
class Rewriting:
    """The rules for one query. `goal` is the relation that answers it; `seed` the one that holds its constants."""

    rules: list[Rule] = field(default_factory=list)
    relations: dict[str, Relation] = field(default_factory=dict)
    goal: str = ""
    seed: str = ""


def rewritten(atom: Atom, rules: Rules, relations: Mapping[str, Relation]) -> Rewriting | None:
    """The rules that answer a query about a relation that rules define; None where nothing of it is fixed or the rules cannot be
    restricted: sums of proofs and what stands under `not` or in an aggregate are always complete."""
    pattern = "".join("b" if isinstance(term, Known) else "f" for term in atom.terms)
    if "b" not in pattern or not _can_be(atom.relation, rules, relations):
        return None
    found = Rewriting()
    found.goal, found.seed = _asked(found, atom.relation, pattern, relations)
    pending, done = [(atom.relation, pattern)], {(atom.relation, pattern)}
    while pending:
        name, kind = pending.pop()
        for rule in rules[name]:
            for wanted in _rewrite(found, rule, kind, rules, relations):
                if wanted not in done:
                    done.add(wanted)
                    pending.append(wanted)
        _keep_facts(found, name, kind, relations)
    return found


def meant(name: str) -> str:
    """The relation of the program that a relation of a rewriting is about."""
    return name.removeprefix("? ").partition(" ")[0]


def _can_be(name: str, rules: Rules, relations: Mapping[str, Relation]) -> bool:
    """Whether the relation is recursive, through rules that take the best proof or have no weights; else filters take care."""
    pending, seen = [name], set()
    recursive = False
    while pending:
        at = pending.pop()
        if at in seen:
            continue
        seen.add(at)
        if at in rules and (_sums(relations[at]) or any(rule.steps is not None or rule.tol is not None for rule in rules[at])):
            return False
        for rule in rules.get(at, ()):
            below = [other for other, _ in relations_of(rule.body)]
            recursive = recursive or name in below
            pending += [other for other in below if other in rules]
    return recursive or len(seen) > 1


def _sums(relation: Relation) -> bool:
    return relation.weighted and relation.semiring == "sum"


def _asked(found: Rewriting, name: str, kind: str, relations: Mapping[str, Relation]) -> tuple[str, str]:
    """The names of the restricted relation and of the one that says what is asked of it."""
    answer, question = f"{name} {kind}", f"? {name} {kind}"
    columns = relations[name].columns
    found.relations.setdefault(answer, replace(relations[name], name=answer))
    asked = tuple(column for column, letter in zip(columns, kind, strict=True) if letter == "b")
    found.relations.setdefault(question, Relation(question, asked))
    return answer, question


def _keep_facts(found: Rewriting, name: str, kind: str, relations: Mapping[str, Relation]) -> None:
    """A relation with rules may have facts too: they answer what is asked."""
    terms = tuple(f"v{at}" for at in range(len(kind)))
    bound = tuple(term for term, letter in zip(terms, kind, strict=True) if letter == "b")
    found.rules.append(Rule(Atom(f"{name} {kind}", terms), (Atom(f"? {name} {kind}", bound), Atom(f"{name} facts", terms))))
    found.relations.setdefault(f"{name} facts", replace(relations[name], name=f"{name} facts"))


def _rewrite(found: Rewriting, rule: Rule, kind: str, rules: Rules, relations: Mapping[str, Relation]) -> list[tuple[str, str]]:
    """One rule, restricted; which relations it asks for, and how."""
    name = rule.head.relation
    bound_terms = tuple(term for term, letter in zip(rule.head.terms, kind, strict=True) if letter == "b")
    known = {term for term in bound_terms if isinstance(term, str)}
    body: list[Literal] = [Atom(f"? {name} {kind}", bound_terms)]
    asked: list[tuple[str, str]] = []
    for literal in _ordered(rule.body, known):
        if isinstance(literal, Atom) and literal.relation in rules:
            pattern = "".join("b" if _is_known(term, known) else "f" for term in literal.terms)
            answer, question = _asked(found, literal.relation, pattern, relations)
            fixed = tuple(term for term, letter in zip(literal.terms, pattern, strict=True) if letter == "b")
            wanted = Atom(question, fixed)
            if wanted != body[0]:
                found.rules.append(Rule(wanted, tuple(body)))
            asked.append((literal.relation, pattern))
            literal = Atom(answer, literal.terms)
        body.append(literal)
        if not isinstance(literal, Not):
            known.update(variables_of(literal))
    found.rules.append(Rule(Atom(f"{name} {kind}", rule.head.terms), tuple(body), line=rule.line))
    return asked


def _is_known(term: Term, known: set[str]) -> bool:
    return isinstance(term, Known) or (term is not None and term in known)


def _ordered(body: tuple[Literal, ...], known: set[str]) -> list[Literal]:
    """The body so that each part is bound by those before as far as it can be."""
    left, found, bound = list(body), [], set(known)
    while left:
        place = max(range(len(left)), key=lambda at: (_rank(left[at], bound), -at))
        literal = left.pop(place)
        found.append(literal)
        if not isinstance(literal, Not):
            bound.update(variables_of(literal))
    return found


def _rank(literal: Literal, bound: set[str]) -> int:
    match literal:
        case Compare(op, left, right):
            free = [side for side in (left, right) if set(names_in(side)) - bound]
            ready = not free or (op == "=" and len(free) == 1 and isinstance(free[0], str))
            return 9 if ready else -9
        case Not(atom):
            return 8 if set(atom.variables()) <= bound else -8
        case Atom(_, terms):
            return 1 if any(_is_known(term, bound) for term in terms) else 0
        case Aggregate():
            return -1
