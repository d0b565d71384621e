"""Builtins that make tensors: constants, ranges, random numbers, and the initializers of declared tensors."""

from tensorlogic.stdlib.costs import COPY, MADE, NEW, each, over
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.registry import builtin, initializer

_DTYPE = "dtype: DType<T> = float32, device: Device = none"


@builtin(f"zeros<T: any>(shape: [int], {_DTYPE}) -> T[...shape]", cost=NEW)
def zeros(shape, dtype=None, device=None):
    """A tensor of zeros. See torch.zeros."""
    return torch.zeros(shape, dtype=dtype, device=device)


@builtin(f"ones<T: any>(shape: [int], {_DTYPE}) -> T[...shape]", cost=NEW)
def ones(shape, dtype=None, device=None):
    """A tensor of ones. See torch.ones."""
    return torch.ones(shape, dtype=dtype, device=device)


@builtin(f"empty<T: any>(shape: [int], {_DTYPE}) -> T[...shape]", cost=NEW)
def empty(shape, dtype=None, device=None):
    """A tensor whose values are not set. See torch.empty."""
    return torch.empty(shape, dtype=dtype, device=device)


@builtin(
    "full(shape: [int], value: bool, device: Device = none) -> bool[...shape]",
    "full(shape: [int], value: int, device: Device = none) -> int64[...shape]",
    "full(shape: [int], value: float, device: Device = none) -> float32[...shape]",
    "full<T: any>(shape: [int], value: bool, dtype: DType<T>, device: Device = none) -> T[...shape]",
    "full<T: int>(shape: [int], value: int, dtype: DType<T>, device: Device = none) -> T[...shape]",
    "full<T: float>(shape: [int], value: float, dtype: DType<T>, device: Device = none) -> T[...shape]",
    cost=NEW,
)
def full(shape, value, dtype=None, device=None):
    """A tensor filled with one value. See torch.full."""
    return torch.full(shape, value, dtype=dtype, device=device)


@builtin(f"eye<T: any>(n: int, {_DTYPE}) -> T[n, n]", cost=NEW)
def eye(n, dtype=None, device=None):
    """Ones on the diagonal, zeros elsewhere. See torch.eye."""
    return torch.eye(n, dtype=dtype, device=device)


@builtin(f"eye<T: any>(n: int, m: int, {_DTYPE}) -> T[n, m]", cost=NEW)
def eye_of_two_sizes(n, m, dtype=None, device=None):
    """Ones on the diagonal, zeros elsewhere. See torch.eye."""
    return torch.eye(n, m, dtype=dtype, device=device)


@builtin(
    "arange<T: number>(end: int, dtype: DType<T> = int64, device: Device = none) -> T[end]",
    "arange<T: number>(start: int, end: int, step: int = 1, dtype: DType<T> = int64, device: Device = none)"
    " -> T[...counted(start, end, step)]",
    "arange<T: number>(end: float, dtype: DType<T> = float32, device: Device = none) -> T[?]",
    "arange<T: number>(start: float, end: float, step: float = 1.0, dtype: DType<T> = float32, device: Device = none) -> T[?]",
    cost=MADE,
)
def arange(end, start=0, step=1, dtype=None, device=None):
    """Numbers from `start` up to, not including, `end`. See torch.arange."""
    return torch.arange(start, end, step, dtype=dtype, device=device)


@builtin(f"linspace<T: float>(start: float, end: float, steps: int, {_DTYPE}) -> T[steps]", cost=MADE)
def linspace(start, end, steps, dtype=None, device=None):
    """`steps` numbers from `start` to `end`, both included. See torch.linspace."""
    return torch.linspace(start, end, steps, dtype=dtype, device=device)


@builtin(f"logspace<T: float>(start: float, end: float, steps: int, base: float = 10.0, {_DTYPE}) -> T[steps]", cost=MADE)
def logspace(start, end, steps, base=10.0, dtype=None, device=None):
    """Powers of `base` with evenly spaced exponents. See torch.logspace."""
    return torch.logspace(start, end, steps, base=base, dtype=dtype, device=device)


