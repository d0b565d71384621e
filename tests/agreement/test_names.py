"""Names and texts that are something else in Python mean what they mean in the program, and nothing executes."""

import ast
import keyword
import re
from pathlib import Path

import pytest

from tensorlogic import driver
from tensorlogic.cli.program import read_program
from tensorlogic.source import Source
from tests.agreement.compare import Program

RESERVED = set(re.findall(r"\w+", "import as if else for in while break continue return match and or not"))  # in both languages
PYTHON = [w for w in (*keyword.kwlist, *keyword.softkwlist) if w not in RESERVED and w != "_"]
NAMES = [
    *PYTHON,
    *("type", "object", "eval", "exec", "open", "super", "id", "input", "vars", "getattr", "ValueError", "Exception", "staticmethod"),
    *("__import__", "__builtins__", "__name__", "__class__", "__dict__", "__init__", "__slots__", "__debug__", "_", "__"),
    *("torch", "F", "self", "cls", "math", "dataclasses", "tensorlogic", "ops", "printing", "TESTS", "run", "np"),
    *("v0", "v1", "v2", "p0", "t0", "g0", "x_2", "x", "x_3", "test_1"),
    *("größe", "größe_2", "ｔorch", "ﬁ", "fi", "ſ", "s", "Κ", "K", "ℯ", "名前", "µ", "μ"),
    *("a" * 300, "a" * 299 + "b", "a" * 61, "_" * 60),
]
NAMES = [n for n in dict.fromkeys(NAMES) if n not in ("_",)]
MARK = "MARK"  # what hostile texts would create
BOMB = f"open('{MARK}', 'w')"
TEXTS = [
    '"', "'", '"""', "'''", "\\", "\\\\", "\\n", '\\"""', "{}", "{0}", "{x!r}", "{{", "%s", "#", "\n", "\r", "\r\n", "\t", "\0",
    "\x1b[2J", "\x85", "\u2028", "\u2029", "\ufeff", "\u202e", "\U0001f600", f'""" + {BOMB} + """', f"\n{BOMB}\n", f"';{BOMB};'",
    f'"\n{BOMB}#', "a" * 5000, "\\N{BULLET}", "\\u0041",
]  # fmt: skip


def literal(text: str) -> str:
    """The text as a string of the language: what is not plain ASCII by its number."""
    return '"' + "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\u{{{ord(c):X}}}" for c in text) + '"'


def compiled(text: str) -> Program:
    program = Program(Source("names.tl", text))
    meant, read = program.generated.tree, ast.parse(program.generated.text)
    assert ast.dump(read) == ast.dump(meant)
    assert all(name.isascii() and name.isidentifier() for name in identifiers(read))
    return program


def identifiers(tree: ast.AST) -> set[str]:
    fields = ((node, field) for node in ast.walk(tree) for field in ("id", "attr", "arg", "name") if not isinstance(node, ast.alias))
    return {value for node, field in fields if isinstance(value := getattr(node, field, None), str)}


def test_functions_and_top_level_variables() -> None:
    text = "\n".join(f"fn {name}() -> int {{ return {i} }}" for i, name in enumerate(NAMES))
    program = compiled(f"{text}\nlet all = [{', '.join(f'{name}()' for name in NAMES)}]")
    program.run()
    assert program.names[program.generated.values["all"]] == list(range(len(NAMES)))
    program = compiled("\n".join(f"let {name} = {i}" for i, name in enumerate(NAMES)))
    program.run()
    assert {name: program.names[python] for name, python in program.generated.values.items()} == {n: i for i, n in enumerate(NAMES)}


