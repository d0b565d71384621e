"""Explanations: every code has a page, and its examples are marked as the programs of the conformance suite are."""

import json
import re

import pytest

from tensorlogic.diagnostics.codes import CODES
from tensorlogic.diagnostics.explain import codes_with_explanations, examples, explain

MARK = re.compile(r"//\s*(error|warning):\s*(TL\d{4})\s*$", re.MULTILINE)
FENCES = {"tl wrong", "tl right", "tl run", "sh"}
WITHOUT_PROGRAM = {"TL0706", "TL0804", "TL0805", "TL0806", "TL0999"}


def test_every_code_is_explained():
    assert codes_with_explanations() == tuple(CODES)


@pytest.mark.parametrize("code", CODES)
def test_page(code):
    page = explain(code)
    assert page is not None
    title, blank, *rest = page.splitlines()
    assert title == f"# {code}: {CODES[code].title}"
    assert blank == "" and page.endswith("\n") and not page.endswith("\n\n")
    words = "\n".join(rest).split("```")[0].split()
    assert 20 <= len(words) <= 90, f"{len(words)} words"


@pytest.mark.parametrize("code", CODES)
def test_fences(code):
    lines = [line for line in (explain(code) or "").splitlines() if line.startswith("```")]
    assert len(lines) % 2 == 0
    assert all(closing == "```" for closing in lines[1::2])
    for opening in lines[::2]:
        info = opening.removeprefix("```")
        assert info in FENCES or re.fullmatch(r"(tl|json|text) file \w+\.\w+", info), info


@pytest.mark.parametrize("code", CODES)
def test_examples(code):
    kinds = [example.kind for example in examples(code) if example.kind != "file"]
    if code in WITHOUT_PROGRAM:
        assert kinds == []
    elif code.startswith("TL08"):
        assert kinds == ["run"]
    else:
        assert kinds == ["wrong", "right"]


@pytest.mark.parametrize("code", CODES)
def test_marks_name_the_page(code):
    for example in examples(code):
        wanted = [(CODES[code].severity, code)] if example.kind == "wrong" else []
        assert MARK.findall(example.text) == wanted, example.kind


@pytest.mark.parametrize("code", CODES)
def test_files_of_examples(code, write_examples):
    found = examples(code)
    folder = write_examples(found)
    for example in found:
        if example.kind == "file" and example.text.startswith("{"):
            written = (folder / example.name).read_bytes()
            size = int.from_bytes(written[:8], "little")
            header = json.loads(written[8 : 8 + size])
            assert len(written) == 8 + size + max(entry["data_offsets"][1] for entry in header.values())
    assert {p.name for p in folder.iterdir()} == {example.name for example in found if example.kind == "file"}


def test_unknown_codes_and_paths():
    assert explain("tl0301") == explain("TL0301")
    for other in ("TL0000", "", "../explain/TL0301", "TL0301.md", "/etc/passwd", "TL0301\0"):
        assert explain(other) is None
        assert examples(other) == []
