"""Functions as `torch.export` programs: saved, loaded, run with other sizes, and closed to sizes that break a requirement."""

import io

import pytest
import torch

import tensorlogic as tl
from tensorlogic.backends.export import Narrowed

PROGRAM = """
param w: float32[64, 8] = normal(0.02)
tensor b: float32[8] = ones()
fn forward(x: float32[B, T, D], w: float32[D, K], eps: float = 1e-5) -> float32[B, T, K] where T <= 2048, D % 64 == 0, K in {64, 128} {
    return x @ w + eps
}
fn heads(x: f32[B, T, D], H: int) -> f32[B, H, T, D / H] where D % H == 0 {
    return x.reshape([B, T, H, D / H]).transpose(1, 2)
}
fn layer(x: float32[...B, 64]) -> float32[...B, 8] { return x @ w + b }
fn sixth(x: float32[N, M]) -> float32[M] { return x[5] }
fn three(x: float32[3 * N, M], y: float32[N + 1, M]) -> float32[N, M] { return x[0:N] + y[1:] }
fn upto(x: float32[N], y: float32[M]) -> float32[N] where N <= M, N >= 4 { return x + y[0:N] }
fn rows(x: float32[?, 4], y: float32[N, 4]) -> float32[N, 4] { return x + y }
fn flat(x: float32[N, M], y: float32[N * M]) -> float32[N, M] { return x + y.reshape([N, M]) }
fn loss(x: f32[B, C], t: int64[B]) -> f32[] { return cross_entropy(x, t) }
fn generic<T: float>(x: T[N]) -> T[N] { return softmax(x, dim: 0) }
fn pool(x: float32[B, C, H, W]) -> float32[B, C, floor_div(H - 5, 2) + 1, floor_div(W - 5, 2) + 1] {
    return max_pool2d(x, 5, stride: 2)
}
fn turns(x: f32[N], n: int) -> f32[N] {
    let y = x
    for i in 0..n { y = y * 2.0 }
    return y
}
fn scaled(x: f32[N], by: float) -> f32[N] { return x * by }
fn listed(xs: [f32[N]]) -> f32[N] { return xs[0] }
"""


@pytest.fixture(scope="module")
def net():
    made = tl.compile(PROGRAM)
    made.run()
    return made


def again(program):
    """The program as a file has it."""
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    return torch.export.load(file)


def make(size):
    match size:
        case int():
            return size
        case [torch.int64, *shape]:
            return torch.zeros(shape, dtype=torch.int64)
    return torch.rand(size)


# function, two calls that fit, calls that do not
CASES = [
    (
        "forward",
        [((1, 7, 128), (128, 128)), ((3, 9, 64), (64, 64))],
        [((3, 9, 65), (65, 64)), ((3, 9, 64), (64, 100)), ((3, 3000, 64), (64, 64))],
    ),
    ("heads", [((1, 7, 128), 8), ((4, 2, 10), 5)], [((4, 2, 10), 4)]),
    ("layer", [((3, 64),), ((1, 64),)], [((3, 63),)]),
    ("sixth", [((6, 2),), ((9, 1),)], [((5, 3),)]),
    ("three", [((6, 2), (3, 2)), ((9, 1), (4, 1))], [((10, 1), (4, 1)), ((9, 1), (5, 1))]),
    ("upto", [((6,), (6,)), ((4,), (9,))], [((6,), (5,)), ((3,), (5,))]),
    ("rows", [((6, 4), (6, 4)), ((3, 4), (3, 4))], [((2, 4), (3, 4))]),
    ("flat", [((2, 6), (12,)), ((3, 5), (15,))], [((3, 5), (16,))]),
    ("loss", [((2, 6), (torch.int64, 2)), ((1, 3), (torch.int64, 1))], [((2, 3), (torch.int64, 3))]),
    ("generic", [((3,),), ((5,),)], []),
    ("pool", [((2, 3, 8, 9),), ((1, 3, 12, 10),)], [((1, 3, 4, 9),)]),
]


@pytest.mark.parametrize("name, fitting, wrong", CASES, ids=[case[0] for case in CASES])
def test_equal_to_eager_and_closed(net, name, fitting, wrong):
    program = again(net.export(name)).module()
    for sizes in fitting:
        args = tuple(map(make, sizes))
        assert torch.equal(program(*args), net[name](*args))
    for sizes in wrong:
        args = tuple(map(make, sizes))
        with pytest.raises(tl.TensorLogicError):
            net[name](*args)
        with pytest.raises((AssertionError, RuntimeError), match="Guard failed|assertion failed"):
            program(*args)


