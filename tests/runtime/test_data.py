"""Data sets and readers: which rows come in which order, and what is said of files that are not as they should be."""

import gzip
from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime import data

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def refusal(function, *args, **options) -> tuple[str, str]:
    """(code, message) of a refusal."""
    with pytest.raises(TensorLogicError) as caught:
        function(*args, **options)
    found = caught.value.diagnostics[0]
    return found.code, found.message


# --- batches -------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 12), st.booleans(), st.integers(0, 3), st.integers(0, 2**63 - 1))
def test_an_epoch_has_each_row_once(count: int, size: int, shuffle: bool, epoch: int, seed: int) -> None:
    rows = torch.arange(count)
    made = data.batches((rows, rows * 2), size, shuffle, seed=seed)
    found = list(made.epoch(epoch))
    assert len(found) == len(made)
    assert [len(batch[0]) for batch in found[:-1]] == [size] * (len(found) - 1)
    together = torch.cat([batch[0] for batch in found])
    assert together.sort().values.tolist() == rows.tolist() and (shuffle or together.tolist() == rows.tolist())
    assert all((batch[1] == 2 * batch[0]).all() for batch in found)


@given(st.integers(1, 30), st.integers(1, 7), st.integers(0, 9), st.integers(0, 5))
def test_skipping_gives_what_would_have_come(count: int, size: int, skip: int, epoch: int) -> None:
    made = data.batches(torch.arange(count), size, True, seed=5)
    assert [b.tolist() for b in made.epoch(epoch, skip)] == [b.tolist() for b in made.epoch(epoch)][skip:]


def test_the_order_is_of_seed_and_epoch_alone() -> None:
    def order(made, epoch: int) -> list[int]:
        return torch.cat(list(made.epoch(epoch))).tolist()

    rows = torch.arange(100)
    first = order(data.batches(rows, 8, True, seed=1), 3)
    torch.rand(5)
    assert order(data.batches(rows, 8, True, seed=1), 3) == first
    assert order(data.batches(rows, 8, True, seed=1), 4) != first != order(data.batches(rows, 8, True, seed=2), 3)
    torch.manual_seed(11)
    unseeded = data.batches(rows, 8, True)
    torch.manual_seed(12)
    assert order(unseeded, 0) == order(data.batches(rows, 8, True, seed=11), 0)


def test_global_random_numbers_stay() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(data.batches(torch.arange(9), 2, True))
    data.random_split(torch.arange(9), 0.5)
    assert torch.equal(before, torch.get_rng_state())


def test_for_goes_through_epoch_after_epoch() -> None:
    made = data.batches(torch.arange(50), 50, True, seed=1)
    assert [next(iter(made)).tolist() for _ in range(3)] == [next(made.epoch(n)).tolist() for n in range(3)]


def test_last_batch() -> None:
    assert [len(b) for b in data.batches(torch.arange(10), 4)] == [4, 4, 2]
    assert [len(b) for b in data.batches(torch.arange(10), 4, drop_last=True)] == [4, 4]
    assert refusal(data.batches, torch.arange(3), 4, drop_last=True) == ("TL0311", "3 rows give no batch of 4")


def test_lists_and_mistakes() -> None:
    assert list(data.batches(["a", "b", "c"], 2)) == [["a", "b"], ["c"]]
    assert [b[0] for b in data.batches((["a", "b", "c"], torch.arange(3)), 3, True, seed=0)][0] != ["a", "b", "c"]
    assert refusal(data.batches, (torch.zeros(3), torch.zeros(4)), 2)[0] == "TL0301"
    assert refusal(data.batches, torch.tensor(1.0), 2)[0] == "TL0304"
    assert refusal(data.batches, data.batches(torch.zeros(3), 1), 2)[0] == "TL0306"


# --- windows, splits -----------------------------------------------------------------------------------------------------


@given(st.integers(2, 60), st.integers(1, 12), st.integers(1, 15))
def test_windows(count: int, length: int, stride: int) -> None:
    ids = list(range(count))
    if count <= length:
        assert refusal(data.windows, ids, length, stride)[0] == "TL0311"
        return
    expected = [(ids[i : i + length], ids[i + 1 : i + length + 1]) for i in range(0, count - length, stride)]
    made = data.windows(ids, length, stride)
    assert [(w.inputs[0].tolist(), w.targets[0].tolist()) for w in made] == expected and len(made) == len(expected)
    whole = next(iter(data.batches(made, len(made))))
    assert whole.inputs.tolist() == [pair[0] for pair in expected] and whole.inputs.is_contiguous()


def test_slices_of_windows() -> None:
    made = data.windows(torch.arange(11), 2)
    assert len(made) == 5 and len(made[:3]) == 3 and next(iter(made[3:])).inputs.tolist() == [[6, 7]]


