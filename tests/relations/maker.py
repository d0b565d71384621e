"""Random programs of relations that are safe and stratified: facts over numbers or strings, rules that read lower strata or their own."""

from dataclasses import dataclass
from random import Random

from oracle import Rule, Sum, all_rows, rule_text, text

VARIABLES = ("u", "v", "w", "x", "y", "z")


@dataclass
class Made:
    """A program: `arities` of all relations, `strata` of the derived ones."""

    facts: dict[str, set]
    rules: list[Rule]
    strata: list[list[str]]
    arities: dict[str, int]
    values: list

    @property
    def derived(self) -> list[str]:
        return [name for level in self.strata for name in level]

    def text(self) -> str:
        kind = "int" if isinstance(self.values[0], int) else "string"
        lines = [f"relation {name}({', '.join([kind] * self.arities[name])})" for name in self.facts]
        lines += [f"{name}({', '.join(map(text, row))})" for name, rows in self.facts.items() for row in sorted(rows)]
        return "\n".join([*lines, *map(rule_text, self.rules)]) + "\n"


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        size = self.random.randint(2, 6)
        self.strings = self.random.random() < 0.25
        self.values: list = [f"s{at}" for at in range(size)] if self.strings else list(range(size))
        self.arities: dict[str, int] = {}

    def program(self) -> Made:
        facts: dict[str, set] = {}
        for name in ("a", "b", "c")[: self.random.randint(1, 3)]:
            self.arities[name] = self.random.choice((1, 2, 2, 2, 3, 4))
            rows = all_rows(self.values, self.arities[name])
            facts[name] = set(self.random.sample(rows, min(len(rows), self.random.randint(0, 12))))
        lower, rules, strata = list(facts), [], []
        for level in range(self.random.randint(1, 3)):
            names = [f"p{level}", f"q{level}"][: self.random.randint(1, 2)]
            for name in names:
                self.arities[name] = self.random.choice((1, 2, 2, 3, 4))
            found = [self.rule(name, lower, names if at else []) for name in names for at in range(self.random.randint(1, 3))]
            strata.append(list(names))
            rules += found
            lower += names
        return Made(facts, rules, strata, self.arities, self.values)

    def term(self, bound: list[str]) -> object:
        roll = self.random.random()
        if roll < 0.08:
            return self.random.choice(self.values)
        if roll < 0.16:
            return "_"
        return self.random.choice(bound) if bound and roll < 0.6 else self.random.choice(VARIABLES)

    def terms(self, name: str, bound: list[str], free: bool = True) -> tuple:
        if free:
            return tuple(self.term(bound) for _ in range(self.arities[name]))
        choices = [*bound, "_", self.random.choice(self.values)]
        return tuple(self.random.choice(choices) for _ in range(self.arities[name]))

    def rule(self, head: str, lower: list[str], own: list[str]) -> Rule:
        body: list[tuple] = []
        bound: list[str] = []
        for at in range(self.random.randint(1, 3)):
            name = self.random.choice(own) if own and (at == 0 or self.random.random() < 0.3) else self.random.choice(lower)
            terms = self.terms(name, bound)
            body.append(("atom", name, terms))
            bound += [t for t in terms if t in VARIABLES and t not in bound]
        if bound and not own and self.random.random() < 0.25:
            body.append(self.aggregate(lower, bound))
            bound += [] if self.strings else [body[-1][1]]  # a count is no string
        if bound and self.random.random() < 0.3:
            body.append(("not", name := self.random.choice(lower), self.terms(name, bound, free=False)))
        if bound and self.random.random() < 0.3:
            other = self.random.choice([*bound, self.random.choice(self.values)])
            body.append(("cmp", self.random.choice(("<", "<=", "!=", "==", ">")), self.random.choice(bound), other))
        if bound and not own and not self.strings and self.random.random() < 0.2:
            free = next((v for v in VARIABLES if v not in bound), None)
            if free is not None:
                body.append(("cmp", "=", free, Sum(self.random.choice("+-*"), self.random.choice(bound), self.random.randrange(4))))
                bound.append(free)
        self.random.shuffle(body)
        choices = bound or [self.random.choice(self.values)]
        return Rule((head, tuple(self.random.choice(choices) for _ in range(self.arities[head]))), tuple(body))

    def aggregate(self, lower: list[str], bound: list[str]) -> tuple:
        name = self.random.choice(lower)
        value, result = "v9", "v8"  # the value is the aggregate's own
        terms = list(self.terms(name, bound, free=False))
        terms[self.random.randrange(len(terms))] = value
        return ("agg", result, "count" if self.strings else self.random.choice(("count", "sum", "min", "max")), value, name, tuple(terms))
