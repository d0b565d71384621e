"""`tlc check --show-signatures`: what each function requires, in the words of the program, and where that is written."""

import json

import pytest

PROGRAM = """const C = 2048

fn forward(x: float32[B, T, D], w: float32[D, K], eps: float = 1e-5) -> float32[B, T, K]
    where T <= C, D % 64 == 0, K in {64, 128}, K <= 2 * D {
    return x @ w + eps
}

fn sixth(x: float32[N, M]) -> float32[M] {
    return x[5]
}

fn caller(x: float32[2 * N, M]) -> float32[M] {
    return sixth(x)
}

fn rows(x: float32[?, 4], y: float32[N, 4]) -> float32[N, 4] {
    return x + y
}

fn first(x: float32[...B, N], n: int) -> float32[...B, n] where n <= N, N < 9, N > 7 {
    return x[..., 0:n]
}

fn pool(x: float32[B, C2, H, W]) -> float32[B, C2, floor_div(H - 5, 2) + 1, floor_div(W - 5, 2) + 1] {
    return max_pool2d(x, 5, stride: 2)
}

fn maybe(x: float32[N], long: bool) -> float32[] {
    if long {
        return x[9]
    }
    return x[3]
}

model Position(C: int, D: int) where D % 2 == 0 {
    param table: f32[C, D] = normal(0.02)
    fn forward(x: f32[T, D]) -> f32[T, D] where T <= C {
        let last = x[7]
        return x + table[0:T] + last
    }
}
"""


@pytest.fixture
def shown(tlc, folder):
    """The lines below each head."""
    (folder / "p.tl").write_text(PROGRAM)
    result = tlc("check", "--show-signatures", "p.tl")
    assert result.code == 0
    blocks = [block.splitlines() for block in result.out.strip().split("\n\n")]
    return {block[0].split("(")[0]: block for block in blocks}


def squeezed(block):
    return [" ".join(line.split()) for line in block[1:]]


def test_declared_requirements(shown):
    block = shown["fn forward"]
    assert block[0] == "fn forward(x: float32[B, T, D], w: float32[D, K], eps: float = 1e-5) -> float32[B, T, K]    p.tl:3"
    assert squeezed(block) == [
        "B any",
        "T <= 2048 (line 4: where T <= C)",
        "D multiple of 64 (line 4: where D % 64 == 0)",
        "K in {64, 128} (line 4: where K in {64, 128})",
        "K <= 2 * D (line 4: where K <= 2 * D)",
    ]


@pytest.mark.parametrize(
    "name, lines",
    [
        ("fn sixth", ["N >= 6 (line 9: x[5])", "M any"]),
        ("fn caller", ["N >= 3 (line 13: sixth(x))", "M any"]),
        ("fn rows", ["x.shape[0] == N (line 17: guard at x + y)"]),
        ("fn pool", ["B any", "C2 any", "H >= 5 (line 25: max_pool2d(x, 5, stride: 2))", "W >= 5 (line 25: max_pool2d(x, 5, stride: 2))"]),
        ("fn maybe", ["N >= 10 (line 30, where it is reached: x[9])", "N >= 4 (line 32, where it is reached: x[3])"]),
        ("model Position", ["C any", "D multiple of 2 (line 35: where D % 2 == 0)"]),
        ("fn Position.forward", ["T <= C (line 37: where T <= C)", "T >= 8 (line 38: x[7])"]),
    ],
)
def test_inferred_requirements(shown, name, lines):
    assert squeezed(shown[name]) == lines


def test_a_size_that_can_only_be_one_number(shown):
    assert squeezed(shown["fn first"]) == [
        "N <= 8 (line 20: where N < 9)",
        "N >= 8 (line 20: where N > 7)",
        "N == 8 (by all of these together)",
        "n <= N (line 20: where n <= N)",
        "...B any",
    ]


def test_json(tlc, folder):
    (folder / "p.tl").write_text(PROGRAM)
    result = tlc("check", "--show-signatures", "--json", "p.tl")
    found = {item["name"]: item for item in map(json.loads, result.out.splitlines()) if "kind" in item}
    forward = found["forward"]
    assert forward["sizes"]["T"] == {"min": 1, "max": 2048, "multiple_of": 1}
    assert forward["sizes"]["D"]["multiple_of"] == 64 and forward["sizes"]["K"]["values"] == [64, 128]
    assert forward["params"][2] == {"name": "eps", "type": "float", "default": "1e-5"}
    first = forward["requirements"][0]
    assert (first["text"], first["sizes"], first["origin"], first["line"], first["code"]) == ("T <= 2048", ["T"], "where", 4, "T <= C")
    assert found["sixth"]["requirements"][0]["origin"] == "bound" and found["Position"]["kind"] == "model"


def test_settings_replace_constants(tlc, folder):
    (folder / "p.tl").write_text(PROGRAM)
    assert "T <= 128" in tlc("check", "--show-signatures", "--set", "C=128", "p.tl").out


def test_a_wrong_program_shows_its_errors_only(tlc, folder):
    result = tlc("check", "--show-signatures", "bad.tl")
    assert result.code == 1 and not result.out and "TL0301" in result.err


def test_imported_functions_come_after(tlc, folder):
    (folder / "lib.tl").write_text("fn sixth(x: float32[N]) -> float32[] { return x[5] }\n")
    (folder / "p.tl").write_text('import "lib.tl"\nfn f(y: float32[M]) -> float32[] { return sixth(y) }\n')
    lines = tlc("check", "--show-signatures", "p.tl").out.splitlines()
    assert [line.split("(")[0] for line in lines if line.startswith("fn")] == ["fn f", "fn sixth"]
    assert "M >= 6" in lines[1]
