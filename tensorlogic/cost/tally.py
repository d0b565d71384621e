"""What adds up while a function is followed: operations, bytes, what the gradient keeps, and what each submodel has of it."""

from dataclasses import dataclass, field

from tensorlogic.cost.formula import larger
from tensorlogic.cost.values import Instance, Storage, Thing
from tensorlogic.record import record
from tensorlogic.types.dims import ONE, ZERO, Dim


@record
class Totals:
    """`products` are the operations of contractions and convolutions, `others` all others; `moved` bytes read and written."""

    products: Dim = ZERO
    others: Dim = ZERO
    moved: Dim = ZERO

    def plus(self, other: "Totals", times: Dim = ONE) -> "Totals":
        return Totals(self.products + other.products * times, self.others + other.others * times, self.moved + other.moved * times)

    def most(self, other: "Totals") -> "Totals":
        return Totals(larger(self.products, other.products), larger(self.others, other.others), larger(self.moved, other.moved))

    @property
    def operations(self) -> Dim:
        return self.products + self.others


@dataclass(slots=True)
class Tally:
    """`kept` are the bytes of the intermediates that the gradient needs; `inside` is what each submodel has of the totals."""

    totals: Totals = Totals()
    kept: Dim = ZERO
    inside: dict[Instance, Totals] = field(default_factory=dict)

    def add(self, other: "Tally", times: Dim = ONE) -> None:
        self.totals = self.totals.plus(other.totals, times)
        self.kept = self.kept + other.kept * times
        for instance, totals in other.inside.items():
            self.inside[instance] = self.inside.get(instance, Totals()).plus(totals, times)

    def most(self, other: "Tally") -> "Tally":
        """At least what either is: one of two ways is taken."""
        both = {**self.inside, **other.inside}
        inside = {i: self.inside.get(i, Totals()).most(other.inside.get(i, Totals())) for i in both}
        return Tally(self.totals.most(other.totals), larger(self.kept, other.kept), inside)


@record
class Summary:
    """What a call costs. `peaks` are the bytes of its own intermediates at their most, `largest` the largest of them; `storages` is the
    memory of its arguments in order, `saved` that of arguments and results that the gradient needs."""

    tally: Tally
    peaks: tuple[Dim, ...]
    largest: tuple[Storage, ...]
    storages: tuple[Storage, ...]
    saved: frozenset[Storage]
    result: Thing
