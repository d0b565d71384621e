"""Brings `where` clauses into solved form.

Equations become rewrites (name -> size) that are always fully applied to each other, so one substitution normalises. That
H divides D becomes `D := H * q` with a new name q, written `[D / H]`, that stands for `D / H`. An equation that cannot be
solved for a name rewrites its leading product. The rest is kept: sums that are not negative, sums that are not zero,
divisors, finite sets.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from tensorlogic.types.dims import ONE, ZERO, Atom, Dim, DimTooLarge, Monomial, cancel, content, divide, rebuild, single, without
from tensorlogic.types.goals import Divides, Goal, Member, Rel, goal_dims
from tensorlogic.types.isolate import alone, grown, inside, is_unknown, mentions, solvable
from tensorlogic.types.linear import INFINITY, Bound, Inequality, Interval, atom_interval, interval, least, tightened, without_floor
from tensorlogic.types.polynomial import lone_atom, shared_factors

__all__ = ["Solved", "Spans", "is_unknown", "lowered"]

Spans = tuple[Any, ...]
MAX_STEPS = 2000  # simplifications of one set of facts; beyond, further consequences are not drawn


def lowered(dim: Dim) -> Dim:
    """`p % q` written as `p - q * floor_div(p, q)`, so that both meet in one form."""
    return dim.rebuilt(lambda atom: "%" in atom, lambda atom: single((atom,)), _without_mod) if "%" in dim.key else dim


def _without_mod(kind: str, args: tuple[Dim, ...]) -> Dim:
    return args[0] - args[1] * args[0].floor_div(args[1]) if kind == "mod" else rebuild(kind, args)


@dataclass(slots=True)
class Solved:
    """Facts in solved form. Filled by `add`, then only read."""

    stated: dict[str, int] = field(default_factory=dict)
    lows: dict[str, Bound] = field(default_factory=dict)
    highs: dict[str, Bound] = field(default_factory=dict)
    rewrites: dict[str, Dim] = field(default_factory=dict)
    origins: dict[str, Spans] = field(default_factory=dict)
    products: dict[Monomial, tuple[Dim, Spans]] = field(default_factory=dict)
    nonnegative: list[Inequality] = field(default_factory=list)
    nonzero: list[Inequality] = field(default_factory=list)
    divisors: list[tuple[Dim, Dim, Spans]] = field(default_factory=list)
    members: list[tuple[Dim, frozenset[int], Spans]] = field(default_factory=list)
    quotients: dict[str, Dim] = field(default_factory=dict)
    contradiction: bool = False
    steps: int = MAX_STEPS
    cache: dict[Dim, Dim] = field(default_factory=dict)
    intervals: dict[Atom, Interval] = field(default_factory=dict)
    waiting: deque[tuple[Goal, Spans]] = field(default_factory=deque)

    def copy(self) -> "Solved":
        return Solved(
            dict(self.stated),
            dict(self.lows),
            dict(self.highs),
            dict(self.rewrites),
            dict(self.origins),
            dict(self.products),
            list(self.nonnegative),
            list(self.nonzero),
            list(self.divisors),
            list(self.members),
            dict(self.quotients),
            self.contradiction,
            self.steps,
        )

    # --- reading -------------------------------------------------------------------------------------------------

    def interval(self, key: str) -> Interval:
        low = self.lows.get(key)
        if low is None:
            low = self.stated.get(key, 0 if is_unknown(key) else 1)
        return low, self.highs.get(key, INFINITY)

    def norm(self, dim: Dim) -> Dim:
        """Rewritten by everything known, in the names of the solved form."""
        found = self.cache.get(dim)
        if found is None:
            found = self.cache[dim] = self._norm(dim)
        return found

    def _norm(self, dim: Dim) -> Dim:
        dim = lowered(dim).substitute(self.rewrites)
        for _ in range(20):
            smaller = self._with_products(dim)
            if smaller == dim:
                break
            dim = lowered(smaller).substitute(self.rewrites)
        return dim

    def _with_products(self, dim: Dim) -> Dim:
        """Leading products replaced, inside operations too."""
        if not self.products:
            return dim
        if any(atom.args for atom in dim.atoms()):
            dim = dim.rebuilt(lambda atom: bool(atom.args), lambda atom: single((atom,)), self._rebuilt_with_leads)
        return self._with_leads(dim)

    def _rebuilt_with_leads(self, kind: str, args: tuple[Dim, ...]) -> Dim:
        return rebuild(kind, map(self._with_leads, args))

    def _with_leads(self, dim: Dim) -> Dim:
        total = dim
        for mono, c in dim.terms:
            for lead, (value, _) in self.products.items():
                beside = without(mono, lead)
                if beside is not None:
                    total = total + single(beside, c) * value - single(mono, c)
                    break
        return total

    def back(self, dim: Dim) -> Dim:
        """In the names of the program again."""
        while not self.quotients.keys().isdisjoint(dim.symbols()):
            dim = dim.substitute(self.quotients)
        return dim

    def spans_of(self, dims: Iterable[Dim]) -> Spans:
        """Where the rewrites come from that apply to `dims`."""
        spans = [span for dim in dims for key in sorted(dim.symbols()) for span in self.origins.get(key, ())]
        spans += [span for dim in dims for lead, (_, why) in self.products.items() if self._uses(dim, lead) for span in why]
        return tuple(dict.fromkeys(spans))

    def _uses(self, dim: Dim, lead: Monomial) -> bool:
        return any(without(mono, lead) is not None for mono, _ in lowered(dim).substitute(self.rewrites).terms)

    # --- adding --------------------------------------------------------------------------------------------------

    def add(self, goal: Goal, spans: Spans) -> None:
        """One more fact. What is too large to reason about is left out, which only makes less provable."""
        self.cache = {}
        self.waiting.append((goal, spans))
        while self.waiting:
            goal, spans = self.waiting.popleft()
            try:
                self._add(goal, spans)
            except DimTooLarge:
                continue

    def _add(self, goal: Goal, spans: Spans) -> None:
        spans = tuple(dict.fromkeys((*spans, *self.spans_of(goal_dims(goal)))))
        match goal:
            case Divides(divisor, dividend):
                self._divides(divisor, dividend, spans)
            case Member(dim, values):
                self._member(dim, values, spans)
            case Rel("==", left, right):
                if not self._remainder(left - right, spans):
                    self._zero(left - right, spans)
            case Rel("!=", left, right):
                self._nonzero(left - right, spans)
            case Rel(op, left, right):
                bound = left - right if op in (">", ">=") else right - left
                self._nonneg(bound - (op in ("<", ">")), spans)

    def _spent(self) -> bool:
        self.steps -= 1
        return self.steps < 0

    def _remainder(self, dim: Dim, spans: Spans) -> bool:
        """`p % q == r` is `q | p - r` and `0 <= r < q`; whether `dim == 0` has this form."""
        found = [(mono[0], c) for mono, c in dim.terms if abs(c) == 1 and len(mono) == 1 and mono[0].kind == "mod"]
        if len(found) != 1:
            return False
        ((atom, c),) = found
        p, q = atom.args
        r = (single((atom,), c) - dim) * c
        if interval(q, self)[0] < 1:
            return False
        self._nonneg(r, spans)
        self._nonneg(q - 1 - r, spans)
        self._divides(q, p - r, spans)
        return True

    def _zero(self, dim: Dim, spans: Spans) -> None:
        dim = self._without_positive(self.norm(dim))
        if dim.value is not None or self._spent():
            self.contradiction |= bool(dim.value)
            return
        found = solvable(dim, 1)
        if found is not None:
            atom, c = found
            self._rewrite(atom, single((atom,)) - dim * c, spans)
        elif not self._solved_by_division(dim, spans):
            self._product_rule(dim, spans)

    def _without_positive(self, dim: Dim) -> Dim:
        """`dim == 0` divided by what is never zero: numbers and shared positive factors."""
        if not dim.terms:
            return dim
        shared = shared_factors((dim.terms,))
        keep = tuple(atom for atom in shared if atom_interval(atom, self)[0] < 1)
        positive = without(shared, keep) or ()
        number = content(dim)
        if len(dim.terms) == 1 and not keep:
            return Dim.const(dim.terms[0][1])
        return Dim(tuple((without(mono, positive) or (), c // number) for mono, c in dim.terms))

    def _solved_by_division(self, dim: Dim, spans: Spans) -> bool:
        """`3 * A == 2 * B`: 3 divides B, and with that the equation has a name of its own to solve for."""
        found = next(((mono[0], c) for mono, c in dim.terms if alone(dim, mono) and abs(c) > 1), None)
        if found is None:
            return False
        atom, c = found
        rest = dim - single((atom,), c)
        if rest.value is not None and rest.value % c:
            self.contradiction = True
            return True
        before = len(self.rewrites)
        self._divides(Dim.const(abs(c)), rest, spans)
        if len(self.rewrites) > before:
            self._zero(dim, spans)
            return True
        return False

    def _product_rule(self, dim: Dim, spans: Spans) -> None:
        """The leading product is rewritten by the lower terms; both directions of the equation stay as inequalities."""
        lead, c = next(((mono, c) for mono, c in dim.terms if abs(c) == 1 and len(mono) == 1 and mono[0].args), dim.terms[0])
        value = single(lead) - dim * c
        if len(lead) == 1 and lead[0].kind == "floor_div" and abs(c) == 1:
            p, q = lead[0].args
            if interval(q, self)[0] >= 1:
                self._nonneg(p - q * value, spans)
                self._nonneg(q * value + q - 1 - p, spans)
        if len(lead) > 1 and value.value is not None and value.value > 0 and abs(c) == 1:
            self._factors_of_number(lead, value.value, spans)
        if abs(c) == 1 and lead not in self.products and not inside(lead, value):
            self.products[lead] = (value, spans)
            self.cache = {}
        else:
            self.nonnegative += [(dim, spans), (-dim, spans)]

    def _factors_of_number(self, lead: Monomial, n: int, spans: Spans) -> None:
        """Factors that are 1 or more are at most their product."""
        if all(atom_interval(atom, self)[0] >= 1 for atom in lead):
            relation = "==" if n == 1 else "<="
            self.waiting.extend((Rel(relation, single((atom,)), Dim.const(n)), spans) for atom in dict.fromkeys(lead))

    def _rewrite(self, atom: Atom, value: Dim, spans: Spans) -> None:
        """From now on `atom` is `value`, in everything that is known."""
        key = atom.key
        if any(grown(old, key, value) for old in (value, *self.rewrites.values())):
            self.nonnegative += [(value - single((atom,)), spans), (single((atom,)) - value, spans)]
            return
        low, high = self.interval(key)
        table = {key: value}
        for name, old in self.rewrites.items():
            if key in old.symbols():
                self.rewrites[name] = old.substitute(table)
                self.origins[name] = tuple(dict.fromkeys((*self.origins.get(name, ()), *spans)))
        self.rewrites[key], self.origins[key] = value, spans
        self.cache, self.intervals = {}, {}
        self._take_back(key)
        if low > -INFINITY:
            self.waiting.append((Rel(">=", value, Dim.const(int(low))), spans))
        if high < INFINITY:
            self.waiting.append((Rel("<=", value, Dim.const(int(high))), spans))

    def _take_back(self, key: str) -> None:
        """Facts that mention a name which was just solved for wait to be added anew."""
        again: list[tuple[Goal, Spans]] = []
        rules = [(single(lead), value, spans) for lead, (value, spans) in self.products.items()]
        again += [(Rel("==", lead, value), spans) for lead, value, spans in rules if mentions(key, lead, value)]
        again += [(Rel(">=", dim, ZERO), spans) for dim, spans in self.nonnegative if mentions(key, dim)]
        again += [(Rel("!=", dim, ZERO), spans) for dim, spans in self.nonzero if mentions(key, dim)]
        again += [(Divides(divisor, dim), spans) for divisor, dim, spans in self.divisors if mentions(key, divisor, dim)]
        again += [(Member(dim, values), spans) for dim, values, spans in self.members if mentions(key, dim)]
        self.products = {lead: rule for lead, rule in self.products.items() if not mentions(key, single(lead), rule[0])}
        self.nonnegative = [fact for fact in self.nonnegative if not mentions(key, fact[0])]
        self.nonzero = [fact for fact in self.nonzero if not mentions(key, fact[0])]
        self.divisors = [fact for fact in self.divisors if not mentions(key, fact[0], fact[1])]
        self.members = [fact for fact in self.members if not mentions(key, fact[0])]
        self.waiting.extend(again)

    def _nonneg(self, dim: Dim, spans: Spans) -> None:
        dim = tightened(without_floor(self.norm(dim), self))
        if dim.value is not None or self._spent():
            self.contradiction |= (dim.value or 0) < 0
            return
        self._bound(dim)
        if interval(dim, self)[1] < 0:
            self.contradiction = True
        if (-dim) in (other for other, _ in self.nonnegative):
            self._zero(dim, spans)
        elif least(dim, self) < 0 or len(dim.terms) - bool(dim.constant) == 1:
            self.nonnegative.append((dim, spans))

    def _bound(self, dim: Dim) -> None:
        """Tighten the interval of a name if the inequality is about it alone."""
        name = dim - dim.constant
        if len(name.terms) != 1 or len(name.terms[0][0]) != 1 or name.terms[0][0][0].args:
            return
        atom, c = name.terms[0][0][0].key, name.terms[0][1]
        low, high = self.interval(atom)
        if c > 0:
            self.lows[atom] = max(low, -dim.constant)
        else:
            self.highs[atom] = min(high, dim.constant)
        self.intervals = {}
        self.contradiction |= max(low, self.lows.get(atom, low)) > min(high, self.highs.get(atom, high))

    def _nonzero(self, dim: Dim, spans: Spans) -> None:
        dim = self.norm(dim)
        if dim.value is not None or self._spent():
            self.contradiction |= dim.value == 0
            return
        low, high = interval(dim, self)
        if low == 0 or high == 0:
            self._nonneg(dim - 1 if low == 0 else -dim - 1, spans)
        else:
            self.nonzero.append((dim, spans))

    def _divides(self, divisor: Dim, dividend: Dim, spans: Spans) -> None:
        dividend, divisor, _ = cancel(self.norm(dividend), self.norm(divisor))
        self.contradiction |= not divisor.terms  # nothing is divided by zero
        dividend = divide(dividend, divisor)[1] if len(divisor.terms) == 1 else dividend
        dividend, divisor, _ = cancel(dividend, divisor)
        if not dividend.terms or not divisor.terms or divisor == ONE or self._spent():
            return
        if divisor.value is not None and dividend.value is not None:
            self.contradiction |= dividend.value % divisor.value != 0
            return
        found = solvable(dividend, divisor.value or 1)
        if found is None or found[0] in divisor.symbols():
            self.divisors.append((divisor, dividend, spans))
            self._exactly(divisor, dividend, spans)
            return
        self._introduce_quotient(divisor, dividend, *found, spans)

    def _exactly(self, divisor: Dim, dividend: Dim, spans: Spans) -> None:
        """The rounded quotient is the exact one."""
        atom = lone_atom(dividend.floor_div(divisor).terms)
        if atom is not None and atom.kind == "floor_div":
            self.products[(atom,)] = (dividend.exact_div(divisor), spans)
            self.cache = {}

    def _introduce_quotient(self, divisor: Dim, dividend: Dim, atom: Atom, c: int, spans: Spans) -> None:
        """`divisor | c * atom + r` gives `atom := divisor * q + s` with a new q."""
        rest = dividend - single((atom,), c)
        k = divisor.value
        inverse = c if k is None else pow(c, -1, abs(k))
        offset = -inverse * rest
        if k is not None:
            offset = Dim(tuple((mono, left) for mono, n in offset.terms if (left := n % abs(k))))
        exact = single((atom,)) - offset
        key = f"[{exact.key} / {divisor.key}]"
        self.quotients[key] = exact.exact_div(divisor)
        low, high = interval(self.quotients[key], self)
        self.lows[key], self.highs[key] = low, high
        self._rewrite(atom, divisor * Dim.sym(key) + offset, spans)

    def _member(self, dim: Dim, values: frozenset[int], spans: Spans) -> None:
        dim = self.norm(dim)
        low, high = interval(dim, self)
        values = frozenset(n for n in values if low <= n <= high)
        if not values or self._spent():
            self.contradiction |= not values
        elif dim.value is None:
            self.members.append((dim, values, spans))
            self._member_consequences(dim, values, spans)

    def _member_consequences(self, dim: Dim, values: frozenset[int], spans: Spans) -> None:
        self._nonneg(dim - min(values), spans)
        self._nonneg(max(values) - dim, spans)
        if len(values) == 1:
            self._zero(dim - min(values), spans)
        elif gcd(*values) > 1 and dim.name:
            self._divides(Dim.const(gcd(*values)), dim, spans)
