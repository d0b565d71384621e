"""Tokenizers give the ids that others give: recorded ones, and those of the libraries that made the files, where these are installed."""

import base64
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.tokenizers import (
    Tokenizer,
    char_tokenizer,
    load_tokenizer,
    save_tokenizer,
    train_bpe,
    word_tokenizer,
)
from tensorlogic.runtime.tokenizers.byte_level import read, written
from tensorlogic.runtime.tokenizers.merging import merged
from tensorlogic.runtime.tokenizers.splitting import PATTERNS, SPELLINGS, splitter

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
GPT2, STORIES = DATA / "gpt2_bpe", DATA / "stories260k"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="needs shared/data")
MANY = 2000 if os.environ.get("TLC_FULL") else 100
TEXT = "the cat sat on the mat, and the other cat sat on the other mat. Don't they?\n\n  It's 42 times as good!"
letters = st.one_of(st.characters(exclude_categories=["Cs", "Cn"]), st.sampled_from(" \n\t'ast10é▁中\u00a0\u3000\x1c\x85_²Ⅷ"))
texts = st.text(letters, max_size=60)


def refusal(function, *args) -> tuple[str, str]:
    with pytest.raises(TensorLogicError) as caught:
        function(*args)
    found = caught.value.diagnostics[0]
    return found.code, found.message


@pytest.fixture(scope="module")
def gpt2() -> Tokenizer:
    return load_tokenizer(str(GPT2 / "encoder.json"))


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    return train_bpe(TEXT * 3, 300)


# --- GPT-2 ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt2_files(gpt2: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same tokenizer as a tokenizer.json and as tiktoken's ranks."""
    folder = tmp_path_factory.mktemp("gpt2")
    save_tokenizer(gpt2, str(folder / "tokenizer.json"))
    order = sorted((id, token) for token, id in gpt2.algorithm.tokens.items() if id != 50256)
    lines = (f"{base64.b64encode(read(token)).decode()} {id}" for id, token in order)
    (folder / "r50k_base.tiktoken").write_text("\n".join(lines) + "\n")
    return folder


@needs_data
@pytest.mark.parametrize("name", ["", "encoder.json", "vocab.bpe", "ggml-vocab-gpt-2.gguf", "tokenizer.json", "r50k_base.tiktoken"])
def test_hard_strings(name: str, gpt2_files: Path) -> None:
    tokenizer = tl.load_tokenizer((gpt2_files if name.startswith(("tokenizer", "r50k")) else GPT2) / name)
    with open(GPT2 / "ggml-vocab-gpt-2.gguf.inp", encoding="utf-8", newline="") as file:
        strings = file.read().split("\n__ggml_vocab_test__\n")
    ids = [[int(id) for id in line.split()] for line in (GPT2 / "ggml-vocab-gpt-2.gguf.out").read_text().split("\n")]
    assert len(strings) >= 46
    for text, expected in zip(strings, ids, strict=True):
        assert tokenizer.encode(text).tolist() == expected
        assert tokenizer.decode(expected) == text
    assert (tokenizer.vocab_size, tokenizer.eos_id, tokenizer.bos_id) == (50257, 50256, 50256)


@needs_data
def test_special_tokens_are_text_unless_asked_for(gpt2: Tokenizer) -> None:
    text = "a<|endoftext|>b"
    assert gpt2.encode(text, special=True).tolist() == [64, 50256, 65]
    assert 50256 not in gpt2.encode(text) and gpt2.decode(gpt2.encode(text)) == text == gpt2.decode([64, 50256, 65])
    assert gpt2.token_id("<|endoftext|>") == 50256 and gpt2.token_id("Ġthe") == 262
    assert refusal(gpt2.token_id, "Ġthequickbrown")[0] == "TL0602"
    assert refusal(gpt2.decode, [50257]) == ("TL0310", "50257 is no token: ids go from 0 to 50256")
    assert refusal(gpt2.decode, [-1])[0] == "TL0310"


@needs_data
@settings(max_examples=MANY, deadline=None)
@given(texts)
def test_every_text_comes_back(text: str) -> None:
    tokenizer = _shared_gpt2()
    assert tokenizer.decode(tokenizer.encode(text)) == text


def _shared_gpt2(cache: list = []) -> Tokenizer:  # noqa: B006 - loaded once
    if not cache:
        cache.append(load_tokenizer(str(GPT2)))
    return cache[0]


