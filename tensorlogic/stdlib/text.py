"""Builtins on strings. As methods they read `"a,b".split(",")`."""

from tensorlogic.stdlib.costs import FREE
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin("str(x: any) -> string", cost=FREE)
def str_(x):
    """A value as `print` writes it."""
    return runtime.printing.text(x)


@builtin("format(template: string, values: Many<any>) -> string", cost=FREE)
def format_(template, *values):
    """The template with each `{}` replaced by a value. Only `{}` is a hole; values that are left follow, separated by spaces."""
    return runtime.printing.filled(template, *values)


@builtin("upper(s: string) -> string")
def upper(s):
    """In capitals."""
    return s.upper()


@builtin("lower(s: string) -> string")
def lower(s):
    """In small letters."""
    return s.lower()


@builtin("strip(s: string) -> string")
def strip(s):
    """Without white space at both ends."""
    return s.strip()


@builtin("split(s: string) -> [string]", "split(s: string, separator: string) -> [string]")
def split(s, separator=None):
    """The parts between separators; between white space when none is given."""
    return s.split(separator)


@builtin("join(parts: [string], separator: string) -> string", "join(separator: string, parts: [string]) -> string")
def join(parts, separator):
    """The parts with the separator between them."""
    return separator.join(parts)


@builtin("replace(s: string, old: string, new: string) -> string")
def replace(s, old, new):
    """With each `old` replaced by `new`."""
    return s.replace(old, new)


@builtin("starts_with(s: string, prefix: string) -> bool")
def starts_with(s, prefix):
    """Whether it begins with the prefix."""
    return s.startswith(prefix)


@builtin("ends_with(s: string, suffix: string) -> bool")
def ends_with(s, suffix):
    """Whether it ends with the suffix."""
    return s.endswith(suffix)


@builtin("contains(s: string, part: string) -> bool")
def contains(s, part):
    """Whether the part occurs in it."""
    return part in s
