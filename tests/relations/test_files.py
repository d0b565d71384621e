"""Facts in bulk: every format, and files that are not what was declared: the file and the line, before anything is derived."""

import struct
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.relations import memory

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


@pytest.mark.filterwarnings("error")
def test_nothing_but_the_program_speaks(tmp_path: Path) -> None:
    """An empty file is no facts, and an array that lies in a file is read as any other."""
    (tmp_path / "e.tsv").write_text("")
    assert run(tmp_path, 'relation edge(int, int) from "FILE"\nlet n = count(edge(_, _))\n', "e.tsv")["n"] == 0
    np.save(tmp_path / "w.npy", np.array([[1, 2, 3]]))
    assert run(tmp_path, 'relation w(int, int): float32 from "FILE"\nlet n = count(w(_, _))\n', "w.npy")["n"] == 1


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


def npy(shape: str, kind: str = "<i8", data: bytes = b"") -> bytes:
    """A file that says of itself what it likes."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def archive(content: bytes) -> bytes:
    found = BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", content)
    return found.getvalue()


WRONG = {
    "too few values": ("e.txt", b"1 2\n\n3\n", "TL0604", "e.txt:3"),
    "a fraction": ("e.tsv", b"1\t2\n1.5\t3\n", "TL0604", "e.tsv:2"),
    "thousands of digits": ("e.tsv", b"1\t2\n" + b"9" * 6000 + b"\t1\n", "TL0604", "e.tsv:2"),
    "digits apart": ("e.tsv", b"1\t2\n1_0\t1\n", "TL0604", "e.tsv:2"),
    "digits of another script": ("e.tsv", "1\t2\n1\t\u0663\n".encode(), "TL0604", "e.tsv:2"),
    "another encoding": ("e.csv", "1,2\n".encode("utf-16"), "TL0604", "e.csv:1"),
    "an endless cell": ("e.csv", b'1,2\n1,"' + b"7" * 200_000 + b'"\n', "TL0604", "e.csv:2"),
    "says it is huge": ("e.npy", npy("(1000000000000, 2)", data=bytes(64)), "TL0604", "e.npy"),
    "says it is huge inside": ("e.npz", archive(npy("(1000000000000, 2)", data=bytes(64))), "TL0604", "e.npz"),
    "less than none": ("e.npy", npy("(-1, 2)", data=bytes(64)), "TL0604", "e.npy"),
    "cut off": ("e.npy", npy("(5, 2)", data=bytes(16)), "TL0604", "e.npy"),
    "a huge header": ("e.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 200_000) + b"{" * 200_000, "TL0604", "e.npy"),
    "a deep header": ("e.npy", npy("[" * 3000 + "]" * 3000), "TL0604", "e.npy"),
    "objects": ("e.npy", npy("(1, 2)", "|O", b"\x80\x04N."), "TL0604", "e.npy"),
    "objects inside": ("e.npz", archive(npy("(1, 2)", "|O", b"\x80\x04N.")), "TL0604", "e.npz"),
    "marks": ("e.npy", npy("(1, 2)", "|b1", bytes(2)), "TL0604", "bool"),
    "records": ("e.npy", npy("(1, 2)", "<c16", bytes(32)), "TL0604", "complex128"),
    "a number of 64 bits without a sign": ("e.npy", npy("(1, 2)", "<u8", b"\xff" * 16), "TL0604", "64 bits"),
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


@pytest.mark.parametrize("row", [[1.5, 2, 0.5], [np.inf, 2, 0.5], [1, 1e300, 0.5], [1, 2, np.nan]])
def test_wrong_weighted_array(row: list[float]) -> None:
    """Ints in an array of floats have to be ints."""
    compiled = tl.compile("relation w(int, int): float32\n")
    with pytest.raises(TensorLogicError) as raised:
        compiled._loaded.names["knowledge"].put("w", np.array([row]))
    assert raised.value.diagnostics[0].code == "TL0604"


@pytest.mark.parametrize("name", ["e.tsv", "e.npy"])
def test_more_facts_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with open(tmp_path / name, "wb") as file:
        file.truncate(1 << 30)  # takes no space
    monkeypatch.setattr(memory, "available", lambda device: 1 << 20)
    with pytest.raises(TensorLogicError) as raised:
        run(tmp_path, INTS, name)
    (told,) = raised.value.diagnostics
    assert told.code == "TL0804" and name in told.message and told.span is not None and told.span.line == 1


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