@needs_data
def test_gpt2_as_tokenizer_json(gpt2: Tokenizer, tmp_path: Path) -> None:
    library = pytest.importorskip("tokenizers")
    save_tokenizer(gpt2, str(tmp_path / "tokenizer.json"))
    ours, theirs = load_tokenizer(str(tmp_path)), library.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))

    @settings(max_examples=MANY, deadline=None)
    @given(texts)
    def agree(text: str) -> None:
        assert ours.encode(text).tolist() == gpt2.encode(text).tolist() == theirs.encode(text).ids

    agree()
    assert ours.eos_id == 50256 and ours.special == {"<|endoftext|>"}


@needs_data
def test_tiktoken_ranks(gpt2: Tokenizer, gpt2_files: Path, tmp_path: Path) -> None:
    ranks = load_tokenizer(str(gpt2_files / "r50k_base.tiktoken"))
    text = (DATA / "texts" / "the-verdict.txt").read_text()
    assert ranks.encode(text).tolist() == gpt2.encode(text).tolist() and ranks.eos_id == 50256
    assert len(gpt2.encode(text)) == 5145
    save_tokenizer(ranks, str(tmp_path / "t.json"))
    assert load_tokenizer(str(tmp_path / "t.json")).encode(text).tolist() == gpt2.encode(text).tolist()


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_split_as_the_library(name: str) -> None:
    library = pytest.importorskip("tokenizers")
    spelled = next(text for text, known in SPELLINGS.items() if known == name)
    split = library.pre_tokenizers.Split(library.Regex(spelled), "isolated")

    @settings(max_examples=3 * MANY, deadline=None)
    @given(texts)
    def agree(text: str) -> None:
        assert splitter(name).findall(text) == [part for part, _ in split.pre_tokenize_str(text)]

    agree()


def test_long_words_take_no_longer() -> None:
    assert merged(["a"] * 100_000, lambda left, right: len(left) if len(left) == len(right) < 4096 else None)[0] == "a" * 4096


@given(st.binary(max_size=40))
def test_bytes_are_written_as_letters(data: bytes) -> None:
    assert read(written(data)) == data and len(written(data)) == len(data)


# --- SentencePiece -------------------------------------------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize("name", ["tok512.model", "stories260K.gguf", "hf_f32"])
def test_stories(name: str) -> None:
    tokenizer = load_tokenizer(str(STORIES / name))
    golden = json.loads((STORIES / "golden_greedy.json").read_text())
    assert tokenizer.decode(golden["greedy_ids"]) == golden["text"]
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.vocab_size) == (1, 2, 512)
    ids = tokenizer.encode("Once upon a time")
    assert tokenizer.decode(ids) == "Once upon a time" == "".join(tokenizer.decode([id]) for id in ids.tolist()).removeprefix(" ")


def _sentencepiece_model(folder: Path, kind: str, **options) -> str:
    library = pytest.importorskip("sentencepiece")
    (folder / "text.txt").write_text((DATA / "texts" / "the-verdict.txt").read_text())
    library.SentencePieceTrainer.train(
        input=str(folder / "text.txt"), model_prefix=str(folder / kind), vocab_size=400, model_type=kind, minloglevel=2,
        **{"normalization_rule_name": "identity", **options},
    )  # fmt: skip
    return str(folder / f"{kind}.model")


@needs_data
@pytest.mark.parametrize("case", ["tok512", "bpe", "unigram", "unigram bytes", "bpe defined"])
def test_sentencepiece_agrees(case: str, tmp_path: Path) -> None:
    library = pytest.importorskip("sentencepiece")
    options = {"unigram bytes": {"byte_fallback": True}, "bpe defined": {"user_defined_symbols": ["<sep>", "<sep>x"]}}.get(case, {})
    path = str(STORIES / "tok512.model") if case == "tok512" else _sentencepiece_model(tmp_path, case.split()[0], **options)
    ours, theirs = load_tokenizer(path), library.SentencePieceProcessor(model_file=path)

    @settings(max_examples=MANY, deadline=None)
    @given(st.text(st.sampled_from("abcdefghiotn   ,.'éĂ中<sep>x\n"), max_size=40))
    def agree(text: str) -> None:
        expected = theirs.encode(text)
        assert ours.encode(text).tolist() == expected
        if len(expected) > 1:
            assert ours.decode(expected) == theirs.decode(expected)

    agree()
    text = (DATA / "texts" / "the-verdict.txt").read_text()[:3000]
    assert ours.encode(text).tolist() == theirs.encode(text)