def test_parameters_locals_and_lambdas() -> None:
    parameters = ", ".join(f"{name}: int" for name in NAMES)
    text = f"fn f({parameters}) -> [int] {{ return [{', '.join(NAMES)}] }}\n"
    text += "fn g() -> [int] {\n" + "\n".join(f"let {name} = {i}" for i, name in enumerate(NAMES)) + f"\nreturn [{', '.join(NAMES)}] }}\n"
    loops = "\n".join(f"for {name} in xs {{ sum_of = sum_of + {name} }}" for name in NAMES)
    text += f"fn h(xs: [int]) -> int {{\nlet sum_of = 0\n{loops}\nreturn sum_of }}\n"
    text += "fn k() -> [int] { return [" + ", ".join(f"[{i}].map(|{name}| {name} + 1)[0]" for i, name in enumerate(NAMES)) + "] }"
    names = (program := compiled(text)).names
    count = list(range(len(NAMES)))
    assert names[program.generated.functions["f"]](*count) == names[program.generated.functions["g"]]() == count
    assert names[program.generated.functions["h"]]([1, 2]) == 3 * len(NAMES)
    assert names[program.generated.functions["k"]]() == [i + 1 for i in count]


def test_dims_of_tensors() -> None:
    import torch

    text = "".join(f"fn f{i}(given: float32[{name}, 2 * {name}]) -> int {{ return {name} }}\n" for i, name in enumerate(NAMES))
    program = compiled(text)
    for i in range(len(NAMES)):
        assert program.names[program.generated.functions[f"f{i}"]](torch.ones(3, 6)) == 3
        graph = program.graph(f"f{i}")
        assert graph is not None and graph(torch.ones(4, 8)) == 4


def test_structs_fields_and_methods() -> None:
    fields, values = ", ".join(f"{name}: int" for name in NAMES), ", ".join(f"{name}: {i}" for i, name in enumerate(NAMES))
    methods = "\n".join(f"fn m{i}(self) -> int {{ return self.{name} }}" for i, name in enumerate(NAMES))
    text = f"struct P {{ {fields} }}\nimpl P {{ {methods} }}\nlet p = P {{ {values} }}\n"
    text += f"let fields = [{', '.join(f'p.{name}' for name in NAMES)}]\n"
    text += f"let methods = [{', '.join(f'p.m{i}()' for i in range(len(NAMES)))}]"
    program = compiled(text)
    program.run()
    found = [program.names[program.generated.values[name]] for name in ("fields", "methods")]
    assert found == [list(range(len(NAMES)))] * 2
    for name in [n for n in NAMES if n not in ("x", "s")]:
        struct = f"struct {name} {{ x: int }}\nimpl {name} {{ fn {name}(self) -> int {{ return self.x }} }}\n"
        program = compiled(f"{struct}let s = ({name} {{ x: 5 }}).{name}()")
        program.run()
        assert program.names[program.generated.values["s"]] == 5


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fresh folder, in which nothing may appear."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / MARK).exists(), "a text was executed"


def test_texts(quiet: None) -> None:
    text = "".join(f"let s{i} = {literal(t)}\nprint({literal(t)}, s{i})\n" for i, t in enumerate(TEXTS))
    program = compiled(text)
    python, reference = program.run()
    assert python == reference
    assert [program.names[program.generated.values[f"s{i}"]] for i in range(len(TEXTS))] == TEXTS


@pytest.mark.parametrize("text", [t for t in TEXTS if "\n" not in t and "\r" not in t], ids=ascii)
def test_comments_and_names_of_tests(quiet: None, text: str) -> None:
    function = f"/// {text}\nfn f(x: int) -> int {{ return x }} // {text}\n/* {text} */\n"
    found = compiled(f"{function}test {literal(text)} {{ assert f(1) == 1 }}\n")
    found.run()
    assert found.generated.tests[0][0] == text
    found.names[found.generated.tests[0][1]]()


FILES = ('a"b.tl', "a'b.tl", "a\nb.tl", '""".tl', "a\\.tl", "ü\u2028.tl", f'"""+{BOMB}+""".tl', "a b;c#.tl", "{}.tl")


@pytest.mark.parametrize("name", FILES, ids=ascii)
def test_names_of_files(quiet: None, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("fn f(x: float32[N]) -> float32[N] { return x }\nlet y = f([1.0, 2.0])\n")
    analysis = driver.analyse(read_program(str(path)))
    generated = driver.build(analysis)
    assert ast.dump(ast.parse(generated.text)) == ast.dump(generated.tree)
    driver.load(analysis).run()
