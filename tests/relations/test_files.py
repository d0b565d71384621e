"""Facts in bulk: every format, and files that are not what was declared: the file and the line, before anything is derived."""

from pathlib import Path

import numpy as np
import pytest

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError

INTS = 'relation edge(int, int) from "FILE"\nlet n = count(edge(_, _))\nlet one = count(edge(1, _))\n'


def run(folder: Path, program: str, file: str) -> dict:
    path = folder / "program.tl"
    path.write_text(program.replace("FILE", file))
    compiled = tl.compile(str(path))
    compiled.run()
    return compiled.values


@pytest.mark.parametrize(
    "name, text", [("e.tsv", "1\t2\n1\t3\n2\t3\n1\t2\n"), ("e.csv", "1,2\n1,3\n\n2,3\n"), ("e.txt", "1 2\n1  3\r\n2 3")]
)
def test_text(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    values = run(tmp_path, INTS, name)
    assert (values["n"], values["one"]) == (3, 2)


@pytest.mark.parametrize("name", ["e.npy", "e.npz"])
def test_arrays(tmp_path: Path, name: str) -> None:
    array = np.array([[1, 2], [1, 3], [2, 3]], dtype=np.int32)
    (np.save if name.endswith("npy") else np.savez)(tmp_path / name, array)
    assert run(tmp_path, INTS, name)["n"] == 3


def test_entities_and_weights(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('ann,"ben, the first",0.5\nann,cid,0.25\n')
    program = 'entity person\nrelation trust(person, person): float32 from "FILE"\nlet t = trust\nlet rows = trust(x, y)?\n'
    values = run(tmp_path, program, "t.csv")
    assert values["t"].tolist() == [[0, 0.5, 0.25], [0, 0, 0], [0, 0, 0]]
    assert [row.y for row in values["rows"]] == ["ben, the first", "cid"]


def test_floats(tmp_path: Path) -> None:
    (tmp_path / "f.tsv").write_text("1.5\t-0.0\n1.5\t0.0\n2\t3\n")
    values = run(tmp_path, 'relation f(float, float) from "FILE"\nlet n = count(f(_, _))\nlet z = count(f(1.5, 0.0))\n', "f.tsv")
    assert (values["n"], values["z"]) == (2, 1)


WRONG = {
    "ragged": ("e.tsv", b"1\t2\n1\t2\t3\n", "TL0604", "e.tsv:2"),
    "not a number": ("e.csv", b"1,2\nx,3\n", "TL0604", "e.csv:2"),
    "too large": ("e.txt", b"1 2\n3 99999999999999999999\n", "TL0604", "e.txt:2"),
    "not text": ("e.tsv", b"1\t2\n\xff\xfe\t3\n", "TL0604", "e.tsv"),
    "not there": ("none.tsv", None, "TL0606", "none.tsv"),
    "another kind": ("e.json", b"[]", "TL0604", "e.json"),
    "no array": ("e.npy", b"\x93NUMPY garbage", "TL0604", "e.npy"),
    "no archive": ("e.npz", b"PK garbage", "TL0604", "e.npz"),
    "a pickle": ("e.npy", b"\x80\x04\x95", "TL0604", "e.npy"),
    "empty": ("e.npy", b"", "TL0604", "e.npy"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_file(tmp_path: Path, name: str) -> None:
    file, content, code, place = WRONG[name]
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(TensorLogicError) as raised:
        run(tmp_path, INTS, file)
    (told,) = raised.value.diagnostics
    assert told.code == code and place in told.message
    assert told.span is not None and told.span.line == 1


@pytest.mark.parametrize("array", [np.zeros((2, 3), np.int64), np.zeros(4, np.int64), np.array([[1.5, 2.0]]), np.array([["a", "b"]])])
def test_wrong_array(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "e.npy", array)
    with pytest.raises(TensorLogicError) as raised:
        run(tmp_path, INTS, "e.npy")
    assert raised.value.diagnostics[0].code == "TL0604"


def test_object_arrays_are_refused(tmp_path: Path) -> None:
    """They would be pickles."""
    np.save(tmp_path / "e.npy", np.array([[{}, {}]], dtype=object), allow_pickle=True)
    with pytest.raises(TensorLogicError) as raised:
        run(tmp_path, INTS, "e.npy")
    assert raised.value.diagnostics[0].code == "TL0604"


def test_unknown_entity_of_a_closed_type(tmp_path: Path) -> None:
    (tmp_path / "p.tsv").write_text("ann\tdot\n")
    with pytest.raises(TensorLogicError) as raised:
        run(tmp_path, 'entity person = {ann}\nrelation p(person, person) from "FILE"\n', "p.tsv")
    assert raised.value.diagnostics[0].code == "TL0502"


def test_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "e.tsv").write_text("1\t2\n")
    (tmp_path / "lib" / "graph.tl").write_text('relation edge(int, int) from "e.tsv"\npath(x, y) <- edge(x, y)\n')
    assert run(tmp_path, 'import "lib/graph.tl"\nlet n = count(path(_, _))\n', "")["n"] == 1
