"""The grammar has no conflict, and the shipped tables are the grammar's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlogic.syntax.build_statements import SignatureBuilder
from tensorlogic.syntax.grammar import COLLECT, PASS, TABLES, digest_of, generated, grammar_file, lark_of, tables

FILE = grammar_file()
GRAMMAR = FILE.read_text(encoding="utf-8") if FILE else ""


def test_shipped_tables_are_the_grammars():
    shipped = json.loads(TABLES.read_text(encoding="utf-8"))
    assert shipped["digest"] == digest_of(GRAMMAR), "run python -m tensorlogic.syntax.grammar"
    assert shipped == json.loads(json.dumps(generated(GRAMMAR)))


def test_no_conflicts():
    pytest.importorskip("interegular")
    lark_of(GRAMMAR, strict=True)


def test_strict_mode_would_find_a_conflict():
    pytest.importorskip("interegular")
    from lark.exceptions import GrammarError

    with pytest.raises(GrammarError, match="conflict"):
        lark_of(GRAMMAR.replace("?expr: cast", "?expr: cast | expr PLUS expr"), strict=True)


def test_every_rule_has_its_maker():
    wanted = {rule.method for rule in tables().rules} - {PASS, COLLECT}
    makers = {name.removeprefix("make_") for name in dir(SignatureBuilder) if name.startswith("make_")}
    assert wanted == makers


def test_parsing_needs_neither_lark_nor_torch():
    code = "import sys, tensorlogic.syntax.parse as p; p.parse_expression('a + b'); print(sys.modules.keys() & {'lark', 'torch'})"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout.strip() == "set()"