def test_dynamic_shapes_have_the_names_of_the_program(net):
    shapes = net.dynamic_shapes("forward")
    x, w = shapes["x"], shapes["w"]
    assert [d.__name__ for d in x.values()] == ["B", "T", "64*D_64"] and w[0].__name__ == x[2].__name__
    assert (x[1].min, x[1].max, w[1].min, w[1].max) == (1, 2048, 64, 128)
    assert net.dynamic_shapes("three")["x"][0].__name__ == "3*N_"  # sympy has an `N` of its own
    assert net.dynamic_shapes("sixth")["x"][0].min == 6


def test_what_a_check_says_is_in_the_names_of_the_program(net):
    texts = [str(node.args[1]) for node in net.export("heads").graph.nodes if "assert_scalar" in str(node.target)]
    assert texts and "D" in texts[0] and "H" in texts[0] and "s7" not in texts[0]


def test_tensors_of_the_file_are_parameters_and_buffers(net):
    program = net.export("layer")
    assert dict(program.named_parameters()).keys() == {"w"} and dict(program.named_buffers()).keys() == {"b"}


def test_fixed_parameters_are_no_inputs(net):
    x = torch.rand(2, 3, 12)
    assert torch.equal(net.export("heads", H=4).module()(x), net.heads(x, 4))
    assert torch.equal(net.export("turns", n=3).module()(torch.ones(5)), torch.full((5,), 8.0))
    assert torch.equal(net.export("scaled", by=3.0).module()(torch.ones(5)), torch.full((5,), 3.0))
    assert torch.equal(net.export("forward", eps=1.0).module()(torch.zeros(1, 2, 64), torch.zeros(64, 64)), torch.ones(1, 2, 64))


@pytest.mark.parametrize(
    "name, fixed, code, words",
    [
        ("turns", {}, "TL0305", "the number of turns"),
        ("scaled", {}, "TL0305", "give it a value"),
        ("listed", {}, "TL0305", "no input of an exported program"),
        ("heads", {"H": 2.5}, "TL0306", "declared int"),
        ("heads", {"G": 2}, "TL0202", "no parameter `G`"),
    ],
)
def test_what_cannot_be_exported(net, name, fixed, code, words):
    with pytest.raises(tl.TensorLogicError) as caught:
        net.export(name, **fixed)
    (found,) = caught.value.diagnostics
    assert found.code == code and words in found.message and found.span is not None


def test_unknown_names(net):
    with pytest.raises(KeyError):
        net.export("nothing")
    with pytest.raises(KeyError):
        net.dynamic_shapes("nothing")


def test_tensors_need_a_run():
    with pytest.raises(tl.TensorLogicError, match="only after the program ran"):
        tl.compile(PROGRAM).export("layer")


CLAMPED = "fn f(x: f32[T, D], w: f32[C, D]) -> f32[min(T, C), D] { return w[0:T] }"
GROUPED = """fn f(q: f32[B, H, T, D], k: f32[B, G, S, D], v: f32[B, G, S, D]) -> f32[B, H, T, D] where H % G == 0 {
    return attention(q, k, v)
}"""


@pytest.mark.parametrize("text, words", [(CLAMPED, "T <= C (it refuses "), (GROUPED, "Ne(H, G) (it refuses ")])
def test_what_torch_narrows_is_told(text, words):
    with pytest.warns(Narrowed) as told:
        tl.compile(text).export("f")
    assert words in str(told[0].message)


MODEL = """model M(C: int, D: int) {
    proj: Linear(D, D)
    fn forward(x: f32[B, T, D]) -> f32[B, T, D] where T <= C { return proj(x) }
}
"""


def test_a_model_with_the_sizes_of_an_instance():
    net = tl.compile(MODEL)
    shapes = net.dynamic_shapes("M.forward", C=100, D=8)
    x = shapes["x"]
    assert (x[0].__name__, x[1].__name__, x[1].max, x[2]) == ("B", "T", 100, torch.export.Dim.STATIC)
    module = net.M(C=100, D=8)
    program = again(torch.export.export(module, (torch.zeros(3, 5, 8),), dynamic_shapes=shapes)).module()
    given = torch.rand(1, 9, 8)
    assert torch.equal(program(given), module(given))
    with pytest.raises(AssertionError, match="100"):
        program(torch.rand(1, 101, 8))
