"""Random programs of relations that are safe and stratified: facts over small numbers, rules that read lower strata or their own."""

from dataclasses import dataclass
from random import Random

from oracle import Rule, Sum, all_rows, rule_text

VARIABLES = ("u", "v", "w", "x", "y", "z")


@dataclass
class Made:
    """A program: `arities` of all relations, `strata` of the derived ones."""

    facts: dict[str, set]
    rules: list[Rule]
    strata: list[list[str]]
    arities: dict[str, int]

    def text(self) -> str:
        lines = [f"relation {name}({', '.join(['int'] * self.arities[name])})" for name in self.facts]
        lines += [f"{name}({', '.join(map(str, row))})" for name, rows in self.facts.items() for row in sorted(rows)]
        return "\n".join([*lines, *map(rule_text, self.rules)]) + "\n"


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.size = self.random.randint(2, 6)
        self.arities: dict[str, int] = {}

    def program(self) -> Made:
        facts: dict[str, set] = {}
        for name in ("a", "b", "c")[: self.random.randint(1, 3)]:
            self.arities[name] = self.random.choice((1, 2, 2, 2, 3))
            rows = all_rows(self.size, self.arities[name])
            facts[name] = set(self.random.sample(rows, min(len(rows), self.random.randint(0, 12))))
        lower, rules, strata = list(facts), [], []
        for level in range(self.random.randint(1, 3)):
            names = [f"p{level}", f"q{level}"][: self.random.randint(1, 2)]
            for name in names:
                self.arities[name] = self.random.choice((1, 2, 2, 3))
            found = [self.rule(name, lower, names if at else []) for name in names for at in range(self.random.randint(1, 3))]
            strata.append(list(names))
            rules += found
            lower += names
        return Made(facts, rules, strata, self.arities)

    def term(self, bound: list[str]) -> object:
        roll = self.random.random()
        if roll < 0.08:
            return self.random.randrange(self.size)
        if roll < 0.16:
            return "_"
        return self.random.choice(bound) if bound and roll < 0.6 else self.random.choice(VARIABLES)

    def terms(self, name: str, bound: list[str], free: bool = True) -> tuple:
        if free:
            return tuple(self.term(bound) for _ in range(self.arities[name]))
        choices = [*bound, "_", self.random.randrange(self.size)]
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
            bound.append(body[-1][1])
        if bound and self.random.random() < 0.3:
            body.append(("not", name := self.random.choice(lower), self.terms(name, bound, free=False)))
        if bound and self.random.random() < 0.3:
            other = self.random.choice([*bound, self.random.randrange(self.size)])
            body.append(("cmp", self.random.choice(("<", "<=", "!=", "==", ">")), self.random.choice(bound), other))
        if bound and not own and self.random.random() < 0.2:
            free = next((v for v in VARIABLES if v not in bound), None)
            if free is not None:
                body.append(("cmp", "=", free, Sum(self.random.choice("+-*"), self.random.choice(bound), self.random.randrange(4))))
                bound.append(free)
        self.random.shuffle(body)
        choices = bound or [self.random.randrange(self.size)]
        return Rule((head, tuple(self.random.choice(choices) for _ in range(self.arities[head]))), tuple(body))

    def aggregate(self, lower: list[str], bound: list[str]) -> tuple:
        name = self.random.choice(lower)
        free = [v for v in VARIABLES if v not in bound]
        value, result = (free + ["v9"])[0], "v8"
        terms = list(self.terms(name, bound, free=False))
        terms[self.random.randrange(len(terms))] = value
        return ("agg", result, self.random.choice(("count", "sum", "min", "max")), value, name, tuple(terms))
