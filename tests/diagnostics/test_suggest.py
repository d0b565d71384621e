"""Suggestions: near names are found, far ones are not, and nothing costs much."""

import time

import pytest
from hypothesis import given, strategies as st

from tensorlogic.diagnostics.suggest import did_you_mean, edit_distance

BUILTINS = ["softmax", "log_softmax", "sigmoid", "sum", "mean", "median", "layer_norm", "Linear", "transpose", "reshape", "relu", "gelu"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sofmax", "softmax"),
        ("trasnpose", "transpose"),
        ("layernorm", "layer_norm"),
        ("linear", "Linear"),
        ("RELU", "relu"),
        ("maen", "mean"),
        ("sun", "sum"),
        ("xyzzy", None),
        ("x", None),
        ("", None),
        ("s" * 100_000, None),
    ],
)
def test_did_you_mean(name, found):
    assert did_you_mean(name, BUILTINS) == found


def test_case_alone_is_nearest():
    assert did_you_mean("Relu", ["relus", "gelu", "relu"]) == "relu"


def test_short_names_are_not_guessed():
    assert did_you_mean("x", ["y", "z", "w"]) is None
    assert did_you_mean("wq", ["wk", "wv"]) is None


def test_several():
    assert did_you_mean("meam", ["mean", "meat", "sum"], limit=2) == "mean` or `meat"


def test_the_name_itself_is_no_suggestion():
    assert did_you_mean("mean", ["mean"]) is None


def test_many_and_long_candidates_are_cheap():
    start = time.process_time()
    assert did_you_mean("n" * 80, (f"{'n' * 75}{i:05}" for i in range(10**5))) is None
    assert did_you_mean("n" * 80, (f"{'n' * 76}{i:04}" for i in range(10**5))) is not None
    assert did_you_mean("abc", ["b" * 10**7]) is None
    assert time.process_time() - start < 10


def test_transpositions_count_once():
    assert edit_distance("abcd", "abdc", 9) == 1
    assert edit_distance("ca", "abc", 9) == 3


short = st.text("abc", max_size=7)


@given(short, short, short)
def test_distance_laws(a, b, c):
    assert (edit_distance(a, b, 99) == 0) == (a == b)
    assert edit_distance(a, b, 99) == edit_distance(b, a, 99)
    assert edit_distance(a, b, 99) <= max(len(a), len(b))
    assert edit_distance(c + a, c + b, 99) == edit_distance(a, b, 99)


@given(short, short, st.integers(0, 7))
def test_the_cutoff_changes_nothing_below_it(a, b, cutoff):
    exact = edit_distance(a, b, 99)
    assert edit_distance(a, b, cutoff) == min(exact, cutoff + 1)


@given(st.text(), st.lists(st.text(), max_size=8))
def test_answers_are_candidates(name, candidates):
    found = did_you_mean(name, candidates)
    assert found is None or found in candidates
