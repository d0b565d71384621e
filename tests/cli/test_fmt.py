"""`tlc fmt`: writes whole files or nothing, and refuses what it cannot prove harmless."""

import os

import pytest

from tensorlogic.cli import fmt

UGLY = "fn   f( x:float32[N] )->float32[N]{return x+x}\n"


@pytest.fixture
def ugly(folder):
    path = folder / "ugly.tl"
    path.write_text(UGLY)
    return path


def test_writes(tlc, ugly):
    ugly.chmod(0o755)
    result = tlc("fmt", "ugly.tl", "good.tl")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert ugly.read_text() != UGLY and ugly.stat().st_mode & 0o777 == 0o755
    assert tlc("fmt", "--check", "ugly.tl", "good.tl").code == 0
    assert sorted(path.name for path in ugly.parent.iterdir()) == ["bad.tl", "good.tl", "ugly.tl"]


def test_check_writes_nothing(tlc, ugly):
    result = tlc("fmt", "--check", "good.tl", "ugly.tl")
    assert result.code == 1 and "ugly.tl" in result.err and "good.tl" not in result.err and ugly.read_text() == UGLY


def test_diff(tlc, ugly):
    result = tlc("fmt", "--diff", "ugly.tl")
    assert result.code == 1 and f"-{UGLY}" in result.out and result.out.startswith("--- ugly.tl") and ugly.read_text() == UGLY


def test_a_syntax_error_leaves_the_file(tlc, ugly):
    (ugly.parent / "broken.tl").write_text("fn f( {\n")
    result = tlc("fmt", "broken.tl", "ugly.tl")
    assert result.code == 1 and "error[TL01" in result.err
    assert (ugly.parent / "broken.tl").read_text() == "fn f( {\n" and ugly.read_text() != UGLY


def test_links_are_followed(tlc, ugly):
    link = ugly.parent / "link.tl"
    link.symlink_to("ugly.tl")
    assert tlc("fmt", "link.tl").code == 0
    assert link.is_symlink() and ugly.read_text() != UGLY


def test_line_ends_and_byte_order_mark_go(tlc, folder):
    path = folder / "windows.tl"
    path.write_bytes(b"\xef\xbb\xbflet x = 1\r\n")
    assert tlc("fmt", "--check", "windows.tl").code == 1
    assert tlc("fmt", "windows.tl").code == 0 and path.read_bytes() == b"let x = 1\n"


@pytest.mark.parametrize(
    "wrong", ["let x = 2\n", UGLY + "// more\n", UGLY + "\n\n"], ids=["another meaning", "another comment", "not stable"]
)
def test_refuses(tlc, ugly, monkeypatch, wrong):
    monkeypatch.setattr(fmt, "format_source", lambda text, name: wrong if text == UGLY else UGLY)
    result = tlc("fmt", "ugly.tl")
    assert result.code == 70 and "left as it was" in result.err and ugly.read_text() == UGLY


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written(tlc, ugly):
    ugly.parent.chmod(0o555)
    try:
        result = tlc("fmt", "ugly.tl")
    finally:
        ugly.parent.chmod(0o755)
    assert result.code == 2 and "cannot be written" in result.err and ugly.read_text() == UGLY
