"""Names of the library that the language has and this version does not yet: a clear message instead of "unknown name"."""

LATER = frozenset(("generate",))
