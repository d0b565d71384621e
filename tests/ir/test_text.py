"""The law of printed IR: read back, it is the same IR."""

from pathlib import Path

import pytest

from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source

check = pytest.importorskip("tensorlogic.checker.check")
instances = pytest.importorskip("tensorlogic.checker.instances")
text = pytest.importorskip("tensorlogic.ir.text")


def printed(program: str, name: str = "program.tl") -> str | None:
    """The printed IR of a program, None if it has mistakes or parts that cannot be run yet."""
    problems = Problems()
    module = check.check_program(Source(name, program), problems)
    if problems.errors or module is None:
        return None
    return text.print_module(module, instances.library_signatures)


PROGRAMS = {
    "values": 'let x: f32[2] = [1.0, 2.0]\nlet y = x * 2.0 + 1.0\nassert y[0].item() > 1.0, "big"\n',
    "functions": "fn f(x: f32[N, D], k: int = 2) -> f32[N, D] where N >= 1 { return relu(x) * k }\nlet y = f(ones([2, 3]), 4)\n",
    "branches": "fn f(a: int) -> int { if a > 1 and a < 9 { return 1 } else if a == 0 { 5 } else { 7 } }\n",
    "loops": "let n = 0\nfor i in 0..3 { n = n + i }\nwhile n > 1 {\n    n = n - 1\n    if n == 2 { break }\n}\nloop { break }\n",
    "places": "let x: f32[2, 2] = zeros([2, 2])\nx[0, 1] = 2.0\nlet xs = [1, 2]\nxs[0] = 5\n",
    "lambdas": "let k = 2\nlet f = |a| a * k\nlet z = f(3)\nlet ys = [1, 2].map(|v| v + 1)\n",
    "shadows": "let x = 1\nif true {\n    let x = 2.5\n    print(x)\n}\nlet t1 = x\nlet y = (x + 1) * 2\n",
    "consts": 'const D = 4\nconst NAME = "a\\n\\"b\\""\nlet x: f32[D] = ones([D])\nprint(NAME, -1.5e-3)\n',
    "tuples": "fn f(x: f32[N]) -> (f32[N], int) { return (x, 3) }\nlet (a, b) = f(ones([2]))\nlet t = (a, b)\nlet c = t.1\n",
    "idle lambda": "let f = |x| x * 2\nfn g() -> int {\n    let h = |x| x\n    return 1\n}\nlet y = g()\n",
    "entities": "entity side = {near, far}\nrelation r(side, side)\nr(near, far)\n"
    "t(x, near) <- r(x, _)\nu(x, far) <- r(_, x), not t(x, near)\n",
    "pools": "fn f(x: f32[C, H]) -> f32[C, ceil_div(H, 3)] where H >= 1 { return max_pool1d(x, 3, ceil_mode: true) }\n"
    "fn g(x: f32[C, H]) -> f32[C, ceil_div(H - 1, 2) + 1] where H >= 1 { return max_pool1d(x, 3, 2, 1, ceil_mode: true) }\n",
    "tests": 'let x = 1\nmain { print(x) }\ntest "one \\"two\\"" { assert x == 1 }\n',
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_read_back(name: str) -> None:
    once = printed(PROGRAMS[name])
    assert once is not None, "the program has mistakes"
    assert printed(once) == once


def test_every_value_has_a_type() -> None:
    assert printed("let x: f32[2] = [1.0, 2.0]\nlet y = relu(x) + x\n") == (
        "let x: float32[2] = [1.0, 2.0]\nlet t1: float32[2] = relu(x)\nlet y: float32[2] = t1 + x\n"
    )


def test_conformance_reads_back(shared: Path) -> None:
    """All conformance programs of the core that have no mistakes."""
    seen = 0
    for path in sorted((shared / "conformance").glob("c*/*.tl")):
        once = printed(path.read_text(), str(path))
        if once is None:
            continue
        seen += 1
        if path.stem not in NOT_SAID:
            assert printed(once, str(path)) == once, path.name
    assert seen > 20


NOT_SAID = {"100_creation"}  # `and` of a host bool and a tensor, whose right side takes operations
