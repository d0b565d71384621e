"""Random well-typed functions: the checker accepts them, and generated Python, fx graph and reference evaluator give the same bits."""

import ast
import os

import torch
from hypothesis import given, settings

from tensorlogic.backends.fx import why_not_pure
from tensorlogic.source import Source
from tests.agreement.compare import Program, same
from tests.agreement.functions import programs

EXAMPLES = 1000 if os.environ.get("TLC_FULL") else 40
SIZES = ((2, 3, 4, 1), (4, 1, 2, 3), (1, 6, 5, 0))


def arguments(n: int, d: int, e: int, k: int) -> list:
    generator = torch.Generator().manual_seed(n + 10 * d)
    x, w, b = (torch.randn(shape, generator=generator) for shape in ((n, d), (d, e), (d,)))
    return [x, w, b, torch.randint(0, n, (n,), generator=generator), k]


@settings(max_examples=EXAMPLES)
@given(programs())
def test_all_ways_agree(text: str) -> None:
    program = Program(Source("random.tl", text))
    assert ast.dump(ast.parse(program.generated.text)) == ast.dump(program.generated.tree)
    graph = program.graph("f")
    assert graph is not None or "known only at run time" in str(why_not_pure(program.module, "f")), text
    for sizes in SIZES:
        args = arguments(*sizes)
        python = program.call(program.names["f"], args)
        assert not isinstance(python, str), f"{text} refuses {sizes}"
        assert same(python, program.call(lambda *a, p=program: p.reference.call("f", *a), args)), text
        if graph is not None:
            assert same(python, program.call(graph, args)), text