@builtin("zeros_like<T: any>(x: T[...S]) -> T[...S]", "zeros_like<T: any, U: any>(x: T[...S], dtype: DType<U>) -> U[...S]", cost=NEW)
def zeros_like(x, dtype=None):
    """Zeros in the shape of `x`. See torch.zeros_like."""
    return torch.zeros_like(x, dtype=dtype)


@builtin("ones_like<T: any>(x: T[...S]) -> T[...S]", "ones_like<T: any, U: any>(x: T[...S], dtype: DType<U>) -> U[...S]", cost=NEW)
def ones_like(x, dtype=None):
    """Ones in the shape of `x`. See torch.ones_like."""
    return torch.ones_like(x, dtype=dtype)


@builtin(
    "full_like<T: any>(x: T[...S], value: bool) -> T[...S]",
    "full_like<T: int>(x: T[...S], value: int) -> T[...S]",
    "full_like<T: float>(x: T[...S], value: float) -> T[...S]",
    cost=NEW,
)
def full_like(x, value):
    """One value in the shape of `x`. See torch.full_like."""
    return torch.full_like(x, value)


@builtin("rand_like<T: float>(x: T[...S]) -> T[...S]", effect="random", cost=MADE)
def rand_like(x):
    """Uniform random numbers of [0, 1) in the shape of `x`. See torch.rand_like."""
    return torch.rand_like(x)


@builtin("randn_like<T: float>(x: T[...S]) -> T[...S]", effect="random", cost=MADE)
def randn_like(x):
    """Normal random numbers in the shape of `x`. See torch.randn_like."""
    return torch.randn_like(x)


@builtin(f"rand<T: float>(shape: [int], {_DTYPE}) -> T[...shape]", effect="random", cost=MADE)
def rand(shape, dtype=None, device=None):
    """Uniform random numbers of [0, 1). See torch.rand."""
    return torch.rand(shape, dtype=dtype, device=device)


@builtin(f"randn<T: float>(shape: [int], {_DTYPE}) -> T[...shape]", effect="random", cost=MADE)
def randn(shape, dtype=None, device=None):
    """Normal random numbers with mean 0 and variance 1. See torch.randn."""
    return torch.randn(shape, dtype=dtype, device=device)


@builtin(
    "randint<T: number>(low: int, high: int, shape: [int], dtype: DType<T> = int64, device: Device = none) -> T[...shape]",
    "randint<T: number>(high: int, shape: [int], dtype: DType<T> = int64, device: Device = none) -> T[...shape]",
    effect="random",
    cost=MADE,
)
def randint(high, shape, low=0, dtype=None, device=None):
    """Random integers from `low` up to, not including, `high`. See torch.randint."""
    return torch.randint(low, high, shape, dtype=dtype, device=device)


@builtin("randperm(n: int, device: Device = none) -> int64[n]", effect="random", cost=MADE)
def randperm(n, device=None):
    """The numbers 0 to n - 1 in random order. See torch.randperm."""
    return torch.randperm(n, device=device)


@builtin("bernoulli<T: float>(p: T[...S]) -> T[...S]", effect="random", cost=each(keeps=""))
def bernoulli(p):
    """1 with the given probability, else 0. See torch.bernoulli."""
    return torch.bernoulli(p)


@builtin(
    "multinomial<T: float>(probs: T[...S], num_samples: int, replacement: bool = false) -> int64[...sampled(S, num_samples, replacement)]",
    effect="random",
    cost=over("probs", 2, keeps=""),
)
def multinomial(probs, num_samples, replacement=False):
    """Indices drawn with probabilities in proportion to `probs`. See torch.multinomial."""
    return torch.multinomial(probs, num_samples, replacement=replacement)


@builtin("one_hot(x: int64[...S], num_classes: int) -> int64[...S, num_classes]", cost=NEW)
def one_hot(x, num_classes):
    """1 at the place that each number names, 0 elsewhere. See torch.nn.functional.one_hot."""
    return torch.nn.functional.one_hot(x, num_classes)


@builtin("tril<T: any>(x: T[...B, N, M], diagonal: int = 0) -> T[...B, N, M]", cost=COPY)
def tril(x, diagonal=0):
    """The lower triangle; zeros above. See torch.tril."""
    return torch.tril(x, diagonal=diagonal)


