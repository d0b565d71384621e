"""Programs of any length for the measurements, as a person would write them: typed tensor functions, host code, structs, tests."""

import random
from collections.abc import Iterator
from string import Template

DTYPES = ("f32", "f64", "f16", "bf16")
ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "sigmoid")
WORDS = ("encode", "project", "mix", "score", "update", "reduce", "align", "embed", "pool", "filter", "route", "refine")

# Each is filled with a name, a dtype, an activation, and small numbers.
TEMPLATES = (
    """\
/// A perceptron with one hidden layer.
fn $name(x: $dtype[N, D_in], w1: $dtype[D_in, D_hid], b1: $dtype[D_hid], w2: $dtype[D_hid, D_out], b2: $dtype[D_out]) -> $dtype[N, D_out] {
    let hidden = $activation(x @ w1 + b1)
    let output = hidden @ w2
    return output + b2
}
""",
    """\
// Attention over H heads; the width splits evenly.
fn $name(x: $dtype[B, S, D], w: $dtype[3 * D, D], b: $dtype[3 * D], H: int) -> $dtype[B, S, D] where D % H == 0 {
    let qkv = linear(x, w, b)
    let (q, k, v) = chunk(qkv, 3, dim: -1)
    let q_heads = q.reshape([B, S, H, D / H]).transpose(1, 2)
    let k_heads = k.reshape([B, S, H, D / H]).transpose(1, 2)
    let v_heads = v.reshape([B, S, H, D / H]).transpose(1, 2)
    let joined = attention(q_heads, k_heads, v_heads, causal: true).transpose(1, 2)
    return joined.reshape([B, S, D])
}
""",
    """\
/// Root mean square normalization of the last axis, with a gain.
fn $name(x: $dtype[...B, D], gain: $dtype[D], eps: float = 1e-5) -> $dtype[...B, D] {
    let power = mean(x * x, dim: -1, keepdim: true)
    return x / sqrt(power + eps) * gain
}
""",
    """\
fn $name(logits: $dtype[B, C], targets: i64[B]) -> $dtype[] {
    let shifted = logits - logits.max(dim: 1, keepdim: true)
    let log_total = log(sum(exp(shifted), dim: 1))
    let chosen = shifted.gather(1, targets.unsqueeze(1)).squeeze(1)
    return mean(log_total - chosen)
}
""",
    """\
/// The $few-step moving average of a series, by hand.
fn $name(values: [float], width: int = $few) -> [float] {
    let result: [float] = []
    for i in 0..len(values) {
        let first = if i >= width { i - width + 1 } else { 0 }
        let total = 0.0
        for j in first..i + 1 {
            total += values[j]
        }
        result.push(total / (i - first + 1))
    }
    return result
}
""",
    """\
struct ${name}_Config { width: int, heads: int, rate: float, name: string }

impl ${name}_Config {
    fn small() -> ${name}_Config { ${name}_Config { width: ${few}8, heads: $few, rate: 0.0$many, name: "$name" } }
    fn head_width(self) -> int { return floor_div(self.width, self.heads) }
    fn describe(self) -> string {
        let scale = if self.width > 100 { "large" } else { "small" }
        return self.name + ": " + scale
    }
}
""",
    """\
fn $name(x: $dtype[A, D], y: $dtype[B, D]) -> $dtype[A, B] {
    // squared distances by the expansion of (x - y)^2
    let x_norm = sum(x ** 2, dim: 1).unsqueeze(1)
    let y_norm = sum(y ** 2, dim: 1).unsqueeze(0)
    let inner = x @ y.transpose(0, 1)
    return x_norm + y_norm - 2.0 * inner
}
""",
    """\
fn $name(n: int, limit: int = ${few}0) -> int {
    let steps = 0
    let m = n
    while m != 1 and steps < limit {
        m = match m % 2 {
            0 => floor_div(m, 2),
            _ => 3 * m + 1,
        }
        steps += 1
    }
    return steps
}
""",
    """\
fn $name(image: $dtype[N, C, H, W], kernel: $dtype[O, C, 3, 3], bias: $dtype[O]) -> $dtype[N, O, H / 2, W / 2]
    where H % 2 == 0, W % 2 == 0 {
    let features = $activation(conv2d(image, kernel, bias, padding: 1))
    return max_pool2d(features, 2)
}
""",
    """\
fn $name(x: $dtype[N, D], k: int) -> $dtype[N - k, D] where k < N, k >= 0 {
    let tail = x[k:]
    let scale = sqrt(D as float)
    return tail * $activation(tail) / scale
}
""",
    """\
test "$name keeps its sizes" {
    let x = ones([$few, $many]).to(float32)
    let y = cat([x, x * 2.0], dim: 0)
    assert_eq(y.shape, [$few + $few, $many])
    for i in 0..$few {
        assert_close(y[i] * 2.0, y[i + $few], 1e-6)
    }
}
""",
)


def functions(seed: int) -> Iterator[str]:
    """Declarations without end; each round has all templates in a new order, with new names, dtypes and numbers."""
    draw = random.Random(seed)
    number = 0
    while True:
        for template in draw.sample(TEMPLATES, len(TEMPLATES)):
            number += 1
            yield _filled(template, f"{draw.choice(WORDS)}_{number}", draw)


def _filled(template: str, name: str, draw: random.Random) -> str:
    words = {"name": name, "dtype": draw.choice(DTYPES), "activation": draw.choice(ACTIVATIONS)}
    return Template(template).substitute(words, few=draw.randint(2, 7), many=draw.randint(2, 9))


def program(lines: int, seed: int = 1) -> str:
    """A program of about that many lines: it ends with the declaration that reaches the number."""
    parts: list[str] = ["// Made by benchmarks/programs.py.\n"]
    count = 1
    for text in functions(seed):
        parts.append(text)
        count += text.count("\n") + 1
        if count >= lines:
            return "\n".join(parts)
    raise AssertionError("there is always one more function")
