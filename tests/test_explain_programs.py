"""The examples of `tlc explain` are programs: each does what its page says, through the real command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems, TensorLogicError
from tensorlogic.diagnostics.explain import Example, codes_with_explanations, examples
from tensorlogic.syntax.parse import read_source

MARK = re.compile(r"//\s*(?:error|warning):\s*(TL\d{4}(?:[ ,]+TL\d{4})*)\s*$")
CHECKED = [(code, e.kind) for code in codes_with_explanations() for e in examples(code) if e.kind in ("wrong", "right")]
RUN = [code for code in codes_with_explanations() if any(e.kind == "run" for e in examples(code))]
LATER = ("TL0803", "TL0808")  # `learn` and relations


def diagnostics_of(example: Example, folder: Path) -> list[Diagnostic]:
    path, problems = folder / "main.tl", Problems()
    path.write_text(example.text)
    try:
        check_program(read_source(str(path)), problems)
    except TensorLogicError as error:
        return error.diagnostics
    return problems.in_order()


def is_later(code: str, found: list[Diagnostic]) -> bool:
    """Whether the program uses what this version does not have yet."""
    return code != "TL0105" and any(d.code == "TL0105" for d in found)


@pytest.mark.parametrize(("code", "kind"), CHECKED)
def test_a_page_tells_the_truth(code: str, kind: str, write_examples) -> None:
    found = examples(code)
    folder = write_examples(found)
    for example in (e for e in found if e.kind == kind):
        told = diagnostics_of(example, folder)
        if is_later(code, told):
            pytest.skip("not supported yet")
        wanted = {
            (c, n) for n, line in enumerate(example.text.splitlines(), 1) if (m := MARK.search(line)) for c in re.findall(r"TL\d{4}", m[1])
        }
        errors = {(d.code, d.span.line if d.span else 0) for d in told if d.is_error or d.code == code}
        assert errors == wanted, [f"{d.code} {d.message}" for d in told]


@pytest.mark.parametrize("code", RUN)
def test_a_run_ends_with_its_code(code: str, write_examples) -> None:
    found = examples(code)
    folder = write_examples(found)
    for example in (e for e in found if e.kind == "run"):
        if code in LATER:
            pytest.skip("not supported yet")
        (folder / "main.tl").write_text(example.text)
        flags = re.findall(r"^// args: (.*)$", example.text, re.M)
        command = [sys.executable, "-m", "tensorlogic", "run", "main.tl", *(flags[0].split() if flags else [])]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 3, done.stderr
        assert code in done.stderr