@needs_data
def test_normalizers_are_refused(tmp_path: Path) -> None:
    path = _sentencepiece_model(tmp_path, "unigram", normalization_rule_name="nmt_nfkc")
    assert "only models that take it as it is (identity) are read" in refusal(load_tokenizer, path)[1]


# --- made from a text ----------------------------------------------------------------------------------------------------


def test_characters(tmp_path: Path) -> None:
    made = char_tokenizer("hello\n world")
    assert made.encode("low\n").tolist() == [5, 6, 8, 0] and made.decode([5, 6, 8, 0]) == "low\n" and made.vocab_size == 9
    assert refusal(made.encode, "hex") == ("TL0602", "the tokenizer has no token for `x`")
    assert refusal(char_tokenizer, "")[0] == "TL0311"
    save_tokenizer(made, str(tmp_path / "tokenizer.json"))
    assert load_tokenizer(str(tmp_path)).encode("hello world").tolist() == made.encode("hello world").tolist()
    assert refusal(lambda: made.eos_id)[0] == "TL0602"


def test_words(tmp_path: Path) -> None:
    made = word_tokenizer(TEXT)
    text = "the cat sat, and the dog?"
    ids = made.encode(text)
    assert made.decode(ids) == "the cat sat, and the <unk>?" and ids[6] == made.vocab_size - 1
    save_tokenizer(made, str(tmp_path / "w.json"))
    assert load_tokenizer(str(tmp_path / "w.json")).encode(text).tolist() == ids.tolist()


@pytest.mark.parametrize("kind", ["char", "word", "bpe"])
def test_saved_for_the_library(kind: str, trained: Tokenizer, tmp_path: Path) -> None:
    library = pytest.importorskip("tokenizers")
    made = {"char": char_tokenizer(TEXT), "word": word_tokenizer(TEXT), "bpe": trained}[kind]
    save_tokenizer(made, str(tmp_path / "t.json"))
    theirs = library.Tokenizer.from_file(str(tmp_path / "t.json"))
    text = "the cat sat on the other mat, don't they?\n It's 42".replace("don't", "Don't")
    assert theirs.encode(text).ids == made.encode(text).tolist()
    if kind != "word":
        assert theirs.decode(made.encode(text).tolist()) == text


@pytest.mark.parametrize("size", [257, 300, 330, 5000])
def test_training_learns_what_the_library_learns(size: int, trained: Tokenizer, tmp_path: Path) -> None:
    library = pytest.importorskip("tokenizers")
    texts = [TEXT, (DATA / "texts" / "the-verdict.txt").read_text()] if DATA.exists() and size < 5000 else [TEXT]
    for text in texts:
        theirs = library.Tokenizer(library.models.BPE())
        theirs.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = library.pre_tokenizers.ByteLevel.alphabet()
        trainer = library.trainers.BpeTrainer(vocab_size=size - 1, initial_alphabet=alphabet, show_progress=False, special_tokens=[])
        theirs.train_from_iterator([text], trainer)
        made = train_bpe(text, size)
        assert dict(made.algorithm.tokens) == theirs.get_vocab()
        assert made.encode(text).tolist() == theirs.encode(text).ids


def test_training(trained: Tokenizer) -> None:
    assert trained.vocab_size == trained.eos_id + 1 <= 300 and trained.decode(trained.encode("ünknown 中")) == "ünknown 中"
    assert len(trained.encode(TEXT)) < len(TEXT) / 2
    assert refusal(train_bpe, "abc", 256)[0] == "TL0311" and train_bpe("", 400).vocab_size == 257


# --- hostile files -------------------------------------------------------------------------------------------------------

