"""Shape functions: what they say of numbers is what torch does, and what they say of names holds for every number."""

import json
from math import prod
from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st

from tensorlogic.types import shapes
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Divides, Facts, Rel
from tensorlogic.types.mistakes import (
    AccidentalBroadcast,
    AxisOutOfRange,
    BadArgument,
    CountMismatch,
    EmptySlice,
    NotDivisible,
    RankMismatch,
    SizeMismatch,
)
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import SHAPE_FUNCTIONS
from tensorlogic.types.shapes_einsum import einsum
from tensorlogic.types.shapes_layout import check_split, concatenated, parts, stacked
from tensorlogic.types.types import NoneType, Segment

B, D, H, N, M, T = map(Dim.sym, "BDHNMT")
RUN, OTHER = Segment("B"), Segment("C")
TWO = Dim.const(2)
sizes = st.lists(st.sampled_from((1, 1, 2, 3)), max_size=4).map(tuple)


def dims(numbers) -> tuple[Dim, ...]:
    return tuple(map(Dim.const, numbers))


def known(shape) -> tuple[int | None, ...] | None:
    return None if shape is None else tuple(dim.value for dim in shape)


def call(name: str, *args, facts: Facts = Facts.empty):
    need = Obligations(facts)
    return SHAPE_FUNCTIONS[name](need, *args), need


def meta(shape) -> torch.Tensor:
    return torch.empty(shape, device="meta")


@given(sizes, sizes)
def test_broadcast_is_what_torch_does_or_an_accident(left, right) -> None:
    found, need = call("broadcast", dims(left), dims(right))
    try:
        wanted = tuple(torch.broadcast_shapes(left, right))
    except RuntimeError:
        assert [type(m) for m in need.mistakes][:1] == [SizeMismatch]
        return
    lower = min(left, right, key=len)
    accident = len(left) != len(right) and wanted[len(wanted) - len(lower) :] != max(left, right, key=len)[len(wanted) - len(lower) :]
    if accident:
        assert [type(m) for m in need.mistakes] == [AccidentalBroadcast]
    else:
        assert known(found) == wanted and not need.mistakes and not need.guards


@given(sizes, sizes)
def test_matmul_is_what_torch_does(left, right) -> None:
    found, need = call("matmul", dims(left), dims(right))
    try:
        wanted = tuple(torch.matmul(meta(left), meta(right)).shape)
    except (RuntimeError, IndexError):
        assert need.mistakes
        return
    assert known(found) == wanted and not need.mistakes


@given(sizes, st.integers(-5, 4), st.booleans())
def test_reduce_checks_the_axis(shape, axis, keep) -> None:
    found, need = call("reduce", dims(shape), Dim.const(axis), keep)
    if not -max(len(shape), 1) <= axis < max(len(shape), 1):
        assert [type(m) for m in need.mistakes] == [AxisOutOfRange]
    else:
        assert known(found) == tuple(torch.sum(meta(shape), axis, keepdim=keep).shape)


@given(st.lists(st.sampled_from((1, 2, 3, 4, 6)), min_size=1, max_size=4), st.lists(st.sampled_from((-1, 1, 2, 3, 4, 6, 8)), max_size=4))
def test_reshape_is_what_torch_does(before, after) -> None:
    found, need = call("reshape", dims(before), dims(after))
    try:
        wanted = tuple(meta(before).reshape(after).shape)
    except RuntimeError:
        assert isinstance(need.mistakes[0], CountMismatch | NotDivisible | BadArgument)
        return
    assert known(found) == wanted and not need.mistakes


@given(st.permutations(range(4)), st.lists(st.sampled_from((2, 3, 5)), min_size=4, max_size=4), st.integers(0, 15))
def test_permute_counts_from_both_sides(order, shape, negative) -> None:
    axes = [axis - 4 if negative >> i & 1 else axis for i, axis in enumerate(order)]
    found, _ = call("permute", dims(shape), dims(axes))
    assert known(found) == tuple(meta(shape).permute(axes).shape)


