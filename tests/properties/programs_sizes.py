"""Sizes of random programs: whole-number polynomials of names, which know their number for the sizes that the program is run with."""

from collections import Counter
from dataclasses import dataclass, field

Monomial = tuple[str, ...]
# The exact quotients that were made: the name that stands for one -> (dividend, divisor).
QUOTIENTS: dict[str, tuple[str, str]] = {}


@dataclass(frozen=True)
class Size:
    """A sum of products; two are equal where their terms are. An atom is a name, or the text of a quotient, a minimum, a rounded half."""

    terms: tuple[tuple[Monomial, int], ...]
    value: int = field(compare=False)

    def __add__(self, other: "Size | int") -> "Size":
        other = as_size(other)
        return _sum([*self.terms, *other.terms], self.value + other.value)

    def __mul__(self, other: "Size | int") -> "Size":
        other = as_size(other)
        products = [(_product(a + b), n * m) for a, n in self.terms for b, m in other.terms]
        return _sum(products, self.value * other.value)

    def __sub__(self, other: "Size | int") -> "Size":
        return self + as_size(other) * -1

    def __str__(self) -> str:
        """As it is written in a program."""
        text = " + ".join(_term(*term) for term in self.terms) or "0"
        return text.replace("+ -1 * ", "- ").replace("+ -", "- ")

    @property
    def python(self) -> str:
        return str(self).replace(" / ", " // ")

    @property
    def is_one(self) -> bool:
        return self.terms == (((), 1),)

    @property
    def is_name(self) -> bool:
        return len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1 and self.is_plain

    @property
    def is_plain(self) -> bool:
        """Whether it is made of names and numbers only."""
        return all(atom.isidentifier() for monomial, _ in self.terms for atom in monomial)


Shape = tuple[Size, ...]


def number(value: int) -> Size:
    return Size((((), value),) if value else (), value)


def named(name: str, value: int) -> Size:
    return Size((((name,), 1),), value)


def atom(text: str, value: int) -> Size:
    """A size that is no polynomial, by its text in the language, which is also its text in Python."""
    return Size((((text,), 1),), value)


def quotient(a: Size, b: Size) -> Size:
    """`a / b` of a name and a name or number, known to be exact; times its divisor it is `a` again."""
    text = f"({a} / {b})"
    QUOTIENTS[text] = (str(a), str(b))
    return atom(text, a.value // b.value)


def as_size(value: "Size | int") -> Size:
    return value if isinstance(value, Size) else number(value)


def product(sizes: Shape) -> Size:
    result = number(1)
    for size in sizes:
        result = result * size
    return result


def differ(a: Size, b: Size) -> bool:
    """Whether two sizes are certainly not the same for some numbers, and neither is a 1 that would broadcast."""
    return a.is_plain and b.is_plain and a != b and not a.is_one and not b.is_one


def written(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"


def as_python(shape: Shape) -> str:
    return f"({', '.join(size.python for size in shape)}{',' if len(shape) == 1 else ''})"


def _sum(terms: list[tuple[Monomial, int]], value: int) -> Size:
    counts: Counter[Monomial] = Counter()
    for monomial, count in terms:
        counts[monomial] += count
    # The number comes last, as one writes it.
    return Size(tuple(sorted(((m, n) for m, n in counts.items() if n), key=lambda term: (not term[0], term))), value)


def _product(atoms: Monomial) -> Monomial:
    """Sorted, with each quotient beside its divisor made whole."""
    left = list(atoms)
    for found in atoms:
        dividend, divisor = QUOTIENTS.get(found, (None, None))
        if found in left and divisor in left and dividend is not None:
            left.remove(found)
            left.remove(divisor)
            left.append(dividend)
    return tuple(sorted(left))


def _term(monomial: Monomial, count: int) -> str:
    if not monomial:
        return str(count)
    return " * ".join(monomial) if count == 1 else " * ".join((str(count), *monomial))
