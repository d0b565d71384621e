"""Printed and read back: source through the formatter, and the text of the IR, for random programs, conformance programs and examples."""

import os
from pathlib import Path
from random import Random

import pytest

from tensorlogic.source import Source
from tensorlogic.syntax.format import format_source
from tests.agreement.compare import Program as Compiled, same
from tests.ir.test_text import NOT_SAID, printed
from tests.properties.programs_run import arguments, batch
from tests.syntax.test_format import obeys_the_laws

HERE = str(Path(__file__).with_name("programs_run.py"))
ROOT = Path(__file__).resolve().parents[2]
REAL = [*sorted((ROOT.parent / "shared" / "conformance").rglob("*.tl")), *sorted((ROOT / "examples").glob("*.tl"))]
BATCHES = 500 if os.environ.get("TLC_FULL") else 2
REMARKS = ("// why", "/* one */", "/* of\n   two lines */", "/// what it is", "//", '// "quoted" { ( [')


def text_of(seed: int) -> str:
    return "\n".join(one.text for one in batch(seed))


def remarked(text: str, random: Random) -> str:
    """With comments and blank lines between and behind lines."""
    lines = []
    for line in text.split("\n"):
        if random.random() < 0.1:
            lines.append(random.choice(REMARKS))
        lines.append(line + (f"  {random.choice(REMARKS[:2])}" if random.random() < 0.1 else ""))
        lines += [""] * (random.random() < 0.05)
    return "\n".join(lines)


@pytest.mark.parametrize("part", range(2))
def test_source(part: int) -> None:
    """The formatter is stable, keeps tree and comments; what it wrote means the same."""
    for seed in range(part, BATCHES, 2):
        text = text_of(seed)
        obeys_the_laws(remarked(text, Random(seed)))
        assert printed(format_source(text), HERE) == printed(text, HERE)


@pytest.mark.parametrize("part", range(2))
def test_intermediate_form(part: int) -> None:
    """Printed IR is a program: read back it prints the same."""
    for seed in range(part, BATCHES, 2):
        once = printed(text_of(seed), HERE)
        assert once is not None and printed(once, HERE) == once


@pytest.mark.parametrize("seed", range(max(2, BATCHES // 20)))
def test_intermediate_form_runs_as_the_program_did(seed: int) -> None:
    made = [one for one in batch(seed) if "import" not in one.text]
    text = "\n".join(one.text for one in made)
    once = printed(text, HERE)
    assert once is not None
    first, second = Compiled(Source(HERE, text)), Compiled(Source(HERE, once))
    for one in made:
        name, args = f"made{one.number}", arguments(one)
        values = [program.call(program.names[program.generated.functions[name]], args) for program in (first, second)]
        assert same(*values), one.text


@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_real_programs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    try:
        once = printed(text, str(path))
    except ValueError as error:
        pytest.skip(f"{error}: training is not printed yet")
    if once is None:
        return
    obeys_the_laws(text)
    assert printed(format_source(text), str(path)) == once
    if path.stem not in NOT_SAID:
        assert printed(once, str(path)) == once
