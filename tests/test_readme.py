"""What README.md and docs/ show is what happens: every output that they print is compared with a run, the picture with the package.

A program or script is named by `<!-- file: NAME -->` on the line before its fence, an output by `<!-- output: COMMAND -->`.
`pytest tests/test_readme.py --update-golden` puts in what the commands print now.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tensorlogic as tl
from tensorlogic.cli.main import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+(?: \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"(^<!-- output: ([^\n]*) -->\n```\w+\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^```tl( wrong)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITH_OUTPUT = [page for page in PAGES if OUTPUT.search(page.read_text(encoding="utf-8"))]
SETUP = ("python -m pip install -e . && tlc run examples/01_linear.tl", 'python -m pip install -e ".[test]" && python -m pytest -q')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that has the examples, as somebody who reads along has it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """What a command prints, in the order of its streams: `tlc` in this process, Python in one of its own."""

    def run(command: str) -> str:
        name, *arguments = command.split()
        if name == "python":
            done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120)
            return done.stdout + done.stderr
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        main()
        captured = capsys.readouterr()
        return captured.out + captured.err

    return run


@pytest.mark.parametrize("page", WITH_OUTPUT, ids=lambda page: page.name)
def test_outputs_are_real(page: Path, folder: Path, output: Callable[[str], str], request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
    shown = OUTPUT.sub(lambda match: match[1] + output(match[2]).strip("\n") + "\n" + match[4], text)
    if request.config.getoption("--update-golden"):
        page.write_text(shown, encoding="utf-8")
    assert shown == page.read_text(encoding="utf-8"), "if the new output is right, run with --update-golden"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_programs_run_and_wrong_ones_are_wrong_as_marked(page: Path) -> None:
    for is_wrong, text in PROGRAM.findall(page.read_text(encoding="utf-8")):
        found = [(d.span.line, d.code) for d in tl.check(text) if d.span]
        assert found == [(n, code) for n, line in enumerate(text.split("\n"), 1) for code in re.findall(r"// error: (TL\d+)", line)], text
        if not is_wrong:
            tl.compile(text).run()


def test_two_commands_are_the_whole_set_up() -> None:
    assert all(command in README for command in SETUP)


def test_every_command_is_in_the_table() -> None:
    assert {name for name in COMMANDS if f"| `tlc {name}" not in README} == set()
    assert set(re.findall(r"\| `tlc (\w+)", README)) <= set(COMMANDS)


def test_the_picture_names_what_is_there() -> None:
    picture = README.partition("<!-- picture -->\n```text\n")[2].partition("```")[0]
    top = re.findall(r"^(\w\S*)", picture, re.MULTILINE)
    inside = re.findall(r"^  (\w\S*)", picture, re.MULTILINE)
    package = ROOT / "tensorlogic"
    assert set(inside) == {path.name for path in package.glob("*.py")} | {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert [name for name in top if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_page_of_builtins_is_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "make_builtins.py", "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
