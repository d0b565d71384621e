"""docs/errors.md tells what happens: every program of the gallery is checked again, and every twin in PyTorch is run again."""

import re
import runpy
from pathlib import Path

import pytest
import torch

from tensorlogic.driver import analyse
from tensorlogic.source import Source

DOCS = Path(__file__).resolve().parent.parent / "docs"
MAKER = runpy.run_path(str(DOCS / "make_errors.py"))
ENTRIES = MAKER["entries"]()
PAGE = (DOCS / "errors.md").read_text(encoding="utf-8")
SHOWN = re.search(r"with PyTorch (\S+)\.$", PAGE, re.MULTILINE)
SECTIONS = re.split(r"^## \d+\. ", PAGE, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("index", range(len(ENTRIES)), ids=[found.name for found in ENTRIES])
def test_what_the_checker_says(index: int) -> None:
    found = ENTRIES[index]
    assert f"```tl gallery\n{found.program}```\n\n```text\n{MAKER['tlc_says'](found)}\n```" in SECTIONS[index], "run docs/make_errors.py"


@pytest.mark.parametrize("found", ENTRIES, ids=lambda found: found.name)
def test_one_mistake_one_message(found) -> None:
    """With every tensor's place and a fix, a number or both: no entry is left with a bare title."""
    (told,) = analyse(Source("main.tl", found.program), {}).diagnostics
    assert told.is_error
    assert told.text or told.labels
    assert told.help or told.notes or any(character.isdigit() for character in told.message), told


@pytest.mark.skipif(SHOWN is None or SHOWN[1] != torch.__version__.split("+")[0], reason="the page was made with another PyTorch")
def test_the_page_is_current() -> None:
    assert MAKER["page"]() == PAGE, "run docs/make_errors.py"


def test_there_are_enough() -> None:
    assert len(SECTIONS) == len(ENTRIES) >= 25
    assert len({found.title for found in ENTRIES}) == len(ENTRIES)