@builtin("triu<T: any>(x: T[...B, N, M], diagonal: int = 0) -> T[...B, N, M]", cost=COPY)
def triu(x, diagonal=0):
    """The upper triangle; zeros below. See torch.triu."""
    return torch.triu(x, diagonal=diagonal)


@builtin(
    "normal<T: float>(mean: float, std: float, shape: [int], dtype: DType<T> = float32) -> T[...shape]",
    effect="random",
    cost=MADE,
)
def normal(mean, std, shape, dtype=None):
    """Normal random numbers. See torch.normal; as initializer `normal(std, mean: 0.0)`."""
    return torch.normal(mean, std, shape, dtype=dtype)


@initializer("zeros() -> Tensor")
def zeros_in(shape, dtype):
    """Zeros."""
    return torch.zeros(shape, dtype=dtype)


@initializer("ones() -> Tensor")
def ones_in(shape, dtype):
    """Ones."""
    return torch.ones(shape, dtype=dtype)


@initializer("full(value: float) -> Tensor")
def full_in(shape, dtype, value):
    """One value everywhere."""
    return torch.full(shape, value, dtype=dtype)


@initializer("eye() -> Tensor")
def eye_in(shape, dtype):
    """Ones on the diagonal of a matrix."""
    return torch.nn.init.eye_(torch.empty(shape, dtype=dtype))


@initializer("normal(std: float = 1.0, mean: float = 0.0) -> Tensor")
def normal_in(shape, dtype, std=1.0, mean=0.0):
    """Normal random numbers."""
    return torch.normal(mean, std, shape, dtype=dtype)


@initializer("randn() -> Tensor")
def randn_in(shape, dtype):
    """Normal random numbers with mean 0 and variance 1."""
    return torch.randn(shape, dtype=dtype)


@initializer("rand() -> Tensor")
def rand_in(shape, dtype):
    """Uniform random numbers of [0, 1)."""
    return torch.rand(shape, dtype=dtype)


@initializer("uniform(low: float = 0.0, high: float = 1.0) -> Tensor")
def uniform_in(shape, dtype, low=0.0, high=1.0):
    """Uniform random numbers between two bounds."""
    return torch.nn.init.uniform_(torch.empty(shape, dtype=dtype), low, high)


@initializer("trunc_normal(std: float = 1.0, mean: float = 0.0, low: float = -2.0, high: float = 2.0) -> Tensor")
def trunc_normal_in(shape, dtype, std=1.0, mean=0.0, low=-2.0, high=2.0):
    """Normal random numbers, drawn again outside the bounds."""
    return torch.nn.init.trunc_normal_(torch.empty(shape, dtype=dtype), mean, std, low, high)


@initializer("xavier_uniform(gain: float = 1.0) -> Tensor")
def xavier_uniform_in(shape, dtype, gain=1.0):
    """Glorot's uniform initialization."""
    return torch.nn.init.xavier_uniform_(torch.empty(shape, dtype=dtype), gain)


@initializer("xavier_normal(gain: float = 1.0) -> Tensor")
def xavier_normal_in(shape, dtype, gain=1.0):
    """Glorot's normal initialization."""
    return torch.nn.init.xavier_normal_(torch.empty(shape, dtype=dtype), gain)


@initializer('kaiming_uniform(a: float = 0.0, mode: string = "fan_in", nonlinearity: string = "leaky_relu") -> Tensor')
def kaiming_uniform_in(shape, dtype, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """He's uniform initialization."""
    return torch.nn.init.kaiming_uniform_(torch.empty(shape, dtype=dtype), a, mode, nonlinearity)


@initializer('kaiming_normal(a: float = 0.0, mode: string = "fan_in", nonlinearity: string = "leaky_relu") -> Tensor')
def kaiming_normal_in(shape, dtype, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    """He's normal initialization."""
    return torch.nn.init.kaiming_normal_(torch.empty(shape, dtype=dtype), a, mode, nonlinearity)


@initializer("orthogonal(gain: float = 1.0) -> Tensor")
def orthogonal_in(shape, dtype, gain=1.0):
    """A random orthogonal matrix."""
    return torch.nn.init.orthogonal_(torch.empty(shape, dtype=dtype), gain)