def test_names_are_nominal() -> None:
    found, need = call("broadcast", (N,), (M,))
    assert found is None and isinstance(need.mistakes[0], SizeMismatch)
    assert call("broadcast", (N, D), (D,))[0] == (N, D)
    assert call("broadcast", (N, ONE := Dim.const(1)), (ONE, M))[0] == (N, M)
    assert isinstance(call("broadcast", (N, ONE), (N,))[1].mistakes[0], AccidentalBroadcast)


def test_unknown_sizes_are_left_to_a_guard() -> None:
    unknown = Dim.fresh()
    found, need = call("broadcast", (unknown,), (Dim.const(4),))
    assert known(found) == (4,) and need.guards == [Rel("==", unknown, Dim.const(4))] and not need.mistakes
    assert call("matmul", (N, unknown), (D, M))[1].guards


def test_facts_count() -> None:
    facts = Facts.empty.assume(Rel("==", N, M))
    assert not call("broadcast", (N,), (M,), facts=facts)[1].mistakes
    facts = Facts.empty.assume(Divides(H, D))
    found, need = call("reshape", (B, T, D), (B, T, H, D.exact_div(H)), facts=facts)
    assert found is not None and not need.mistakes and not need.guards


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ((RUN, D), (D,), (RUN, D)),
        ((RUN, D), (RUN, Dim.const(1)), (RUN, D)),
        ((RUN, N, D), (N, D), (RUN, N, D)),
        ((RUN,), (), (RUN,)),
        ((RUN, D), (OTHER, D), None),
        ((RUN, D), (T, N, D), None),
    ],
)
def test_broadcast_beside_a_run_of_dims(left, right, result) -> None:
    assert call("broadcast", left, right)[0] == result
    assert call("broadcast", right, left)[0] == result


def test_matmul_beside_a_run_of_dims() -> None:
    assert call("matmul", (RUN, N), (N, M))[0] == (RUN, M)
    assert call("matmul", (RUN, T, N), (RUN, N, M))[0] == (RUN, T, M)
    assert call("matmul", (RUN, N), (N,))[0] == (RUN,)
    assert call("matmul", (RUN, N), (RUN, N))[0] is None
    assert isinstance(call("matmul", (RUN, N), (D, M))[1].mistakes[0], SizeMismatch)


def test_axes_do_not_reach_over_a_run_of_dims() -> None:
    assert call("reduce", (RUN, N, D), Dim.const(-1), False)[0] == (RUN, N)
    assert call("reduce", (T, RUN, D), Dim.const(0), True)[0] == (Dim.const(1), RUN, D)
    assert call("reduce", (RUN, D), Dim.const(0), False) == (None, Obligations(Facts.empty))
    assert call("reduce", (RUN, D), NoneType(), False)[0] == ()
    assert call("swap", (RUN, N, D), Dim.const(-1), Dim.const(-2))[0] == (RUN, D, N)


def test_reshape_of_names() -> None:
    minus = Dim.const(-1)
    assert call("reshape", (B, T, D), (B, minus))[0] == (B, T * D)
    assert isinstance(call("reshape", (N, D), (Dim.const(3), minus))[1].mistakes[0], NotDivisible)
    assert isinstance(call("reshape", (B, T, D), (B, T, H, N))[1].mistakes[0], CountMismatch)
    assert isinstance(call("reshape", (N,), (minus, minus))[1].mistakes[0], BadArgument)
    assert len(call("reshape", (RUN, D), (minus, D))[0]) == 2


def test_squeeze_of_a_name_is_an_obligation() -> None:
    assert call("squeeze", (N, Dim.const(1)), Dim.const(1))[0] == (N,)
    assert call("squeeze", (N, Dim.const(3)), Dim.const(1))[0] == (N, Dim.const(3))
    assert isinstance(call("squeeze", (N, D), Dim.const(1))[1].mistakes[0], SizeMismatch)


