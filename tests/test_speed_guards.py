"""What keeps `tlc` quick to start, without a clock: records behave as frozen dataclasses, and nothing is made or imported twice."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlogic.record import distinct_record, record
from tensorlogic.syntax.build_statements import SignatureBuilder
from tensorlogic.syntax.driver import reducers

UNNEEDED = ("tempfile", "mmap", "tensorlogic.formats", "tensorlogic.backends", "tensorlogic.runtime", "tensorlogic.syntax.format")
PROBE = f"""
import sys
from tensorlogic.cli.main import main
sys.argv = ["tlc", "check", "small.tl"]
main()
print(*(name for name in {UNNEEDED!r} if name in sys.modules))
"""


@record
class Point:
    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


@distinct_record
class Node:
    name: str


def test_a_record_is_a_frozen_dataclass() -> None:
    point = Point(1)
    assert point == Point(1, 0, []) and point != Point(2) and repr(point) == "Point(x=1, y=0, tags=[])"
    assert dataclasses.replace(point, y=3).y == 3 and Point.__match_args__ == ("x", "y", "tags")
    assert point.tags is not Point(1).tags and not hasattr(point, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x


def test_a_distinct_record_equals_only_itself() -> None:
    node = Node("a")
    assert node == node and node != Node("a") and len({node, Node("a")}) == 2


def test_reducers_are_made_once() -> None:
    assert reducers(SignatureBuilder) is reducers(SignatureBuilder)


def test_check_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    (tmp_path / "small.tl").write_text("fn f(x: f32[N]) -> f32[N] { return x * 2.0 }\n")
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
