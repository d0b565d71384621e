"""Codes: the table of LANGUAGE.md section 8 is complete, and exit statuses are those of section 9."""

import re

import pytest

from tensorlogic.diagnostics.codes import CODES, exit_code
from tensorlogic.diagnostics.diagnostic import Diagnostic

GROUPS = {"TL01": 4, "TL02": 6, "TL03": 14, "TL04": 4, "TL05": 5, "TL06": 7, "TL07": 5, "TL08": 8}

# The contract has no code for what is still to come, and none for what `tlc cost` alone warns of.
OURS = ("TL0105", "TL0706")


def test_every_code_of_the_contract():
    wanted = [f"{group}{n:02}" for group, count in GROUPS.items() for n in range(1, count + 1)]
    assert [code for code in CODES if code not in OURS] == [*wanted, "TL0999"]


def test_the_contract_names_the_same_codes(shared):
    text = (shared / "design/LANGUAGE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| TL\d\dxx .*$", text, re.MULTILINE)
    codes = {f"TL{number}" for row in rows for number in re.findall(r"`(\d{4})`", row)}
    assert codes == set(CODES) - {"TL0999", *OURS}


def test_titles_stand_alone():
    for code in CODES.values():
        assert code.title and not code.title.endswith("."), code
        assert code.title[0].islower() or code.title.startswith(("NaN", "Python")), code
    assert len({code.title for code in CODES.values()}) == len(CODES)


def test_warnings_are_the_seventh_group():
    assert {name for name, code in CODES.items() if code.severity == "warning"} == {f"TL070{n}" for n in range(1, 7)}


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ([], 0),
        (["TL0101"], 1),
        (["TL0607"], 1),
        (["TL0801"], 3),
        (["TL0806"], 130),
        (["TL0999"], 70),
        (["TL0301", "TL0999"], 70),
        (["TL0802", "TL0806"], 130),
    ],
)
def test_exit_code(codes, status):
    assert exit_code(Diagnostic(code, "m") for code in codes) == status


def test_warnings_do_not_count_unless_strict():
    assert exit_code([Diagnostic("TL0702", "m", severity="warning")]) == 0
    assert exit_code([Diagnostic("TL0702", "m", severity="error")]) == 1
