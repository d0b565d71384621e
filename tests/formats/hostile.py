"""The corpus of malformed model files: what is wrong -> (suffix, bytes, code, a word of the message)."""

import pickle
import struct

from model_files import ARRAY, STRING, gguf, info, key, safetensors, tensor, text

Case = tuple[str, bytes, str, str]
S, G = ".safetensors", ".gguf"


def _array(kind: int, count: int, items: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + items


def _nested(depth: int) -> bytes:
    return _array(ARRAY, 1) * depth + _array(0, 1, b"\0")


def _safetensors_sizes() -> dict[str, Case]:
    good = safetensors({"x": tensor()}, bytes(8))
    return {
        "empty file": (S, b"", "TL0604", "too few"),
        "seven bytes": (S, b"1234567", "TL0604", "too few"),
        "header length 2**64-1": (S, safetensors({}, length=2**64 - 1), "TL0604", "limit"),
        "header length 1 GB": (S, safetensors({}, length=1 << 30), "TL0604", "limit"),
        "header length past the end": (S, safetensors({}, length=3), "TL0604", "follow"),
        "header of no bytes": (S, safetensors(b""), "TL0604", "not JSON"),
        "cut in the header": (S, good[:20], "TL0604", "follow"),
        "cut in the data": (S, good[:-1], "TL0604", "cut off"),
        "bytes after the data": (S, good + b"x", "TL0604", "no tensor"),
        "data and no tensor": (S, safetensors({}, b"abcd"), "TL0604", "no tensor"),
        "random": (S, b"\x10\0\0\0\0\0\0\0" + bytes(range(200, 216)), "TL0604", "UTF-8"),
    }


def _safetensors_json() -> dict[str, Case]:
    entry = b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    return {
        "list for a header": (S, safetensors([1]), "TL0604", "not a JSON object"),
        "text after the header": (S, safetensors(b"{}{}"), "TL0604", "not JSON"),
        "zeros after the header": (S, safetensors(b"{}\0\0"), "TL0604", "not JSON"),
        "byte order mark": (S, safetensors(b"\xef\xbb\xbf{}"), "TL0604", "not JSON"),
        "not UTF-8": (S, safetensors(b'{"\xff":1}'), "TL0604", "UTF-8"),
        "duplicate tensor": (S, safetensors(b'{"x":' + entry + b',"x":' + entry + b"}", bytes(8)), "TL0604", "twice"),
        "duplicate field": (S, safetensors(b'{"x":{"dtype":"F32","dtype":"F32"}}'), "TL0604", "twice"),
        "NaN": (S, safetensors(b'{"x":NaN}'), "TL0604", "NaN"),
        "infinity": (S, safetensors(b'{"x":-Infinity}'), "TL0604", "Infinity"),
        "deep lists": (S, safetensors(b"[" * 100_000 + b"]" * 100_000), "TL0604", "deeper"),
        "deep objects": (S, safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "TL0604", "deeper"),
        "unclosed": (S, safetensors(b'{"a":' * 9), "TL0604", "deeper"),
        "number of 100,000 digits": (S, safetensors(b'{"x":' + b"9" * 100_000 + b"}"), "TL0604", "digits"),
        "control character": (S, safetensors(b'{"a\nb":1}'), "TL0604", "not JSON"),
        "a million brackets": (S, safetensors(b"{" + b"[]," * 3_000_000 + b"}"), "TL0604", "more than"),
        "millions of strings": (S, safetensors(b"[" + b'"",' * 3_000_000 + b"1]"), "TL0604", "more than"),
    }


def _safetensors_entries() -> dict[str, Case]:
    def one(info: object, size: int = 8, name: str = "x") -> bytes:
        return safetensors({name: info}, bytes(size))

    two = {"a": tensor([2], [0, 8]), "b": tensor([2], [4, 12])}
    hole = {"a": tensor([2], [0, 8]), "b": tensor([2], [12, 20])}
    same = {"a": tensor([2], [0, 8]), "b": tensor([2], [0, 8])}
    return {
        "tensor is a number": (S, one(3), "TL0604", "something else"),
        "missing field": (S, one({"dtype": "F32", "shape": [2]}), "TL0604", "something else"),
        "extra field": (S, one(tensor() | {"y": 1}), "TL0604", "something else"),
        "unknown dtype": (S, one(tensor(dtype="F99")), "TL0604", "unknown dtype"),
        "dtype is a list": (S, one(tensor(dtype=["F32"])), "TL0604", "unknown dtype"),
        "shape is a number": (S, one(tensor(2)), "TL0604", "shape"),
        "bool for a size": (S, one(tensor([True, 2])), "TL0604", "shape"),
        "float for a size": (S, one(tensor([2.0])), "TL0604", "shape"),
        "negative size": (S, one(tensor([-2])), "TL0604", "shape"),
        "size 2**63": (S, one(tensor([2**63])), "TL0604", "shape"),
        "product 2**64": (S, one(tensor([2**32, 2**32], [0, 0]), 0), "TL0604", "2**63"),
        "product 2**64 beside 0": (S, one(tensor([2**62, 4, 0], [0, 0]), 0), "TL0604", "2**63"),
        "rank 100,000": (S, one(tensor([1] * 100_000, [0, 4]), 4), "TL0604", "axes"),
        "offsets in reverse": (S, one(tensor([2], [8, 0])), "TL0604", "data_offsets"),
        "three offsets": (S, one(tensor([2], [0, 4, 8])), "TL0604", "data_offsets"),
        "offset 2**64": (S, one(tensor([2], [2**64 - 8, 2**64])), "TL0604", "data_offsets"),
        "offsets past the end": (S, one(tensor([4], [0, 16])), "TL0604", "cut off"),
        "shape and bytes disagree": (S, one(tensor([3])), "TL0604", "bytes to F32"),
        "overlap": (S, safetensors(two, bytes(12)), "TL0604", "overlaps"),
        "same bytes twice": (S, safetensors(same, bytes(8)), "TL0604", "overlaps"),
        "hole": (S, safetensors(hole, bytes(20)), "TL0604", "hole"),
        "hole at the start": (S, one(tensor([2], [4, 12]), 12), "TL0604", "hole"),
        "half a byte": (S, one(tensor([3], [0, 2], "F4"), 2), "TL0604", "bytes to F4"),
        "NUL in a name": (S, one(tensor(), name="a\0b"), "TL0604", "NUL"),
        "half a character in a name": (S, safetensors(b'{"\\ud800":' + b"1}"), "TL0604", "half"),
        "metadata is a list": (S, safetensors({"__metadata__": ["a"]}), "TL0604", "metadata"),
        "metadata is null": (S, safetensors({"__metadata__": None}), "TL0604", "metadata"),
        "number in the metadata": (S, safetensors({"__metadata__": {"a": 1}}), "TL0604", "metadata"),
        "70,000 tensors": (S, safetensors({str(i): tensor([0], [0, 0]) for i in range(70_000)}), "TL0604", "tensors"),
        "140,000 tensors": (S, safetensors({str(i): tensor([0], [0, 0]) for i in range(140_000)}), "TL0604", "more than"),
        "escape codes in a name": (S, one(3, name="\x1b[2J\u202e" * 50), "TL0604", "something else"),
    }


def _gguf_head() -> dict[str, Case]:
    return {
        "letters only": (G, b"GGUF", "TL0604", "ends"),
        "no letters": (G, b"GGML" + bytes(40), "TL0604", "letters"),
        "empty": (G, b"", "TL0604", "letters"),
        "version 1": (G, gguf(version=1), "TL0604", "version 1"),
        "version 4": (G, gguf(version=4), "TL0604", "version 4"),
        "version 0": (G, gguf(version=0), "TL0604", "version 0"),
        "big-endian": (G, b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "TL0604", "big-endian"),
        "2**64-1 tensors": (G, gguf(counts=(2**64 - 1, 0)), "TL0604", "tensors"),
        "2**64-1 values": (G, gguf(counts=(0, 2**64 - 1)), "TL0604", "metadata values"),
        "2**61 tensors": (G, gguf(counts=(2**61, 0)), "TL0604", "tensors"),
        "more values than bytes": (G, gguf(counts=(0, 3), data=bytes(20)), "TL0604", "metadata values"),
        "ends in a value": (G, gguf([key("k", STRING, text("abcdef"))])[:48], "TL0604", "left"),
        "a million empty values": (G, gguf(counts=(0, 1_000_000), data=bytes(20_000_000)), "TL0604", "limit"),
    }


def _gguf_values() -> dict[str, Case]:
    def values(*keys: bytes, pad: int = 64) -> bytes:
        return gguf(list(keys), data=bytes(pad))

    return {
        "key length 2**64-1": (G, gguf([b"\xff" * 40]), "TL0604", "string"),
        "key of 70,000 bytes": (G, values(key("k" * 70_000, 0, b"\0")), "TL0604", "string"),
        "empty key": (G, values(key("", 0, b"\0")), "TL0604", "empty key"),
        "NUL in a key": (G, values(key("a\0b", 0, b"\0")), "TL0604", "NUL"),
        "key not UTF-8": (G, values(key(b"\xff\xfe", 0, b"\0")), "TL0604", "UTF-8"),
        "key twice": (G, values(key("k", 0, b"\0"), key("k", 0, b"\1")), "TL0604", "twice"),
        "unknown value type": (G, values(key("k", 13, b"\0" * 8)), "TL0604", "unknown type 13"),
        "bool of 2": (G, values(key("k", 7, b"\2")), "TL0604", "neither 0 nor 1"),
        "string not UTF-8": (G, values(key("k", STRING, text(b"\xc3\x28"))), "TL0604", "UTF-8"),
        "string length past the end": (G, values(key("k", STRING, struct.pack("<Q", 1000))), "TL0604", "left"),
        "string of 20 MB": (G, values(key("k", STRING, text(b"a" * 20_000_000))), "TL0604", "limit"),
        "array of 2**64-1 strings": (G, values(key("k", ARRAY, _array(STRING, 2**64 - 1))), "TL0604", "items"),
        "array of 2**62 doubles": (G, values(key("k", ARRAY, _array(12, 2**62))), "TL0604", "items"),
        "array of an unknown type": (G, values(key("k", ARRAY, _array(99, 1))), "TL0604", "unknown type 99"),
        "array of bools of 7": (G, values(key("k", ARRAY, _array(7, 2, b"\1\7"))), "TL0604", "neither"),
        "arrays nested 5 deep": (G, values(key("k", ARRAY, _nested(5))), "TL0604", "nested"),
        "arrays nested 100,000 deep": (G, values(key("k", ARRAY, _nested(100_000))), "TL0604", "nested"),
        "arrays of different types": (
            G,
            values(key("k", ARRAY, _array(ARRAY, 2, _array(0, 1, b"\0") + _array(1, 1, b"\0")))),
            "TL0604",
            "different",
        ),
        "3 million empty strings": (G, values(key("k", ARRAY, _array(STRING, 3_000_000, bytes(24_000_000)))), "TL0604", "items"),
        "3 million bytes": (G, values(key("k", ARRAY, _array(0, 3_000_000, bytes(3_000_000)))), "TL0604", "items"),
        "2 million empty arrays": (G, values(key("k", ARRAY, _array(ARRAY, 2_500_000, _array(0, 0) * 2_500_000))), "TL0604", "items"),
        "alignment 0": (G, values(key("general.alignment", 4, struct.pack("<I", 0))), "TL0604", "power of two"),
        "alignment 48": (G, values(key("general.alignment", 4, struct.pack("<I", 48))), "TL0604", "power of two"),
        "alignment as text": (G, values(key("general.alignment", STRING, text("32"))), "TL0604", "power of two"),
        "alignment -32": (G, values(key("general.alignment", 5, struct.pack("<i", -32))), "TL0604", "power of two"),
    }


def _gguf_tensors() -> dict[str, Case]:
    def of(*infos: bytes, size: int = 32) -> bytes:
        return gguf(infos=list(infos), data=bytes(size))

    return {
        "5 axes": (G, of(info(dims=(1, 1, 1, 1, 1))), "TL0604", "axes"),
        "2**32-1 axes": (G, of(info(rank=2**32 - 1)), "TL0604", "axes"),
        "product 2**64": (G, of(info(dims=(2**32, 2**32))), "TL0604", "2**63"),
        "product wraps to 8": (G, of(info(dims=(2**61 + 1, 8))), "TL0604", "2**63"),
        "bytes wrap": (G, of(info(dims=(2**62,), kind=28)), "TL0604", "2**63"),
        "size 2**64-1": (G, of(info(dims=(2**64 - 1,))), "TL0604", "2**63"),
        "row of half a block": (G, of(info(dims=(16, 2), kind=8)), "TL0604", "blocks of 32"),
        "scalar of blocks": (G, of(info(dims=(), kind=12)), "TL0604", "blocks of 256"),
        "empty name": (G, of(info("")), "TL0604", "empty tensor name"),
        "NUL in a name": (G, of(info("a\0")), "TL0604", "NUL"),
        "name not UTF-8": (G, of(info(b"\xff")), "TL0604", "UTF-8"),
        "tensor twice": (G, of(info(), info(offset=32), size=64), "TL0604", "twice"),
        "offset 2**64-1": (G, of(info(offset=2**64 - 1)), "TL0604", "hole"),
        "offset 2**64-32": (G, of(info(offset=2**64 - 32)), "TL0604", "hole"),
        "offset not aligned": (G, of(info(offset=8), size=40), "TL0604", "hole"),
        "second not aligned": (G, of(info("a", (1,)), info("b", (1,), offset=4), size=64), "TL0604", "overlaps"),
        "overlap": (G, of(info("a"), info("b")), "TL0604", "overlaps"),
        "hole": (G, of(info("a"), info("b", offset=64), size=96), "TL0604", "hole"),
        "cut off": (G, of(info(), size=31), "TL0604", "cut off"),
        "no data": (G, of(info(), size=0), "TL0604", "cut off"),
        "bytes after the last tensor": (G, of(info(), size=33), "TL0604", "after its last"),
        "bytes and no tensor": (G, of(size=100), "TL0604", "after its last"),
        "dims past the buffer": (G, of(info(dims=(1 << 40,))), "TL0604", "cut off"),
        "unknown type at a taken place": (G, of(info("a"), info("b", kind=77)), "TL0604", "overlaps"),
        "ends in a tensor entry": (G, gguf(infos=[info()])[:60], "TL0604", "ends"),
    }


def _pickles() -> dict[str, Case]:
    value = {"weight": [1.0, 2.0]}
    zipped = b"PK\x03\x04" + bytes(26) + b"archive/data.pkl" + bytes(40)
    cases = {
        f"pickle {n} as {suffix}": (suffix, pickle.dumps(value, n), "TL0605", "a pickle") for n in range(6) for suffix in (S, G, ".pt")
    }
    cases |= {f"zip as {suffix}": (suffix, zipped, "TL0605", "zip") for suffix in (S, G, ".pth", ".bin", "")}
    return cases | {
        "pickled call": (S, b"cos\nsystem\n(S'true'\ntR.", "TL0605", "a pickle"),
        "pickled call with a mark": (G, b"(cos\nsystem\nS'true'\no.", "TL0605", "a pickle"),
        "tar": (".pt", bytes(257) + b"ustar\x0000" + bytes(250), "TL0605", "tar"),
        "noise called .bin": (".bin", b"noise" * 10, "TL0605", "by its name"),
        "noise called .ckpt": (".ckpt", b"noise" * 10, "TL0605", "by its name"),
    }


PARTS = (_safetensors_sizes, _safetensors_json, _safetensors_entries, _gguf_head, _gguf_values, _gguf_tensors, _pickles)


def hostile_files() -> dict[str, Case]:
    """Every case by a name that is unique and says which format it is of."""
    return {f"{part.__name__.strip('_')}: {name}": case for part in PARTS for name, case in part().items()}
