"""The conformance programs and the examples: every way of running them gives the same bits, and the generated text is what was meant."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from shutil import which

import pytest

from tensorlogic import driver
from tensorlogic.cli.program import read_program
from tests.agreement.compare import NoArguments, Program, arguments, same

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = ROOT.parent / "shared" / "conformance" / "core"
FAILS_ON_PURPOSE = "// expect: panic"


def checks(path: Path) -> bool:
    """Whether a program has no mistakes and nothing that cannot be run yet."""
    analysis = driver.analyse(read_program(str(path)))
    return not analysis.problems.errors and analysis.module is not None


def runnable(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "$TMP" not in text and FAILS_ON_PURPOSE not in text and not text.startswith("// expect: error")


PROGRAMS = [p for p in (*sorted(CORE.glob("*.tl")), *sorted((ROOT / "examples").glob("*.tl"))) if runnable(p) and checks(p)]
IDS = [p.stem for p in PROGRAMS]
# Files lie beside the program; relations are compared with engines of others, in tests/relations.
ALONE = [p for p in PROGRAMS if not re.search(r"load_model|read_text|^(relation|entity) ", p.read_text(encoding="utf-8"), re.MULTILINE)]
SIZES = 5 if os.environ.get("TLC_FULL") else 2


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Compiled, with a fresh working folder for what it writes."""
    found = Program(read_program(str(request.param)))
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize("program", ALONE, ids=[p.stem for p in ALONE], indirect=True)
def test_all_ways_agree(program: Program) -> None:
    python, reference = program.run()
    assert python == reference
    different = [name for name, a, b in program.values() if not same(a, b)]
    assert not different
    for function in program.module.functions:
        if function.receiver is None:
            agree_on(program, function.name)


def agree_on(program: Program, name: str) -> None:
    """One function, for several sizes with one and the same graph."""
    function, graph = program.module.function(name), program.graph(name)
    for seed in range(SIZES):
        try:
            args = arguments(function, Random(seed))
        except NoArguments:
            return
        python = program.call(program.names[program.generated.functions[name]], args)
        others = {"reference": program.call(lambda *a: program.reference.call(name, *a), args)}
        if graph is not None:
            others["graph"] = program.call(graph, args)
        for way, other in others.items():
            assert same(python, other), f"{name}({args}): Python gives {python}, the {way} {other}"


def test_enough_is_compared() -> None:
    if not CORE.is_dir():
        pytest.skip("no folder of shared data beside the repository")
    pure = [name for path in PROGRAMS for name in pure_functions(path)]
    assert len(PROGRAMS) >= 40 and len(pure) >= 30, (len(PROGRAMS), len(pure))


def pure_functions(path: Path) -> list[str]:
    from tensorlogic.backends.fx import why_not_pure

    module = driver.analyse(read_program(str(path))).checked()
    return [f.name for f in module.functions if why_not_pure(module, f.name) is None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All programs as `tlc build` writes them."""
    folder = tmp_path_factory.mktemp("built")
    for path in PROGRAMS:
        (folder / f"p{path.stem}.py").write_text(driver.build(driver.analyse(read_program(str(path)))).text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("path", PROGRAMS, ids=IDS)
def test_the_text_is_the_tree_that_was_meant(path: Path) -> None:
    generated = driver.build(driver.analyse(read_program(str(path))))
    assert ast.dump(ast.parse(generated.text)) == ast.dump(generated.tree)


def test_built_modules_are_clean(built: Path) -> None:
    ruff = which("ruff") or which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed")
    rules = ["check", "--isolated", "--line-length=140", "--target-version=py311", "--select=E,F,I,UP", "--output-format=concise"]
    done = subprocess.run([ruff, *rules, str(built)], capture_output=True, text=True, cwd=built)
    assert done.returncode == 0, done.stdout + done.stderr


RUN_ALL = """
import contextlib, io, os, runpy, sys, torch
class NothingElse:
    def find_spec(self, name, path=None, target=None):
        if name.startswith('tensorlogic.') and name.split('.')[1] not in ('runtime', 'formats', 'diagnostics', 'source', 'record', 'write'):
            raise ImportError('a built module needs ' + name)
sys.meta_path.insert(0, NothingElse())
for path in sys.argv[1:]:
    torch.manual_seed(7)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(path, run_name='__main__')
    with open(path + '.out', 'w') as file:
        file.write(out.getvalue())
"""


def test_built_modules_run_alone(built: Path, tmp_path: Path) -> None:
    files = [str(built / f"p{p.stem}.py") for p in ALONE]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", RUN_ALL, *files], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    for path, file in zip(ALONE, files, strict=True):
        assert Path(file + ".out").read_text() == Program(read_program(str(path))).run()[0]
