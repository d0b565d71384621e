"""Where the checker and PyTorch differ on purpose, each with its reason."""

# Codes that refuse what PyTorch takes: for every builtin ("*"), or for one.
STRICTER = {"*": {"TL0302": "dtypes do not mix", "TL0303": "accidental broadcast"}}
# What PyTorch says when it refuses what the checker takes.
LAXER = {"*": {}}
# Builtins whose result depends on values, so that its type says less than PyTorch gives.
LOOSE = {}
