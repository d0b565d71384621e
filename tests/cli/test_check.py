"""`tlc check`: many files, --json, --strict, and files that hold no text."""

import json

import pytest

GUARDED = "fn rows(x: float32[?, 4], y: float32[N, 4]) -> float32[N, 4] {\n    return x + y\n}\n"


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_good(tlc, folder):
    result = tlc("check", "good.tl")
    assert (result.code, result.out, result.err) == (0, "", "1 file checked: no problems\n")


def test_all_files_are_checked(tlc, folder):
    result = tlc("check", "bad.tl", "good.tl", "bad.tl")
    assert result.code == 1 and not result.out
    assert result.err.count("error[TL0301]") == 2 and result.err.endswith("3 files checked: 2 errors\n")


def test_a_missing_file_does_not_hide_the_others(tlc, folder):
    result = tlc("check", "absent.tl", "bad.tl")
    assert result.code == 2 and "error[TL0301]" in result.err and "absent.tl: No such file" in result.err


def test_json(tlc, folder):
    result = tlc("check", "--json", "bad.tl", "good.tl")
    assert result.code == 1 and result.err == ""
    (found,) = objects(result.out)
    assert list(found) == ["code", "severity", "message", "file", "line", "column", "end_line", "end_column", "notes", "help"]
    assert (found["code"], found["severity"], found["file"], found["line"], found["column"]) == ("TL0301", "error", "bad.tl", 2, 12)


def test_strict(tlc, folder):
    (folder / "guarded.tl").write_text(GUARDED)
    plain, strict = tlc("check", "guarded.tl"), tlc("check", "--strict", "guarded.tl")
    assert plain.code == 0 and "warning[TL0702]" in plain.err
    assert strict.code == 1 and "error[TL0702]" in strict.err


def test_settings(tlc, folder):
    (folder / "sized.tl").write_text("const D = 4\nfn f(x: float32[D], y: float32[4]) -> float32[D] {\n    return x + y\n}\n")
    assert tlc("check", "sized.tl").code == 0
    assert tlc("check", "sized.tl", "--set", "D=5").code == 1


@pytest.mark.parametrize("content", [b"let x = \xff\n", b"\xff\xfel\0e\0t\0", b"let x = 1\0\n", b"\x80" * 5000], ids=repr)
def test_no_text(tlc, folder, content):
    (folder / "bytes.tl").write_bytes(content)
    result = tlc("check", "bytes.tl")
    assert result.code == 1 and "error[TL01" in result.err and "bytes.tl" in result.err


def test_empty_file(tlc, folder):
    (folder / "empty.tl").write_bytes(b"")
    assert tlc("check", "empty.tl").code == 0