@given(st.integers(2, 50), st.floats(0.0, 1.0))
def test_random_split(count: int, fraction: float) -> None:
    rows = torch.arange(count)
    if not 0 < round(count * fraction) < count:
        assert refusal(data.random_split, rows, fraction)[0] == "TL0311"
        return
    first, second = data.random_split(rows, fraction, 1)
    assert len(first) == round(count * fraction)
    assert sorted(first.tolist() + second.tolist()) == rows.tolist()
    assert data.random_split((rows, rows), fraction, 1)[0][1].tolist() == first.tolist()


# --- text ----------------------------------------------------------------------------------------------------------------


def test_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffäb\r\nc".encode())
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"packed"))
    assert data.read_text(str(tmp_path / "a.txt")) == "äb\nc" and data.read_text(str(tmp_path / "a.gz")) == "packed"


@pytest.mark.parametrize(
    "name, content, code, said",
    [
        ("empty.txt", b"", "TL0604", "is empty"),
        ("latin.txt", b"one\ntw\xe9", "TL0604", "latin.txt:2` is not UTF-8 text: byte 6 is 0xe9"),
        ("cut.gz", gzip.compress(b"packed text")[:-6], "TL0604", "is not a whole gzip file"),
        ("none.gz", b"packed text", "TL0604", "is not a whole gzip file"),
        ("bomb.gz", gzip.compress(bytes((1 << 28) + 1), 1), "TL0604", "unpacks to more than"),
    ],
)
def test_text_that_is_refused(tmp_path: Path, name: str, content: bytes, code: str, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    found = refusal(data.read_text, str(tmp_path / name))
    assert found[0] == code and said in found[1]


def test_files_that_are_none(tmp_path: Path) -> None:
    assert refusal(data.read_text, str(tmp_path / "absent"))[0] == "TL0606"
    assert refusal(data.read_text, str(tmp_path))[0] == "TL0604"
    assert refusal(data.read_text, "/dev/zero")[0] == "TL0604"


# --- CSV -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def csv(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_csv(csv) -> None:
    path = csv('a,"b,c",label\n1,2.5,0\n\n-3e1, 4 ,2\n')
    assert data.read_csv(path, header=True).tolist() == [[1.0, 2.5, 0.0], [-30.0, 4.0, 2.0]]
    assert data.read_csv(path, ["b,c", "a"]).tolist() == [[2.5, 1.0], [4.0, -30.0]]
    assert data.read_csv(path, range(0, 2), header=True, dtype=torch.float64).dtype == torch.float64
    labels = data.read_column(path, "label", torch.int64)
    assert labels.dtype == torch.int64 and labels.tolist() == [0, 2]
    assert data.read_column(path, -1, torch.uint8, header=True).tolist() == [0, 2]
    assert data.read_csv(csv("# made by hand\n1;2\n"), skip=1, delimiter=";").tolist() == [[1.0, 2.0]]
    assert torch.isnan(data.read_csv(csv("1,nan\n2,\n"), nan=True)[:, 1]).all()


@pytest.mark.parametrize(
    "text, options, code, said",
    [
        ("1,2\n3\n", {}, "TL0604", "t.csv:2` has 1 values, the lines before it have 2"),
        ("1,2\n\n3,4,5\n", {}, "TL0604", "t.csv:3` has 3 values"),
        ("1,2\n3,x\n", {}, "TL0604", "t.csv:2` has 'x' in column 1, which is no number"),
        ("1,2\n3,\n", {}, "TL0604", "t.csv:2` has '' in column 1, which is empty"),
        ("1,nan\n", {}, "TL0604", "t.csv:1` has 'nan' in column 1, which is not finite"),
        ("1,1e999\n", {}, "TL0604", "which is not finite"),
        ("1e5\n", {"dtype": torch.float16}, "TL0604", "which float16 does not hold"),
        ("1.5\n", {"dtype": torch.int64}, "TL0604", "which is no whole number"),
        ("300\n", {"dtype": torch.uint8}, "TL0604", "which uint8 does not hold"),
        ("9" * 5000, {"dtype": torch.int64}, "TL0604", "which is no whole number"),
        ("1_000\n", {}, "TL0604", "which is no number"),
        ("", {}, "TL0604", "has no lines of values"),
        ("a,b\n", {"header": True}, "TL0604", "has no lines of values"),
        ("1,2\n", {"columns": [2]}, "TL0310", "has 2 columns, there is no column 2"),
        ("size,b\n1,2\n", {"columns": ["sise"]}, "TL0602", "has no column `sise`"),
        ('1,"2\n', {}, "TL0604", "is not CSV"),
        ("1," + "2" * 200_000, {}, "TL0604", "is not CSV"),
        ("1,2\n", {"delimiter": ", "}, "TL0601", "a delimiter is one character"),
    ],
)
def test_csv_that_is_refused(csv, text: str, options: dict, code: str, said: str) -> None:
    found = refusal(data.read_csv, csv(text), **options)
    assert found[0] == code and said in found[1]


def test_a_header_that_was_not_announced(csv) -> None:
    with pytest.raises(TensorLogicError) as caught:
        data.read_csv(csv("a,b\n1,2\n"))
    assert caught.value.diagnostics[0].help == ("where the first line names the columns, say `header: true`",)


@pytest.mark.skipif(not DATA.exists(), reason="needs shared/data")
def test_real_tables() -> None:
    digits = data.read_csv(str(DATA / "tables" / "digits.csv.gz"), range(64))
    labels = data.read_column(str(DATA / "tables" / "digits.csv.gz"), 64, torch.int64)
    assert digits.shape == (1797, 64) and digits.max() == 16 and labels.bincount().tolist()[0] == 178
    iris = data.read_csv(str(DATA / "tables" / "iris.csv"), [0, 1, 2, 3], skip=1)
    assert iris.mean(0).allclose(torch.tensor([5.8433, 3.0573, 3.758, 1.1993]), atol=1e-3)


# --- JSON ----------------------------------------------------------------------------------------------------------------


def test_json(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "one", "n": 1}\n\n{"q": "two \\" ]", "n": 2}\n')
    (tmp_path / "a.json").write_text('[\n {"q": "one"}, {"q": "two \\" ]"}\n]\n')
    for reader, name in ((data.read_jsonl, "a.jsonl"), (data.read_json, "a.json")):
        assert [record.q for record in reader(str(tmp_path / name), ["q"])] == ["one", 'two " ]']


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"q": "a"}\n{"p": "a"}\n', "t:2` has a record without `q`; it has p"),
        ('{"q": "a"}\n{"q": 3}\n', "t:2` has a number as `q`, where a string is expected"),
        ('{"q": "a"}\n["q"]\n', "t:2` has a list where a record"),
        ('{"q": "a"}\n{"q": "a"\n', "t:2` is not JSON"),
        ('{"q": "a", "q": "b"}\n', "t:1` is refused: a name stands twice"),
        ('{"q": NaN}\n', "t:1` is refused: NaN is not JSON"),
        ('{"q": ' + "9" * 5000 + "}\n", "t:1` is refused"),
        ('{"q": ' + "[" * 100_000 + "\n", "t:1` is nested deeper than 64"),
        ("\n\n", "has no records"),
    ],
)
def test_jsonl_that_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t").write_text(text)
    found = refusal(data.read_jsonl, str(tmp_path / "t"), ["q"])
    assert found[0] == "TL0604" and said in found[1]


