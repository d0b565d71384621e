"""Data, checkpoints and folders that are wrong, through the command: the code, the place, and nothing lost."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests.training import programs
from tests.training.forked import Done, outcomes, tlc

LEARN = 'learn batch in DATA { objective: LOSS, optimizer: sgd(lr: 0.1), steps: 4, checkpoint: every(1, "ck"), log: "log.jsonl" }'
NET = "model Net() { l: Linear(3, 3); fn forward(x: f32[B, 3]) -> f32[B, 3] { return l(x) } }\nlet m = Net()\n"
ROWS = 'let x: f32[?, 3] = read_csv("rows.csv", columns: 0..3)\nlet y = read_column("rows.csv", 3, dtype: int64)\n' + NET
ROWS += LEARN.replace("DATA", "batches((x, y), size: 2)").replace("LOSS", "cross_entropy(m(batch.0), batch.1)")
NUMBERS = 'let x: f32[?, 3] = read_csv("rows.csv", nan: true)\n' + NET
NUMBERS += LEARN.replace("DATA", "batches(x, size: 2)").replace("LOSS", "mean(m(batch) ** 2)")
RECORDS = """
let rows = read_jsonl("rows.jsonl", fields: ["text"])
let tok = char_tokenizer(rows[0].text)
model Net(V: int) { e: Embedding(V, V); fn forward(ids: int64[B, T]) -> f32[B, T, V] { return e(ids) } }
let m = Net(tok.vocab_size)
"""
RECORDS += LEARN.replace("DATA", "batches(windows(tok.encode(rows[0].text), length: 4), size: 2)").replace(
    "LOSS", "cross_entropy(m(batch.inputs), batch.targets)"
)
PARAM = "param w: f32[2] = zeros()\nlearn { objective: sum((w - 1.0) ** 2), optimizer: sgd(lr: 0.1), steps: 2, OPTION }"
TOKENS = """
model Net() { e: Embedding(4, 4); fn forward(ids: int64[B, T]) -> f32[B, T, 4] { return e(ids) } }
let m = Net()
let ids = tensor([0, 1, 2, 3, 1, 2, 5, 1, 0])
"""
TOKENS += LEARN.replace("DATA", "batches(windows(ids, length: 4), size: 2)").replace(
    "LOSS", "cross_entropy(m(batch.inputs), batch.targets)"
)
LAST = TOKENS.replace("2, 5, 1, 0", "2, 3, 1, 4")  # only a target
SAVING = NET + 'learn { objective: sum(m.l.weight), optimizer: sgd(lr: 0.1), steps: 2, validate: every(1, || save_model(m, "rows.csv/a")) }'

# program, the file that it reads, exit code, what is said
CASES: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "label too large": (
        ROWS,
        "1,2,3,0\n1,2,3,1\n1,2,3,2\n1,2,3,7\n",
        1,
        ("TL0310", "the label 7 is not among the 3 classes, 0 to 2", "step 2, in its `.1` at [1]"),
    ),
    "label below 0": (ROWS, "1,2,3,0\n1,2,3,-2\n", 1, ("TL0310", "the label -2 is not", "cross_entropy(m(batch.0)")),
    "an id too large": (TOKENS, "", 1, ("TL0310", "the id 5 is not among the 4 of the embedding", "step 1, in its `.inputs` at [1, 2]")),
    "a target too large": (
        LAST,
        "",
        1,
        ("TL0310", "the label 4 is not among the 4 classes, 0 to 3", "step 1, in its `.targets` at [1, 3]"),
    ),
    "label is no number": (ROWS, "1,2,3,0\n1,2,3,cat\n", 1, ("TL0604", "rows.csv:2", "'cat' in column 3")),
    "label is half": (ROWS, "1,2,3,0\n1,2,3,1.5\n", 1, ("TL0604", "rows.csv:2", "which is no whole number")),
    "short row": (ROWS, "1,2,3,0\n1,2,1\n", 1, ("TL0604", "rows.csv:2", "has 3 values, the lines before it have 4")),
    "long row": (ROWS, "1,2,3,0\n\n1,2,3,0,9\n", 1, ("TL0604", "rows.csv:3", "has 5 values")),
    "empty file": (ROWS, "", 1, ("TL0604", "rows.csv", "has no lines of values")),
    "a value is nan": (ROWS, "1,2,3,0\n1,nan,3,1\n", 1, ("TL0604", "rows.csv:2", "`nan: true` takes it")),
    "nan data": (
        NUMBERS,
        "1,2,3\n1,2,3\n1,2,3\n1,,3\n",
        3,
        ("TL0803", "the loss is nan at step 2", "the batch has nan, at [1, 1]", "step-00000001 is kept"),
    ),
    "infinite data": (NUMBERS, "1,2,3\n1,2,inf\n", 3, ("TL0803", "at step 1", "the batch has inf, at [1, 2]")),
    "no record": (RECORDS, "", 1, ("TL0604", "rows.jsonl", "has no records")),
    "another record": (RECORDS, '{"text": "abcdefgh"}\n{"txet": "a"}\n', 1, ("TL0604", "rows.jsonl:2", "without `text`")),
    "no JSON": (RECORDS, '{"text": "abcdefgh"}\n\n{"text": \n', 1, ("TL0604", "rows.jsonl:3", "is not JSON")),
    "a short text": (RECORDS, '{"text": "abcd"}\n', 1, ("TL0311", "a window of 4 ids needs 5 with its targets, found 4")),
    "log to a device": (PARAM.replace("OPTION", 'log: "/dev/full"'), "", 1, ("TL0604", "/dev/full", "not a regular file")),
    "log under a file": (PARAM.replace("OPTION", 'log: "rows.csv/log.jsonl"'), "mine", 1, ("TL060", "rows.csv/log.jsonl")),
    "log where nothing can be": (PARAM.replace("OPTION", 'log: "/proc/log.jsonl"'), "", 1, ("TL0606", "/proc/log.jsonl")),
    "checkpoints in a file": (PARAM.replace("OPTION", 'checkpoint: every(1, "rows.csv")'), "mine", 1, ("TL0604", "rows.csv", "unchanged")),
    "checkpoints under a file": (PARAM.replace("OPTION", 'checkpoint: every(1, "rows.csv/ck")'), "mine", 1, ("TL060", "rows.csv/ck")),
    "validation writes nowhere": (SAVING, "mine", 1, ("TL060", "rows.csv")),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Done]]:
    """What each of the programs said, and its folder."""
    folders = {}
    for name, (program, content, _, _) in CASES.items():
        folder = folders[name] = tmp_path_factory.mktemp("case")
        (folder / "p.tl").write_text(program)
        (folder / ("rows.jsonl" if "rows.jsonl" in program else "rows.csv")).write_text(content)
    ran = outcomes(*(tlc(folder, "run", "p.tl", "--seed", "1") for folder in folders.values()))
    return {name: (folder, done) for (name, folder), done in zip(folders.items(), ran, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_wrong_input(told: dict[str, tuple[Path, Done]], name: str) -> None:
    folder, (code, out, err) = told[name]
    _, content, wanted, words = CASES[name]
    assert code == wanted and out == "" and "Traceback" not in err, err
    assert all(word in err for word in words), err
    assert err.count("error[") == 1
    if content == "mine":
        assert (folder / "rows.csv").read_text() == "mine"


# --- checkpoints -----------------------------------------------------------------------------------------------------


def changed(name: str, at: int) -> Callable[[Path], None]:
    """One byte of a file is another."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[at] ^= 0x40
        (folder / name).write_bytes(data)

    return change


