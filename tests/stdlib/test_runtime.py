"""What the runtime adds to torch: rotary positions, losses with the classes last, decompositions, assertions, printing."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime import decompose, ops, printing, testing
from tensorlogic.stdlib import registry


def fails(function, *args) -> str:
    """The message of an assertion that must fail."""
    with pytest.raises(TensorLogicError) as caught:
        function(*args)
    assert caught.value.diagnostics[0].code == "TL0802"
    return caught.value.diagnostics[0].message


# --- rotary positions ---------------------------------------------------------------------------------------------------


def rotated(x: torch.Tensor, position: int, base: float, pairs: list[tuple[int, int]]) -> torch.Tensor:
    """One vector turned pair by pair, straight from the definition."""
    result = x.clone()
    for i, (a, b) in enumerate(pairs):
        turn = torch.polar(torch.tensor(1.0, dtype=torch.float64), torch.tensor(position * base ** (-2 * i / len(x)), dtype=torch.float64))
        z = torch.complex(x[a], x[b]) * turn
        result[a], result[b] = z.real, z.imag
    return result


@pytest.mark.parametrize("interleaved", [False, True])
def test_rope_turns_pairs(interleaved: bool) -> None:
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    pairs = [(2 * i, 2 * i + 1) for i in range(4)] if interleaved else [(i, i + 4) for i in range(4)]
    found = ops.rope(x, torch.tensor([0, 5, 9]), 100.0, interleaved)
    for b in range(2):
        for row, position in enumerate((0, 5, 9)):
            torch.testing.assert_close(found[b, row], rotated(x[b, row], position, 100.0, pairs))


def test_rope_depends_on_distances_alone() -> None:
    q, k = torch.randn(1, 16, dtype=torch.float64), torch.randn(1, 16, dtype=torch.float64)
    near = ops.rope(q, torch.tensor([3])) @ ops.rope(k, torch.tensor([1])).T
    far = ops.rope(q, torch.tensor([103])) @ ops.rope(k, torch.tensor([101])).T
    torch.testing.assert_close(near, far)
    assert ops.rope(q.half(), torch.tensor([3])).dtype == torch.float16


# --- losses -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_classes_last(reduction: str) -> None:
    logits, targets = torch.randn(2, 3, 5), torch.randint(0, 5, (2, 3))
    targets[0, 1] = -100
    wanted = F.cross_entropy(logits.movedim(-1, 1), targets, reduction=reduction, label_smoothing=0.1)
    torch.testing.assert_close(ops.cross_entropy(logits, targets, label_smoothing=0.1, reduction=reduction), wanted)
    log_probs = logits.log_softmax(-1)
    wanted = F.nll_loss(log_probs.movedim(-1, 1), targets, reduction=reduction)
    torch.testing.assert_close(ops.nll_loss(log_probs, targets, reduction=reduction), wanted)
    wanted = F.cross_entropy(logits.movedim(-1, 1), logits.softmax(-1).movedim(-1, 1), reduction=reduction)
    torch.testing.assert_close(ops.soft_cross_entropy(logits, logits.softmax(-1), reduction=reduction), wanted)


# --- decompositions -----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 9))
def test_tensor_train_with_enough_rank_is_exact(shape: list[int], seed: int) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cores = decompose.tt_svd(x, [1000] * (len(shape) - 1))
    assert all(core.dim() == 3 for core in cores) and decompose.tt_ranks(cores)[0] == decompose.tt_ranks(cores)[-1] == 1
    torch.testing.assert_close(decompose.tt_reconstruct(cores), x)


def test_tensor_train_error_is_bounded_by_the_discarded_values() -> None:
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    low = decompose.tt_reconstruct(decompose.tt_svd(x, [2, 3]))
    lost = sum((torch.linalg.svdvals(x.reshape(rows, -1))[rank:] ** 2).sum() for rows, rank in ((4, 2), (20, 3)))
    assert (low - x).norm() <= lost.sqrt() + 1e-9


def test_tucker() -> None:
    x = torch.randn(3, 4, 5, dtype=torch.float64)
    core, factors = decompose.tucker(x, [3, 4, 5])
    torch.testing.assert_close(decompose.tucker_reconstruct(core, factors), x)
    torch.testing.assert_close(torch.einsum("abc,ia,jb,kc->ijk", core, *factors), x)
    core, factors = decompose.tucker(x, [2, 2, 2])
    assert core.shape == (2, 2, 2) and [f.shape for f in factors] == [(3, 2), (4, 2), (5, 2)]
    for factor in factors:
        torch.testing.assert_close(factor.T @ factor, torch.eye(2, dtype=torch.float64))
    first = [torch.linalg.svd(x.movedim(i, 0).reshape(x.shape[i], -1))[0][:, :2] for i in range(3)]
    plain = decompose.tucker_reconstruct(torch.einsum("ijk,ia,jb,kc->abc", x, *first), first)
    assert (decompose.tucker_reconstruct(core, factors) - x).norm() <= (plain - x).norm() + 1e-12
    with pytest.raises(ValueError, match="ranks"):
        decompose.tucker(x, [4, 4, 5])


def test_khatri_rao_is_kronecker_by_columns() -> None:
    a, b = torch.randn(3, 2), torch.randn(4, 2)
    wanted = torch.stack([torch.kron(a[:, i], b[:, i]) for i in range(2)], dim=1)
    torch.testing.assert_close(decompose.khatri_rao(a, b), wanted)
    assert decompose.compression_ratio(torch.zeros(6, 4), [torch.zeros(6), torch.zeros(2)]) == 3.0


# --- assertions ---------------------------------------------------------------------------------------------------------


def test_assert_eq() -> None:
    testing.assert_eq([1, (2.0, "a")], [1, (2.0, "a")])
    testing.assert_eq(torch.tensor([1, 2]), torch.tensor([1, 2]))
    testing.assert_eq(float("nan"), float("nan"))
    assert fails(testing.assert_eq, 1, 2) == "assert_eq failed: 1 against 2"
    assert fails(testing.assert_eq, [1, 2], [1, 3]) == "assert_eq failed: 2 against 3 at [1]"
    assert "3 against 4 at [1, 0]" in fails(testing.assert_eq, torch.tensor([[1], [3]]), torch.tensor([[1], [4]]))
    assert "[2] and [3]" in fails(testing.assert_eq, torch.zeros(2), torch.zeros(3))
    assert '"a" against "b"' in fails(testing.assert_eq, "a", "b")
    assert "true against 1" in fails(testing.assert_eq, True, 1)


def test_assert_close() -> None:
    testing.assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]), 0.11)
    testing.assert_close(torch.full((2, 2), 3.0), 3.0, 0.0)
    testing.assert_close(float("inf"), float("inf"), 0.0)
    testing.assert_close([1.0], [1.0], 0.0)
    message = fails(testing.assert_close, torch.tensor([[0.0, 1.0], [0.0, 4.0]]), torch.zeros(2, 2), 1e-6)
    assert "at [0, 1]: 1.0 is not within 1e-06 of 0.0; 2 of 4 differ, at most 4" in message
    assert fails(testing.assert_close, torch.tensor(float("nan")), torch.tensor(float("nan")), 1.0)
    assert "shapes" in fails(testing.assert_close, torch.zeros(2), torch.zeros(2, 1), 1.0)
    assert fails(testing.assert_close, 1.0, 2.0, 0.5)
    assert fails(testing.panic, "stop") == "stop"


# --- printing -----------------------------------------------------------------------------------------------------------


@dataclass
class Point:
    x: float
    tags: list


def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    x = torch.arange(3)
    printing.print_values("a", 1, 2.5, True, None, [True, "b\n"], (1,), ("x", 2), range(2, 5), Point(1.0, [False]), x, torch.float16)
    wanted = r'a 1 2.5 true none [true, "b\n"] (1,) ("x", 2) 2..5 Point { x: 1.0, tags: [false] } ' + f"{x} float16\n"
    assert capsys.readouterr().out == wanted
    printing.print_values("no", "line", end="")
    assert capsys.readouterr().out == "no line"


def test_filled() -> None:
    assert printing.filled("{} of {}", 1, True) == "1 of true"
    assert printing.filled("{}!", "{}") == "{}!"
    assert printing.filled("{} and {}", 1) == "1 and {}"
    assert printing.filled("{}", 1, 2) == "1 2"
    assert printing.filled("none", 1) == "none 1"
    assert printing.filled("{}") == "{}"


# --- small ones ---------------------------------------------------------------------------------------------------------


def test_lists() -> None:
    assert ops.mapped((1, 2), lambda x: x + 1) == (2, 3)
    assert ops.filtered(range(5), lambda x: x % 2 == 0) == [0, 2, 4]
    assert ops.pad_sequences([[1, 2, 3], [4]], 9).tolist() == [[1, 2, 3], [4, 9, 9]]
    assert ops.pad_sequences([[1, 2, 3], [4]], 0, 2).tolist() == [[1, 2], [4, 0]]
    assert ops.pad_sequences([]).shape == (0, 0)


def test_positional_encoding() -> None:
    found = ops.positional_encoding(7, 6)
    for position in (0, 3, 6):
        for i in range(3):
            angle = torch.tensor(position / 10000 ** (2 * i / 6))
            torch.testing.assert_close(found[position, 2 * i : 2 * i + 2], torch.stack((angle.sin(), angle.cos())))


@pytest.mark.parametrize("name", list(registry.initializer_names()))
def test_initializers_fill_shape_and_dtype(name: str) -> None:
    found = registry.lookup_initializer(name)
    assert found is not None
    for dtype in (torch.float32, torch.float64):
        x = found.body((3, 4), dtype, *([2.0] if name == "full" else []))
        assert x.shape == (3, 4) and x.dtype == dtype and not x.requires_grad
