"""A model in several files: a folder in Hugging Face layout, or an index that says which shard holds which tensor."""

import os
import re
from collections.abc import Iterable

from tensorlogic.formats.errors import PICKLE_ADVICE, Malformed, shown
from tensorlogic.formats.files import content_kind, located, opened, read_up_to
from tensorlogic.formats.gguf import read_gguf
from tensorlogic.formats.header import ModelHeader, TensorEntry
from tensorlogic.formats.safetensors import check_name, read_safetensors
from tensorlogic.formats.strict_json import MAX_JSON, parse_strict

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_SHARDS = 4096
MAX_HEADERS = 2 * MAX_JSON
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.DOTALL)
_UNSAFE = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def read_header(path: str | os.PathLike) -> ModelHeader:
    """What a model file, a folder with one, or a sharded index says of its tensors. Raises `FormatError`; reads no data."""
    name = os.fspath(path)
    with located(name):
        if os.path.isdir(name):
            return _read_folder(name)
        return read_index(name) if name.lower().endswith(".json") else _with_other_parts(_read_file(name), name)


def _read_file(path: str) -> ModelHeader:
    with opened(path) as (descriptor, size):
        kind = content_kind(read_up_to(descriptor, 512, 0), size, path)
        return read_gguf(descriptor, size, path) if kind == "gguf" else read_safetensors(descriptor, size, path)


def _read_folder(folder: str) -> ModelHeader:
    names = sorted(os.listdir(folder))
    if WHOLE in names:
        header = _read_member(folder, WHOLE)
        return ModelHeader("folder", folder, header.entries, header.metadata, header.aliases)
    if INDEX in names:
        header = read_index(os.path.join(folder, INDEX))
        return ModelHeader("folder", folder, header.entries, header.metadata, header.aliases)
    single = [name for name in names if name.lower().endswith((".safetensors", ".gguf")) and not _is_later_part(name)]
    if len(single) == 1:
        return _with_other_parts(_read_member(folder, single[0]), os.path.join(folder, single[0]))
    if single:
        raise Malformed(f"has {len(single)} model files and no {INDEX}", advice="name one of them", code="TL0606")
    if unsafe := [name for name in names if name.lower().endswith(_UNSAFE)]:
        raise Malformed(f"has only `{shown(unsafe[0])}`, a pickle, which is never opened", advice=PICKLE_ADVICE, code="TL0605")
    raise Malformed(f"has neither {WHOLE} nor {INDEX} in it", code="TL0606")


def _read_member(folder: str, name: str) -> ModelHeader:
    path = os.path.join(folder, name)
    with located(path):
        return _read_file(_inside(folder, name))


def _is_later_part(name: str) -> bool:
    part = _PART.fullmatch(name)
    return part is not None and int(part[2]) > 1


def _with_other_parts(header: ModelHeader, path: str) -> ModelHeader:
    """A GGUF that llama.cpp's gguf-split cut in parts, whole again: all tensors, and the metadata of the first part."""
    count = header.metadata.get("split.count", 0)
    if header.kind != "gguf" or not isinstance(count, int) or count < 2:
        return header
    folder, name = os.path.split(path)
    named = _PART.fullmatch(name)
    if not named or int(named[3]) != count or count > MAX_SHARDS:
        raise Malformed(f"is one of {count:,} parts, and its name does not end in -00001-of-{count:05}.gguf", "key `split.count`")
    parts = [_read_member(folder or ".", f"{named[1]}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
    entries: dict[str, TensorEntry] = {}
    for part in parts:
        if twice := entries.keys() & part.entries.keys():
            raise Malformed("has one tensor in two of its parts", f"tensor `{shown(min(twice))}`")
        entries |= part.entries
    return ModelHeader("gguf", path, entries, parts[0].metadata, {}, parts[0].metadata_types)


def _inside(folder: str, name: str) -> str:
    """The real path of a file of the folder. A link may lead nowhere else, but for the blobs of a download cache."""
    real_folder, real = os.path.realpath(folder), os.path.realpath(os.path.join(folder, name))
    allowed = [real_folder]
    if os.path.basename(os.path.dirname(real_folder)) == "snapshots":
        allowed.append(os.path.join(os.path.dirname(os.path.dirname(real_folder)), "blobs"))
    if not any(os.path.commonpath((root, real)) == root for root in allowed):
        advice = "name the file itself, or put it into the folder"
        raise Malformed(f"has the link `{shown(name)}` that leads out of its folder", advice=advice)
    return real


def read_index(path: str) -> ModelHeader:
    """A sharded model through its index. Every tensor named must be in the shard named."""
    with located(path):
        metadata, weight_map = _parse_index(path)
        folder = os.path.dirname(path) or "."
        shards = _read_shards(folder, dict.fromkeys(weight_map.values()))
        entries = {name: _sharded(shards, shard, name) for name, shard in weight_map.items()}
        aliases = {name: kept for shard in shards.values() for name, kept in shard.aliases.items() if name in entries}
    return ModelHeader("folder", path, entries, metadata, aliases)


def _read_shards(folder: str, names: Iterable[str]) -> dict[str, ModelHeader]:
    shards: dict[str, ModelHeader] = {}
    total = 0
    for name in names:
        shards[name] = _read_member(folder, name)
        # where the data starts, the header ends
        total += min((entry.start for entry in shards[name].entries.values()), default=MAX_JSON)
        if total > MAX_HEADERS:
            raise Malformed(f"names shards whose headers take more than {MAX_HEADERS:,} bytes together")
    return shards


def _parse_index(path: str) -> tuple[dict[str, object], dict[str, str]]:
    with opened(path) as (descriptor, size):
        if size > MAX_JSON:
            raise Malformed(f"has {size:,} bytes; the limit for an index is {MAX_JSON:,}")
        found = parse_strict(read_up_to(descriptor, size, 0))
    if not isinstance(found, dict) or not isinstance(found.get("weight_map"), dict):
        raise Malformed("is no index of a sharded model: it has no weight_map")
    weight_map, metadata = found["weight_map"], found.get("metadata", {})
    if not isinstance(metadata, dict):
        raise Malformed("has metadata that is not an object", "key `metadata`")
    for name, shard in weight_map.items():
        _check_shard(name, shard)
    if len(set(weight_map.values())) > MAX_SHARDS:
        raise Malformed(f"names more than {MAX_SHARDS} shards", "key `weight_map`")
    return metadata, weight_map


def _check_shard(name: str, shard: object) -> None:
    place = f"tensor `{shown(name)}`"
    check_name(name, place)
    if not isinstance(shard, str) or not shard or shard != os.path.basename(shard) or "\\" in shard or "\0" in shard or ":" in shard:
        raise Malformed(f"names the shard `{shown(shard)}`, which is not a plain file name", place)
    if shard.lower().endswith(_UNSAFE):
        raise Malformed(f"names the shard `{shown(shard)}`, a pickle, which is never opened", place, PICKLE_ADVICE, "TL0605")
    if not shard.endswith(".safetensors"):
        raise Malformed(f"names the shard `{shown(shard)}`, which is not a .safetensors file", place)


def _sharded(shards: dict[str, ModelHeader], shard: str, name: str) -> TensorEntry:
    header = shards[shard]
    if header.kind != "safetensors":
        raise Malformed(f"names the shard `{shown(shard)}`, which is not safetensors by its content", f"tensor `{shown(name)}`")
    if name not in header.entries:
        raise Malformed(f"says that `{shown(shard)}` holds a tensor that is not in it", f"tensor `{shown(name)}`")
    return header.entries[name]