WORDS = {"model": {"type": "WordLevel", "vocab": {"a": 0}}, "pre_tokenizer": {"type": "Whitespace"}}
STRANGE = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}
JSON = {"model": {"type": "BPE", "vocab": {}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}


def _json(**changes) -> str:
    return json.dumps({**JSON, **changes})


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("t.json", "[" * 100_000, "nested deeper"),
        ("t.json", "{}", "has no `model`"),
        ("t.json", '{"model": {}, "model": {}}', "stands twice"),
        ("t.json", _json(), "has no token for the byte 0x00"),
        ("t.json", _json(model={"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}), "two tokens with one id"),
        ("t.json", _json(model={"type": "BPE", "vocab": {"a": True}, "merges": []}), "has no vocabulary"),
        ("t.json", _json(model={"type": "BPE", "vocab": {"a": 1 << 60}, "merges": []}), "above 16 million"),
        ("t.json", _json(model={"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "a"]]}), "whose result is no token"),
        ("t.json", _json(model={"type": "BPE", "vocab": {"a": 0}, "merges": [3]}), "a merge that is not two tokens"),
        ("t.json", _json(model={"type": "WordPiece", "vocab": {"a": 0}}), "of the kind WordPiece"),
        ("t.json", _json(pre_tokenizer=STRANGE), "splits texts with Split"),
        ("t.json", _json(**WORDS, added_tokens=[{"content": 3}]), "added tokens without content"),
        ("t.json", _json(pre_tokenizer={"type": "Sequence", "pretokenizers": 3}), "that is none"),
        ("t.model", "", "it has no pieces"),
        ("t.model", "\x0a\x7f", "ends in the middle of a field"),
        ("t.model", "\x0a\x04\x0a\x02ab" * 2, "one piece twice"),
        ("t.model", "\x0f", "is no SentencePiece model"),
        ("t.tiktoken", "!!! 0\n", "not a token in base 64"),
        ("t.tiktoken", "YQ== 0\n", "is no list of ranks"),
        ("t.gguf", "GGUF", "ends in the middle"),
    ],
)  # fmt: skip
def test_hostile_files(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="latin-1")
    found = refusal(load_tokenizer, str(tmp_path / name))
    assert found[0] == "TL0604" and said in found[1], found


def test_a_pattern_of_a_stranger_is_not_run(tmp_path: Path, trained: Tokenizer) -> None:
    save_tokenizer(trained, str(tmp_path / "t.json"))
    content = json.loads((tmp_path / "t.json").read_text())
    content["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [STRANGE, {"type": "ByteLevel", "use_regex": False}]}
    (tmp_path / "t.json").write_text(json.dumps(content))
    assert "an unknown one is not run" in refusal(load_tokenizer, str(tmp_path / "t.json"))[1]


def test_nothing_there(tmp_path: Path) -> None:
    assert refusal(load_tokenizer, str(tmp_path / "absent"))[0] == "TL0606"
    assert refusal(load_tokenizer, str(tmp_path))[0] == "TL0606"


@needs_data
@settings(max_examples=MANY, deadline=None)
@given(st.integers(0, 6226), st.integers(0, 255))
def test_damaged_models_never_crash(at: int, byte: int) -> None:
    from tensorlogic.formats.errors import Malformed
    from tensorlogic.runtime.tokenizers.sentencepiece import read_sentencepiece

    data = bytearray((STORIES / "tok512.model").read_bytes())
    data[at % len(data)] = byte
    for damaged in (bytes(data), bytes(data[:at])):
        try:
            made = read_sentencepiece(damaged)
        except Malformed:
            continue
        try:
            made.decode(made.encode("Once upon"))
        except TensorLogicError as problem:
            assert problem.diagnostics[0].code == "TL0602"


# --- in programs ---------------------------------------------------------------------------------------------------------

PROGRAM = """
let text = read_text("t.txt")
let tok = train_bpe(text, vocab_size: 300)
let ids = tok.encode(text)
let back = tok.decode(ids)
let one = tok.decode([tok.eos_id])
let size = tok.vocab_size
save_tokenizer(tok, "made.json")
let pairs = windows(ids, length: 4)
let first: int64[?, 4] = zeros([1, 4], dtype: int64)
for batch in batches(pairs, size: 2) { first = batch.inputs }
"""


def test_in_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text(TEXT)
    (tmp_path / "p.tl").write_text(PROGRAM)
    net = tl.compile(tmp_path / "p.tl")
    net.run()
    values = net.values
    assert values["back"] == TEXT and values["one"] == "<|endoftext|>" and values["ids"].dtype == torch.int64
    shutil.copy(tmp_path / "made.json", tmp_path / "tokenizer.json")
    assert load_tokenizer(str(tmp_path)).encode(TEXT).tolist() == values["ids"].tolist()
    assert values["size"] <= 300 and values["first"].shape[1] == 4
