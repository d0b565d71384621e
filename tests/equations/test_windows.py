"""Windows in many spellings: the convolution or pooling of the library, with the values and gradients of the windows written out."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import tensorlogic as tl


def numbers(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)), requires_grad=True)


def depthwise(image: Tensor, kernel: Tensor) -> Tensor:
    return F.conv2d(image, kernel[:, None], groups=image.shape[1])


def grouped(image: Tensor, kernel: Tensor) -> Tensor:
    groups, filters = kernel.shape[:2]
    return F.conv2d(image.flatten(1, 2), kernel.flatten(0, 1), groups=groups).unflatten(1, (groups, filters))


# Name: (the operation, shapes of the image and the filter, the equation, the same of torch).
FOUND = {
    "one axis": ("conv1d", (9,), (3,), "y[a] = K[d] I[a + d]", lambda i, k: F.conv1d(i[None], k[None, None])[0]),
    "the filter's index first": ("conv1d", (9,), (3,), "y[a] = K[d] I[d + a]", lambda i, k: F.conv1d(i[None], k[None, None])[0]),
    "two axes, channels, a batch": ("conv2d", (2, 3, 8, 9), (4, 3, 3, 2), "y[n, o, a, b] = K[o, c, u, v] I[n, c, a + u, b + v]", F.conv2d),
    "strides and dilation": (
        "conv2d", (2, 3, 12, 13), (4, 3, 3, 2), "y[n, o, a, b] = K[o, c, u, v] I[n, c, 2 * a + 2 * u, b + 3 * v]",
        lambda i, k: F.conv2d(i, k, stride=(2, 1), dilation=(2, 3)),
    ),
    "three axes": (
        "conv3d", (2, 3, 5, 6, 7), (4, 3, 2, 2, 3), "y[n, o, a, b, e] = K[o, c, u, v, w] I[n, c, a + u, b + v, e + w]", F.conv3d,
    ),
    "channels last": (
        "conv2d", (2, 8, 9, 3), (3, 2, 3, 4), "y[n, a, b, o] = K[u, v, c, o] I[n, a + u, b + v, c]",
        lambda i, k: F.conv2d(i.permute(0, 3, 1, 2), k.permute(3, 2, 0, 1)).permute(0, 2, 3, 1),
    ),
    "many batches and filters": (
        "conv1d", (2, 3, 4, 9), (5, 2, 4, 3), "y[m, n, o, p, a] = K[o, p, c, u] I[m, n, c, a + u]",
        lambda i, k: F.conv1d(i.flatten(0, 1), k.flatten(0, 1)).unflatten(1, (5, 2)).unflatten(0, (2, 3)),
    ),
    "each channel by itself": ("conv2d", (2, 3, 6, 6), (3, 3, 3), "y[n, c, a, b] = K[c, u, v] I[n, c, a + u, b + v]", depthwise),
    "groups": ("conv2d", (2, 3, 2, 6, 6), (3, 4, 2, 3, 3), "y[n, g, o, a, b] = K[g, o, c, u, v] I[n, g, c, a + u, b + v]", grouped),
    "the same size": (
        "conv2d", (2, 3, 6, 7), (4, 3, 3, 3),
        "y[n, o, a, b] = K[o, c, u, v] I[n, c, a + u - 1, b + v - 1] where a in 0..6, b in 0..7", lambda i, k: F.conv2d(i, k, padding=1),
    ),
    "a part of the places": (
        "conv1d", (9,), (3,), "y[a] = K[d] I[a + d + 1] where a in 0..4", lambda i, k: F.conv1d(i[None, 1:7], k[None, None])[0],
    ),
    "backwards": (
        "conv1d", (9,), (3,), "y[a] = K[d] I[a - d + 2]", lambda i, k: F.conv1d(i[None], k.flip(0)[None, None])[0],
    ),
    "the largest": (
        "max_pool2d", (2, 3, 8, 7), (2, 3),
        "y[n, c, a, b] = max[u, v](I[n, c, 2 * a + u, 3 * b + v]) + 0.0 * K[0, 0] where u in 0..2, v in 0..3",
        lambda i, k: F.max_pool2d(i, (2, 3), stride=(2, 3)) + 0.0 * k[0, 0],
    ),
    "the mean, windows that overlap": (
        "avg_pool1d", (3, 9), (3,), "y[c, a] = mean[u](I[c, 2 * a + u]) + 0.0 * K[0] where u in 0..3",
        lambda i, k: F.avg_pool1d(i, 3, stride=2) + 0.0 * k[0],
    ),
    "the largest, channels last": (
        "max_pool1d", (9, 3), (3,), "y[a, c] = max[u](I[a + u, c]) + 0.0 * K[0] where u in 0..3",
        lambda i, k: F.max_pool1d(i.T, 3, stride=1).T + 0.0 * k[0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_one_operation(name: str) -> None:
    operation, image_shape, kernel_shape, equation, theirs = FOUND[name]
    image, kernel = numbers(*image_shape), numbers(*kernel_shape)
    wanted = theirs(image, kernel)
    types = f"I: f64[{', '.join(map(str, image_shape))}], K: f64[{', '.join(map(str, kernel_shape))}]"
    program = tl.compile(f"fn f({types}) -> f64[{', '.join(map(str, wanted.shape))}] {{\nlet {equation}\nreturn y\n}}\n")
    assert f"{operation}(" in program.python and "unfold" not in program.python, program.python
    found = program.f(image, kernel)
    torch.testing.assert_close(found, wanted)
    weights = torch.linspace(0.5, 2.0, found.numel(), dtype=found.dtype).reshape(found.shape)
    grads = [torch.autograd.grad((value * weights).sum(), (image, kernel)) for value in (found, wanted)]
    torch.testing.assert_close(*grads)


LEFT = {
    "integers": ("int64[9]", "int64[3]", "y[a] = K[d] I[a + d]", lambda i, k: (i.unfold(0, 3, 1) * k).sum(-1)),
    "a filter that also has the place": ("f64[9]", "f64[7, 3]", "y[a] = K[a, d] I[a + d]", lambda i, k: (i.unfold(0, 3, 1) * k).sum(-1)),
    "no sum": ("f64[9]", "f64[3]", "y[a, d] = K[d] I[a + d]", lambda i, k: i.unfold(0, 3, 1) * k),
    "a dilated window, kept": ("f64[9]", "f64[3]", "y[a, d] = K[d] * I[a + 2 * d]", lambda i, k: i.unfold(0, 5, 1)[:, ::2] * k),
    "a dilated window, backwards": (
        "f64[9]", "f64[3]", "y[a, d] = K[d] * I[2 * a - 2 * d + 4]", lambda i, k: i.unfold(0, 5, 2)[:, ::2].flip(1) * k,
    ),
    "the least": ("f64[9]", "f64[3]", "y[a] = min[d](I[a + d] * K[d])", lambda i, k: (i.unfold(0, 3, 1) * k).amin(-1)),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_windows_that_are_none(name: str) -> None:
    image_type, kernel_type, equation, theirs = LEFT[name]
    shapes = [[int(size) for size in text.partition("[")[2].rstrip("]").split(",")] for text in (image_type, kernel_type)]
    given = [torch.arange(1, 1 + int(torch.tensor(shape).prod())).reshape(shape) for shape in shapes]
    given = [tensor if "int" in image_type else tensor.double() for tensor in given]
    wanted = theirs(*given)
    dtype = "int64" if "int" in image_type else "f64"
    result = f"{dtype}[{', '.join(map(str, wanted.shape))}]"
    program = tl.compile(f"fn f(I: {image_type}, K: {kernel_type}) -> {result} {{\nlet {equation}\nreturn y\n}}\n")
    assert "conv" not in program.python and "pool" not in program.python
    torch.testing.assert_close(program.f(*given), wanted)


def test_symbolic_sizes_and_a_stride_that_leaves_a_rest() -> None:
    program = tl.compile("""
fn f(I: f64[N, C, H, W], K: f64[O, C, P, Q]) -> f64[N, O, ceil_div(H - P + 1, 2), ceil_div(W - Q + 1, 3)]
    where H >= P, W >= Q, P >= 1, Q >= 1 {
    let y[n, o, a, b] = K[o, c, u, v] I[n, c, 2 * a + u, 3 * b + v]
    return y
}
""")
    image, kernel = numbers(2, 3, 8, 10), numbers(4, 3, 3, 2)
    assert "F.conv2d(" in program.python and "stride=[2, 3]" in program.python and "unfold" not in program.python
    torch.testing.assert_close(program.f(image, kernel), F.conv2d(image, kernel, stride=(2, 3)))