def test_several_tensors() -> None:
    need = Obligations(Facts.empty)
    assert concatenated(need, ((N, D), (M, D)), Dim.const(0)) == (N + M, D)
    assert stacked(need, ((N, D), (N, D)), Dim.const(1)) == (N, TWO, D)
    assert parts(need, (N, 3 * D), Dim.const(3), Dim.const(-1)) == (N, D)
    assert check_split(need, (N, D + T), (D, T), Dim.const(1)) == 1 and not need.mistakes
    assert concatenated(need, ((N, D), (M, T)), Dim.const(0)) is None
    assert check_split(need, (N, D), (D, D), Dim.const(1)) is None
    assert parts(need, (N, D), TWO, Dim.const(1)) is None
    assert [type(m) for m in need.mistakes] == [SizeMismatch, SizeMismatch, NotDivisible]


@given(st.integers(3, 9), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2), st.integers(1, 2), st.integers(1, 3))
def test_convolution_is_what_torch_does(size, kernel, stride, padding, dilation, groups, channels) -> None:
    args = [Dim.const(v) for v in (stride, padding, dilation, groups)]
    inner, c, o = channels, channels * groups, 2 * groups
    found, need = call("conv2d", dims((2,)), *dims((c, size, size + 1, o, inner, kernel, 1)), *args)
    try:
        wanted = torch.conv2d(meta((2, c, size, size + 1)), meta((o, inner, kernel, 1)), None, stride, padding, dilation, groups)
    except RuntimeError:
        assert isinstance(need.mistakes[0], EmptySlice)
        return
    assert known(found) == tuple(wanted.shape)


@given(st.integers(2, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2), st.booleans())
def test_pooling_is_what_torch_does(size, kernel, stride, padding, ceil) -> None:
    found, need = call("pool1d", dims((1, 2, size)), *dims((kernel, stride, padding, 1)), ceil)
    try:
        wanted = torch.nn.functional.max_pool1d(meta((1, 2, size)), kernel, stride, padding, 1, ceil)
    except RuntimeError:
        return
    assert known(found) == tuple(wanted.shape) and not need.mistakes


def test_windows_of_names() -> None:
    half = H.floor_div(2)
    assert call("pool2d", (B, D, H, N), TWO, NoneType(), Dim.const(0), Dim.const(1), False)[0] == (B, D, half, N.floor_div(2))
    assert isinstance(call("conv1d", (B,), D, T, N, M, Dim.const(3), *dims((1, 1, 1, 1)))[1].mistakes[0], SizeMismatch)
    assert call("conv1d", (B,), D, T, N, D, Dim.const(3), *dims((1, 1, 1, 1)))[0] == (B, N, T)


def test_einsum_cases_of_other_suites(shared: Path) -> None:
    cases = json.loads((shared / "data/einsum/einsum_cases.json").read_text())
    assert len(cases["ok"]) >= 100
    for case in cases["ok"]:
        need = Obligations(Facts.empty)
        assert known(einsum(need, case["eq"], tuple(map(dims, case["shapes"])))) == tuple(case["out_shape"]), case
        assert not need.mistakes
    for case in cases["must_refuse"]:
        need = Obligations(Facts.empty)
        assert einsum(need, case["eq"], ((Dim.const(2),),) * (1 + case["eq"].count(","))) is None and need.mistakes


def test_einsum_of_names() -> None:
    need = Obligations(Facts.empty)
    assert einsum(need, "...ij,jk->...ik", ((RUN, N, D), (D, M))) == (RUN, N, M)
    assert einsum(need, "ij,jk->ik", ((N, D), (T, M))) is None and isinstance(need.mistakes[0], SizeMismatch)
    assert einsum(need, "ijk->", ((N, D),)) is None and isinstance(need.mistakes[1], RankMismatch)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 3))
def test_flatten_multiplies(shape, start, end) -> None:
    found, need = call("flatten", dims(shape), Dim.const(start), Dim.const(end))
    if start < len(shape) and start <= end < len(shape):
        assert known(found) == tuple(meta(shape).flatten(start, end).shape) and prod(known(found) or ()) == prod(shape)
    else:
        assert need.mistakes


def test_axis_of_is_public() -> None:
    assert shapes.axis_of((N, D), Dim.const(-1), Obligations(Facts.empty)) == 1
