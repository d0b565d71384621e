"""What an installation has: the wheel holds every file of the package and the grammar, and works without the checkout."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(find_spec("hatchling") is None or find_spec("pip") is None, reason="needs hatchling and pip")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", str(ROOT), *options, "--wheel-dir", str(folder)], check=True)
    (made,) = folder.glob("*.whl")
    return made


def files(folder: str) -> set[str]:
    """The files of the checkout below a folder, where the wheel has them."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    inside = {"grammar": "tensorlogic/grammar"}.get(folder, folder)
    return {f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" for path in found}


def test_nothing_is_left_out(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files("tensorlogic") | files("grammar")
    kinds = {"tensorlogic/grammar/": ".lark", "tensorlogic/syntax/tables": ".json", "tensorlogic/library/": ".tl"}
    kinds["tensorlogic/diagnostics/explain/"] = ".md"
    for start, end in kinds.items():
        assert any(name.startswith(start) and name.endswith(end) for name in held), start


def test_it_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "a.tl").write_text("let y: f32[2, 5, 8] = TransformerBlock(8, 2, 32)(ones([2, 5, 8]))\nprint(y.shape)\n")

    def tlc(*arguments: str) -> str:
        command = [sys.executable, "-P", "-m", "tensorlogic", *arguments]
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert tlc("run", "a.tl") == "[2, 5, 8]\n"
    assert "TL0301" in tlc("explain", "TL0301")