def cut(name: str, part: float) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, int(part * (folder / name).stat().st_size))


def renamed(folder: Path) -> None:
    path = folder / "weights.safetensors"
    save_file({name.replace("tokens", "letters"): tensor for name, tensor in load_file(path).items()}, path)


def halved(folder: Path) -> None:
    path = folder / "weights.safetensors"
    save_file({name: tensor[:5].contiguous() if "head.weight" in name else tensor for name, tensor in load_file(path).items()}, path)


def from_elsewhere(folder: Path) -> None:
    (folder / "state.json").write_text(json.dumps({"format": 1, "step": 3}))


DAMAGE: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "weights are cut": (cut("weights.safetensors", 0.5), ("TL0604", "weights.safetensors")),
    "weights are empty": (cut("weights.safetensors", 0.0), ("TL0604", "weights.safetensors")),
    "a byte of the header": (changed("weights.safetensors", 9), ("TL0604", "weights.safetensors")),
    "a byte of the header's size": (changed("optimizer.safetensors", 1), ("TL0604", "optimizer.safetensors")),
    "the optimizer is cut": (cut("optimizer.safetensors", 0.9), ("TL0604", "optimizer.safetensors")),
    "the state is cut": (cut("state.json", 0.5), ("TL0604", "state.json")),
    "a byte of the state": (changed("state.json", 1), ("TL0604", "state.json")),
    "no state": (lambda folder: (folder / "state.json").unlink(), ("TL0606", "state.json")),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), ("TL0606", "weights.safetensors")),
    "no optimizer": (lambda folder: (folder / "optimizer.safetensors").unlink(), ("TL0606", "optimizer.safetensors")),
    "state of something else": (from_elsewhere, ("TL0604", "state.json", "`epoch`")),
    "another model": (renamed, ("TL0602", "it has no `m.tokens.weight`")),
    "another size": (halved, ("TL0603", "`m.head.weight` is [5, 16] in the checkpoint")),
}


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_damaged_checkpoints(tmp_path: Path) -> None:
    """Refused with the file or the tensor; log and checkpoints stay as they are, and one can go on from the older checkpoint."""
    whole = programs.write(tmp_path / "whole", "text")
    assert outcomes(tlc(whole, "run", "p.tl", "--seed", "7"))[0][0] == 0
    damaged = {}
    for name, (damage, _) in DAMAGE.items():
        folder = damaged[name] = tmp_path / name.replace(" ", "_")
        shutil.copytree(whole, folder)
        damage(folder / "ck" / "step-00000008")
    before = {name: content_of(folder) for name, folder in damaged.items()}
    again = outcomes(*(tlc(folder, "run", "p.tl", "--set", "STEPS=9") for folder in damaged.values()))
    for (name, folder), (code, out, err) in zip(damaged.items(), again, strict=True):
        assert code == 1 and out == "" and "Traceback" not in err and err.count("error[") == 1, (name, err)
        assert all(word in err for word in DAMAGE[name][1]), (name, err)
        assert content_of(folder) == before[name], name
    folder = damaged["weights are cut"]
    shutil.move(folder / "ck" / "step-00000008", tmp_path / "aside")
    assert outcomes(tlc(folder, "run", "p.tl"))[0][0] == 0
    assert programs.result(folder) == programs.result(whole)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """The checkpoint before stays whole, and the training goes on from it once there is room."""
    whole, full, little = (programs.write(tmp_path / name, "text") for name in ("whole", "full", "little"))
    runs = [tlc(whole, "run", "p.tl", "--seed", "7"), tlc(full, "run", "p.tl", "--seed", "7", when=("step", 4), number=9)]
    runs += [tlc(full, "run", "p.tl", when=("disk", 1000)), tlc(little, "run", "p.tl", "--seed", "7", when=("disk", 20000))]
    *_, refused, _ = ran = outcomes(*runs, tlc(full, "run", "p.tl"))
    assert refused[0] == 1 and "TL0604" in refused[2] and "cannot be written: File too large" in refused[2], ran
    assert ran[2][0] == 1 and ran[2][2].count("error[") == 1 and "cannot be written: File too large" in ran[2][2], ran[2]
    assert ran[4][0] == 0 and programs.result(full) == programs.result(whole)
    assert not [*(little / "ck").glob("step-*")]


def test_a_log_that_the_disk_does_not_take(tmp_path: Path) -> None:
    (tmp_path / "p.tl").write_text(PARAM.replace("steps: 2", "steps: 50").replace("OPTION", 'log: "log.jsonl"'))
    [(code, _, err)] = outcomes(tlc(tmp_path, "run", "p.tl", when=("disk", 1000)))
    assert code == 1 and "TL0604" in err and "`log.jsonl` cannot be written: File too large" in err
