"""Writes docs/builtins.md from the declarations in tensorlogic/stdlib; with --check, exits 1 where the page is not current.

python docs/make_builtins.py [--check]
"""

import sys
from itertools import groupby
from pathlib import Path

from tensorlogic.stdlib.library import layer_pages
from tensorlogic.stdlib.registry import Builtin, initializer_names, lookup, lookup_initializer, names

PAGE = Path(__file__).parent / "builtins.md"
HEAD = """# Builtins

Made from the declarations by `python docs/make_builtins.py`; `tlc builtins NAME` prints the same for one name.
What stands in a signature is explained in [signatures.md](signatures.md). A builtin that takes a tensor, list or string first is also
a method of it: `softmax(x, dim: -1)` is `x.softmax(dim: -1)`.
"""
INITIALIZERS = """## Initializers

These stand behind the `=` of a `param` or `tensor` and take shape and type from the declaration: `param w: float32[D] = normal(0.02)`.
"""
LAYERS = """## Layers

Models of the library: a call makes one, `forward` is what a call of the instance does. See [layers.md](layers.md).
"""


def page() -> str:
    found = sorted(filter(None, map(lookup, names())), key=lambda builtin: (builtin.module, builtin.name))
    sections = [section(module, list(group)) for module, group in groupby(found, key=lambda builtin: builtin.module)]
    return "\n".join([HEAD, *sections, initializers(), layers()])


def section(module: str, builtins: list[Builtin]) -> str:
    title = module.rpartition(".")[2].capitalize()
    return f"## {title}\n\n" + "\n".join(entry(b.name, b.signatures, b.doc) for b in builtins)


def initializers() -> str:
    found = filter(None, map(lookup_initializer, initializer_names()))
    return INITIALIZERS + "\n" + "\n".join(entry(i.name, (i.signature,), i.doc) for i in found)


def layers() -> str:
    return LAYERS + "\n" + "\n".join(entry(layer.name, layer.signatures, layer.doc) for layer in layer_pages())


def entry(name: str, signatures: tuple[str, ...], doc: str) -> str:
    text = " ".join(line.strip() for line in doc.splitlines())
    return f"### {name}\n\n{text}\n\n```text\n" + "\n".join(signatures) + "\n```\n"


if __name__ == "__main__":
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/builtins.md is not current: run `python docs/make_builtins.py`")
