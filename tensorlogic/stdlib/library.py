"""The layers that a program can name: those that are PyTorch's modules, and those written in the language, in `tensorlogic/library`."""

import os
from collections.abc import Iterator
from functools import cache

from tensorlogic.record import record
from tensorlogic.source import Source
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse_whole

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "library")


@record
class LayerPage:
    """What documentation says of one layer: how it is made, and its methods."""

    name: str
    signatures: tuple[str, ...]
    doc: str


@cache
def library_names() -> tuple[str, ...]:
    """The layers that are written in the language: the file NAME.tl is the model NAME."""
    return tuple(sorted(file.removesuffix(".tl") for file in os.listdir(FOLDER) if file.endswith(".tl")))


@cache
def library_model(name: str, dtype: str = "float32") -> ast.ModelDecl:
    """The declaration of a layer that is written in the language, with floats of this dtype."""
    with open(os.path.join(FOLDER, f"{name}.tl"), encoding="utf-8") as file:
        source = Source(f"library/{name}.tl", file.read().replace("f32", dtype))
    return next(node for node in parse_whole(source).statements if isinstance(node, ast.ModelDecl))


def layer_names() -> list[str]:
    return sorted((*LAYERS, *library_names()))


def layer_pages() -> Iterator[LayerPage]:
    """All layers by their names."""
    for name in layer_names():
        if name in LAYERS:
            layer = LAYERS[name]
            yield LayerPage(name, (layer.signature, *layer.methods), layer.doc)
        else:
            node = library_model(name)
            methods = [_head(member) for member in node.members if isinstance(member, ast.FnDecl)]
            yield LayerPage(name, (_head(node), *methods), node.doc or "")


def _head(node: ast.ModelDecl | ast.FnDecl) -> str:
    """On one line, as the layers of PyTorch are declared."""
    text = " ".join(node.span.text.partition("{")[0].split()).removeprefix("model ").removeprefix("fn ")
    return text.replace("( ", "(").replace(", )", ")")