@pytest.mark.parametrize(
    "text, said",
    [
        ('[{"q": "a"},\n\n {"p": "a"}]', "t:3` has a record without `q`"),
        ('{"q": "a"}', "is no list of records"),
        ('[{"q": "a"}\n{"q": "a"}]', "t:2` is not JSON: `,` or `]` is expected"),
        ('[{"q": "a"},\n]', "t:2` is not JSON"),
        ('[{"q": "a"}', "is not JSON: `,` or `]` is expected"),
        ('[{"q": "a"}]\n]', "t:2` has something behind its list"),
        ("[]", "has no records"),
        ("", "is no list of records"),
        ("[" * 100_000, "is nested deeper than 64"),
    ],
)
def test_json_that_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t").write_text(text)
    found = refusal(data.read_json, str(tmp_path / "t"), ["q"])
    assert found[0] == "TL0604" and said in found[1]


# --- in programs ---------------------------------------------------------------------------------------------------------

PROGRAM = """
let x: f32[10, 3] = arange(30).reshape([10, 3]).to(float32)
let y: int64[10] = arange(10)
let seen: [int] = []
for batch in batches((x, y), size: 4, shuffle: true, seed: 1) {
    let rows: f32[?, 3] = batch.0
    for label in batch.1.tolist() { seen.push(label) }
}
fn total(data: Dataset) -> int {
    let sum_of = 0
    for batch in data { sum_of = sum_of + sum(batch.targets).item() as int }
    return sum_of
}
let windowed = windows(y, length: 3, stride: 2)
let (train, held_out) = random_split(windowed, fraction: 0.75, seed: 1)
let parts = (len(windowed), len(train), len(held_out), len(windowed[1:]))
let targets = total(batches(windowed, size: 2))
param w: f32[3] = zeros()
learn batch in batches((x, y), size: 4, shuffle: true) {
    objective: mse_loss(batch.0 @ w, batch.1.to(float32))
    optimizer: sgd(lr: 1e-4)
    epochs: 3
}
"""


def test_in_a_program() -> None:
    net = tl.compile(PROGRAM)
    net.run()
    assert sorted(net.values["seen"]) == list(range(10)) != net.values["seen"]
    assert net.values["parts"] == (4, 3, 1, 3) and net.values["targets"] == sum((1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9))
    assert net.values["w"].abs().sum() > 0


def test_paths_are_beside_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("1,2\n3,4\n")
    lines = 'let x: f32[?, 2] = read_csv("t.csv", columns: 0..2)', 'let n: int64[?] = read_column("t.csv", 1, dtype: int64)'
    (tmp_path / "p.tl").write_text("\n".join(lines))
    monkeypatch.chdir(Path(__file__).parent)
    net = tl.compile(tmp_path / "p.tl")
    net.run()
    assert net.values["x"].tolist() == [[1.0, 2.0], [3.0, 4.0]] and net.values["n"].tolist() == [2, 4]
