"""`tokenizer.json`, Hugging Face's file: the kinds of tokenizers in it that are read here; any other is refused, never guessed."""

from collections.abc import Mapping
from typing import Any

from tensorlogic.formats.errors import Malformed, shown
from tensorlogic.runtime.tokenizers.byte_level import ByteLevel, read
from tensorlogic.runtime.tokenizers.pieces import Pieces
from tensorlogic.runtime.tokenizers.splitting import SPELLINGS
from tensorlogic.runtime.tokenizers.tokenizer import Algorithm, Tokenizer
from tensorlogic.runtime.tokenizers.words import Words

CHARACTERS = r"[\s\S]"  # how a tokenizer of characters splits
ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[SEP]")
BEGINNINGS = ("<|begin_of_text|>", "<s>", "<bos>", "[CLS]", "<|endoftext|>")


def read_tokenizer(content: Any) -> Tokenizer:
    """The tokenizer of a parsed file. Raises `Malformed`."""
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise Malformed("has no `model`, as a tokenizer.json has")
    model = content["model"]
    tokens = vocabulary(model.get("vocab"))
    reader = {"BPE": _bpe, "WordLevel": _words}.get(model.get("type") or "BPE")
    if reader is None:
        raise Malformed(f"is a tokenizer of the kind {shown(model['type'])}; BPE and WordLevel are read")
    algorithm = reader(content, model, tokens)
    added, special = _added(content.get("added_tokens") or [])
    known = {**tokens, **added}
    return Tokenizer(algorithm, added, special, first_of(known, BEGINNINGS), first_of(known, ENDS))


def first_of(tokens: Mapping[str, int], names: tuple[str, ...]) -> int | None:
    return next((tokens[name] for name in names if name in tokens), None)


def vocabulary(found: Any) -> dict[str, int]:
    """Tokens with their ids, each id once and none beyond reason."""
    if not isinstance(found, dict) or not all(type(id) is int for id in found.values()):
        raise Malformed("has no vocabulary: names of tokens with their ids")
    if len(set(found.values())) < len(found):
        raise Malformed("has two tokens with one id")
    if any(not 0 <= id < 1 << 24 for id in found.values()):
        raise Malformed("has a token whose id is below 0 or above 16 million")
    return found


def _added(found: Any) -> tuple[dict[str, int], frozenset[str]]:
    if not isinstance(found, list) or not all(isinstance(t, dict) and isinstance(t.get("content"), str) and t["content"] for t in found):
        raise Malformed("has added tokens without content")
    ids = vocabulary({token["content"]: token.get("id") for token in found})
    return ids, frozenset(token["content"] for token in found if token.get("special"))


def _steps(found: Any, members: str) -> list[dict]:
    """The steps of a normalizer or pre-tokenizer: those of a sequence, or the one."""
    if found is None:
        return []
    steps = found.get(members) if isinstance(found, dict) and found.get("type") == "Sequence" else [found]
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise Malformed("has a normalizer or pre-tokenizer that is none")
    return steps


def _kinds(steps: list[dict]) -> tuple[object, ...]:
    return tuple(step.get("type") for step in steps)


# --- BPE -------------------------------------------------------------------------------------------------------------


def _bpe(content: dict, model: dict, tokens: dict[str, int]) -> Algorithm:
    before, splits = _steps(content.get("normalizer"), "normalizers"), _steps(content.get("pre_tokenizer"), "pretokenizers")
    pairs = _pairs(model.get("merges"), tokens)
    if "ByteLevel" in _kinds(splits):
        return _byte_level(model, before, splits, tokens, pairs)
    if _is_metaspace(before, splits):
        return _pieces(model, tokens, pairs)
    raise Malformed(f"splits texts with {_told(before, splits)}, which is not read; byte-level and metaspace BPE are")


def _told(before: list[dict], splits: list[dict]) -> str:
    return shown(" and ".join(map(str, (*_kinds(before), *_kinds(splits)))) or "nothing")


def _pairs(found: Any, tokens: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Merges by rank: `"a b"` in older files, `["a", "b"]` in newer ones."""
    pairs: dict[tuple[str, str], int] = {}
    if not isinstance(found, list):
        raise Malformed("has no list of merges")
    for rank, merge in enumerate(found):
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) and part in tokens for part in parts):
            raise Malformed("has a merge that is not two tokens", f"merge {rank}")
        if parts[0] + parts[1] not in tokens:
            raise Malformed("has a merge whose result is no token", f"merge {rank}")
        pairs.setdefault((parts[0], parts[1]), rank)
    return pairs


def _byte_level(
    model: dict, before: list[dict], splits: list[dict], tokens: dict[str, int], pairs: dict[tuple[str, str], int]
) -> ByteLevel:
    if before or any(step.get("add_prefix_space") for step in splits):
        raise Malformed("changes texts before splitting them, which byte-level BPE is not read with")
    match splits:
        case [{"type": "ByteLevel"} as step] if step.get("use_regex", True):
            pattern = "gpt2"
        case [{"type": "Split", "pattern": {"Regex": str(spelled)}, "behavior": "Isolated"}, {"type": "ByteLevel", "use_regex": False}]:
            pattern = SPELLINGS.get(spelled)
        case _:
            pattern = None
    if pattern is None:
        raise Malformed("splits texts with a pattern that is not among the known ones, and an unknown one is not run")
    return byte_level(tokens, pairs, pattern, bool(model.get("ignore_merges")))


def byte_level(tokens: Mapping[str, int], pairs: Mapping[tuple[str, str], int], pattern: str, whole: bool = False) -> ByteLevel:
    """Tokens as they are written in files, as bytes; names of special tokens, which are no bytes, are left out. Raises `Malformed`."""
    try:
        merges = {(read(left), read(right)): rank for (left, right), rank in pairs.items()}
    except KeyError as problem:
        raise Malformed(f"has a merge with {shown(problem)}, which stands for no byte") from None
    ids: dict[bytes, int] = {}
    for token, id in tokens.items():
        try:
            ids.setdefault(read(token), id)
        except KeyError:
            continue
    missing = [byte for byte in range(256) if bytes([byte]) not in ids]
    if missing:
        raise Malformed(f"has no token for the byte {missing[0]:#04x}")
    return ByteLevel(ids, merges, pattern, whole)


def _is_metaspace(before: list[dict], splits: list[dict]) -> bool:
    """A space before the text, and `▁` for spaces: as Llama 2 says it, or the newer way to say it."""
    match before, splits:
        case [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}], []:
            return True
        case [], [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always" | "first"}]:
            return True
    return False


def _pieces(model: dict, tokens: dict[str, int], pairs: dict[tuple[str, str], int]) -> Pieces:
    unknown = tokens.get(model.get("unk_token") or "")
    scores = dict.fromkeys(tokens, 0.0)
    return Pieces(tokens, scores, unknown, merges=pairs)


# --- words -----------------------------------------------------------------------------------------------------------


def _words(content: dict, model: dict, tokens: dict[str, int]) -> Words:
    before, splits = _steps(content.get("normalizer"), "normalizers"), _steps(content.get("pre_tokenizer"), "pretokenizers")
    unknown = model.get("unk_token")
    unknown = unknown if isinstance(unknown, str) and unknown in tokens else None
    match before, splits:
        case [], [{"type": "Whitespace"}]:
            return Words(tokens, False, unknown)
        case [], [{"type": "Split", "pattern": {"Regex": str(spelled)}, "behavior": "Isolated"}] if spelled == CHARACTERS:
            return Words(tokens, True, unknown)
    raise Malformed(f"splits texts with {_told(before, splits)}, which is not read; words (Whitespace) and characters are")
