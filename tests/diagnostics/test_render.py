"""Renderings: golden pictures, and laws that hold for any text and any span."""

import io
import json
import re
import time
import unicodedata

import pytest
from hypothesis import given, strategies as st

from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.diagnostics.display import printable, text_width
from tensorlogic.diagnostics.render import render, summary, to_json, use_color
from tensorlogic.source import Source, Span

MODEL = """// A layer.

fn f(x: float16[N, D_in], w: float16[D_hid, D_out]) -> float16[N, D_out] {
    // the product


    let y = x @ w
    return relu(y)
}
"""


def place(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def contract() -> Diagnostic:
    """The example of LANGUAGE.md section 8."""
    source = Source("model.tl", MODEL)
    return Diagnostic(
        "TL0301",
        "`@` needs the inner sizes to agree: D_in is not D_hid",
        place(source, "x @ w"),
        "D_in against D_hid",
        labels=(Label(place(source, "float16[N, D_in]"), "`x` is float16[N, D_in]"),),
        notes=("for example D_in = 2, D_hid = 3 breaks it",),
        help=("declare `w` as float16[D_in, D_out], or say where D_in == D_hid",),
    )


def one_line(text: str, marked: str, *labels: tuple[str, str], words: str = "here") -> Diagnostic:
    source = Source("a.tl", text)
    return Diagnostic("TL0101", "unexpected text", place(source, marked), words, tuple(Label(place(source, t), w) for t, w in labels))


def stacked() -> Diagnostic:
    """The example of STYLE.md section 6."""
    source = Source("mlp.tl", "\n" * 6 + "    h = linear(x, w, b)\n")
    return Diagnostic(
        "TL0301",
        "`linear` got two different sizes for its dimension I",
        place(source, "w"),
        "here I is E: `w` is float16[H, E]",
        labels=(Label(place(source, "x"), "here I is D: `x` is float16[N, D]"),),
        help=("declare `w` as float16[H, D]",),
    )


def two_files() -> Diagnostic:
    main, lib = Source("main.tl", 'import "lib.tl"\n' * 11 + "fn scale(x: f32[N]) -> f32[N] { x }\n"), Source("lib.tl", "\nfn scale() {}\n")
    return Diagnostic(
        "TL0203",
        "`scale` is defined twice",
        place(main, "scale"),
        "again here",
        labels=(Label(place(lib, "scale"), "first here"), Label(place(main, "import"), "imported here")),
        help=("rename one of them,\nor import the file `as` a name",),
    )


def at_end() -> Diagnostic:
    source = Source("a.tl", "let x = (1\n")
    return Diagnostic(
        "TL0102", "`(` is never closed", Span(source, 11, 11), "the file ends here", (Label(place(source, "("), "opened here"),)
    )


def long_line() -> Diagnostic:
    text = "let x = [" + "1.0, " * 2_000_000 + "y, " + "2.0, " * 100 + "]"
    return one_line(text, "y", ("let", "this list"), ("]", "closed here"), words="unknown name")


def multi_line() -> Diagnostic:
    source = Source("a.tl", "let x = f(\n    1,\n    2,\n)\nlet y = x\n")
    return Diagnostic(
        "TL0307",
        "too many arguments",
        place(source, "f(\n    1,\n    2,\n)"),
        "2 given, 1 taken",
        (Label(place(source, "x\n"), "used here"),),
    )


PICTURES = {
    "contract": contract(),
    "stacked": stacked(),
    "many_labels": one_line(
        "let y = f(a, b, c, d)", "c", ("f(a, b, c, d)", "call"), ("a", "first"), ("b", "second"), ("d", "last"), ("c", "same")
    ),
    "inside": one_line("let y = x @ w", "x @ w", ("x", "left"), ("w", "right"), words="product"),
    "silent_label": one_line("let y = x @ w", "@", ("x", ""), words=""),
    "two_files": two_files(),
    "at_end": at_end(),
    "zero_length": Diagnostic("TL0101", "expected a name", Span(Source("a.tl", "let  = 3"), 4, 4), "a name belongs here"),
    "multi_line": multi_line(),
    "long_line": long_line(),
    "tabs": one_line("\tlet\ty = x\t@ w  ", "x\t@ w", ("y", "this one")),
    "wide": one_line('let 名前 = "テンソル😀" + x', "x", ("名前", "a name"), ("テンソル😀", "text")),
    "combining": one_line("let cafe\u0301 = n\u0303 + x", "x", ("cafe\u0301", "name"), ("n\u0303", "n")),
    "hostile": Diagnostic(
        "TL0201",
        "unknown name `\x1b[31m\u202e`",
        place(Source("a\x1b]0;b\x07.tl", "let \u202ex\x1b[2J = \x00\u200by\r\n"), "y"),
        "\x1b[31m\nnot red",
        notes=("first\nsecond \u2028line",),
    ),
    "no_place": Diagnostic("TL0804", "out of memory", help=("use a smaller batch",)),
    "only_file": Diagnostic("TL0604", "the header is not JSON", file="models/a.safetensors", notes=("at byte 8",)),
    "warning": Diagnostic("TL0701", "`sum` hides a builtin", Span(Source("a.tl", "let sum = 3\r\n"), 4, 7), severity="warning"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_golden(name, golden):
    golden(name, render(PICTURES[name]))


def test_golden_color(golden):
    golden("color", render(stacked(), color=True).replace("\x1b", "ESC"))


def test_colors_change_nothing_else():
    for diagnostic in PICTURES.values():
        assert re.sub(r"\x1b\[[\d;]*m", "", render(diagnostic, color=True)) == render(diagnostic)


def test_width_limits_source_lines():
    rows = render(long_line(), width=60).splitlines()
    assert max(len(row) for row in rows if row.startswith(" 1 |")) <= 60


@pytest.mark.parametrize("ending", ["", "\r\n"])
def test_long_lines_are_cheap(ending):
    source = Source("a.tl", "\u0301" * 10_000_000 + ending)
    diagnostic = Diagnostic("TL0104", "m", Span(source, 5_000_000, 9_000_000), "here")
    assert source.position(0) == (1, 1)
    start = time.process_time()
    for _ in range(50):
        render(diagnostic)
    assert time.process_time() - start < 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "colored"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (None, {"FORCE_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "0"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_use_color(stream, environ, colored):
    assert use_color(stream, environ) == colored


KEYS = ["code", "severity", "message", "file", "line", "column", "end_line", "end_column", "notes", "help"]


def test_json():
    found = to_json(contract())
    assert list(found) == KEYS
    assert (found["file"], found["line"], found["column"], found["end_line"], found["end_column"]) == ("model.tl", 7, 13, 7, 18)
    assert found["notes"] == [
        "model.tl:7:13: D_in against D_hid",
        "model.tl:3:9: `x` is float16[N, D_in]",
        "for example D_in = 2, D_hid = 3 breaks it",
    ]
    assert found["help"] == ["declare `w` as float16[D_in, D_out], or say where D_in == D_hid"]


def test_json_without_a_place():
    found = to_json(PICTURES["only_file"])
    assert found["file"] == "models/a.safetensors" and found["line"] is None and found["end_column"] is None and found["help"] is None
    assert to_json(PICTURES["no_place"])["file"] is None


def test_summary():
    error, warning = Diagnostic("TL0101", "m"), Diagnostic("TL0701", "m", severity="warning")
    assert summary([error, error, warning]) == "2 errors, 1 warning"
    assert summary([error]) == "1 error"
    assert summary([warning, warning]) == "2 warnings"
    assert summary([]) == ""


characters = st.one_of(st.characters(), st.sampled_from("\n\r\t\x1b\u202e\u200d\u0301\u4e2d\U0001f600 ab"))
texts = st.text(characters, max_size=60)


@st.composite
def spans(draw, sources):
    source = draw(st.sampled_from(sources))
    return Span(source, draw(st.integers(-3, 70)), draw(st.integers(-3, 70)))


@st.composite
def diagnostics(draw):
    """Anything at all, spans outside their text included."""
    sources = draw(st.lists(st.builds(Source, texts, texts), min_size=1, max_size=2))
    labels = draw(st.lists(st.builds(Label, spans(sources), texts), max_size=4))
    remarks = st.lists(texts, max_size=2).map(tuple)
    severity = draw(st.sampled_from(["error", "warning", "note"]))
    span = draw(st.none() | spans(sources))
    return Diagnostic(
        "TL0101", draw(texts), span, draw(texts), tuple(labels), draw(remarks), draw(remarks), severity, draw(st.none() | texts)
    )


@given(diagnostics(), st.none() | st.integers(-5, 200))
def test_only_printable_characters_come_out(diagnostic, width):
    text = render(diagnostic, width=width)
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")} - {"\n"}
    assert not bad
    assert re.sub(r"\x1b\[[\d;]*m", "", render(diagnostic, color=True, width=width)) == text


@given(diagnostics())
def test_json_is_one_line(diagnostic):
    found = to_json(diagnostic)
    assert list(found) == KEYS
    line = json.dumps(found)
    assert "\n" not in line and json.loads(line) == found


def cells(row: str) -> list[str]:
    """A row as terminal columns: a wide character takes two, a combining mark none."""
    return [c for c in row for _ in range(text_width(c))]


@given(texts, st.integers(0, 60), st.integers(0, 12))
def test_carets_stand_under_the_span(text, start, length):
    start = min(start, len(text))
    source = Source("a.tl", text)
    span = Span(source, start, min(start + length, len(text)))
    _, arrow, _, row, carets = render(Diagnostic("TL0101", "m", span), width=10_000).splitlines()
    assert arrow.endswith(f":{span.line}:{span.column}")
    line = source.text.split("\n")[span.line - 1]
    last = len(line) - line.endswith("\r") if text.find("\n", start) >= 0 else len(line)
    before, within = line[: min(last, span.column - 1)], line[span.column - 1 : min(last, span.column - 1 + len(span.text))]
    gutter = row.index("|") + 2
    assert carets.startswith(" " * (gutter - 2) + "| ")
    column = text_width(printable(before))
    assert carets[gutter:] == " " * column + "^" * max(1, text_width(printable(within)))
    under = cells(row[gutter:])[column : column + text_width(printable(within))]
    assert "".join(under).rstrip() == "".join(cells(printable(within))).rstrip()


@given(st.text(characters, min_size=300, max_size=400), st.integers(0, 400), st.integers(20, 100))
def test_cut_lines_keep_the_place(text, start, width):
    line = text.replace("\n", " ").replace("\r", " ")
    start = min(start, len(line))
    _, _, _, row, carets = render(Diagnostic("TL0101", "m", Span(Source("a.tl", line), start, start + 1)), width=width).splitlines()
    assert text_width(row) <= max(width, 45)
    gutter = row.index("|") + 2
    column = len(carets) - len(carets.lstrip(" |"))
    shown = cells(row[gutter:])
    if start < len(line) and (wanted := cells(printable(line[start]))) and line[start].strip():
        at = column - gutter
        assert shown[at : at + len(wanted)] == wanted
