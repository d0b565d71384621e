"""Imports that a program alone cannot show: circles, links out of the project, mistakes in the imported file, settings."""

from pathlib import Path

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source


def found(folder: Path, files: dict[str, str], settings: dict[str, str] | None = None) -> list[tuple[str, str, int]]:
    """(code, file name, line) of each diagnostic of `main.tl`."""
    for name, text in files.items():
        (folder / name).write_text(text)
    problems = Problems()
    check_program(Source(str(folder / "main.tl"), files["main.tl"]), problems, settings=settings)
    places = []
    for d in problems.found:
        line = d.span.source.text.count("\n", 0, d.span.start) + 1 if d.span else 0
        places.append((d.code, Path(d.span.source.name).name if d.span else "", line))
    return places


def test_a_circle_is_reported_where_it_closes(tmp_path: Path) -> None:
    files = {"main.tl": 'import "a.tl"\nlet x = f(1)', "a.tl": 'import "b.tl"\nfn f(x: int) -> int { return g(x) }'}
    files["b.tl"] = '// b\nimport "a.tl"\nfn g(x: int) -> int { return x }'
    assert found(tmp_path, files) == [("TL0204", "b.tl", 2)]


def test_a_file_that_imports_the_program(tmp_path: Path) -> None:
    assert found(tmp_path, {"main.tl": 'import "a.tl"', "a.tl": 'import "main.tl"'}) == [("TL0204", "a.tl", 1)]


def test_a_link_out_of_the_project(tmp_path: Path) -> None:
    inside, outside = tmp_path / "project", tmp_path / "other"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.tl").write_text("const KEY = 1")
    (inside / "link.tl").symlink_to(outside / "secret.tl")
    (inside / "folder").symlink_to(outside)
    (inside / "pyproject.toml").write_text("")
    text = 'import "link.tl"\nimport "folder/secret.tl"\nimport "../other/secret.tl"\nlet x = KEY'
    assert found(inside, {"main.tl": text}) == [("TL0205", "main.tl", n) for n in (1, 2, 3)]


def test_a_mistake_in_an_import_is_reported_there_once(tmp_path: Path) -> None:
    files = {"main.tl": 'import "a.tl"\nimport "a.tl" as a\nlet x = f(tensor([1.0])) + a.f(tensor([1.0]))'}
    files["a.tl"] = "fn f(x: f32[N]) -> f32[N] {\n    return x + missing\n}"
    assert found(tmp_path, files) == [("TL0201", "a.tl", 2)]


def test_a_syntax_error_in_an_import_makes_no_other(tmp_path: Path) -> None:
    files = {"main.tl": 'import "a.tl"\nlet x = f(1)\nlet y: f32[D] = zeros([3])\nlet z = Box { w: 1 }'}
    files["a.tl"] = "fn f(x: int -> int { return x }\nconst D = (3\n"
    assert {place[1] for place in found(tmp_path, files)} == {"a.tl"}


def test_names_of_an_import_that_is_not_there_are_silent(tmp_path: Path) -> None:
    files = {"main.tl": 'import "gone.tl"\nlet x = f(1)\nlet y: f32[D] = zeros([3])\nlet z: Box = x\nlet w = UNKNOWN + 1'}
    assert found(tmp_path, files) == [("TL0205", "main.tl", 1)]


def test_bad_utf8_and_folders(tmp_path: Path) -> None:
    (tmp_path / "bytes.tl").write_bytes(b"let a = \xff\xfe")
    (tmp_path / "folder.tl").mkdir()
    codes = [code for code, _, _ in found(tmp_path, {"main.tl": 'import "bytes.tl"\nimport "folder.tl"'})]
    assert codes == ["TL0103", "TL0205"]


def test_settings(tmp_path: Path) -> None:
    files = {"main.tl": "const D = 4\nconst E = D * 2\nlet x: f32[8] = zeros([E])"}
    assert found(tmp_path, files) == []
    assert found(tmp_path, files, {"D": "5"}) == [("TL0301", "main.tl", 3)]
    assert found(tmp_path, files, {"D": "x"}) == [("TL0306", "main.tl", 1)]
    assert found(tmp_path, files, {"F": "1"}) == [("TL0201", "", 0)]
    assert found(tmp_path, files, {"E": "8", "D": "9"}) == []
