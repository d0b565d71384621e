"""`tlc plot`: a picture of training logs, and what is said of files that are none."""

import json
from xml.etree import ElementTree

import pytest

from tensorlogic.cli.curves import MAX_POINTS
from tensorlogic.cli.svg import powers, ticks

SVG = "{http://www.w3.org/2000/svg}"


def log(folder, name: str, losses, validation=()) -> None:
    entries = [{"step": step, "epoch": 0, "loss": loss, "lr": 1e-3} for step, loss in enumerate(losses, 1)]
    for step, loss in validation:
        entries[step - 1]["validation"] = loss
    (folder / name).write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def lines_of(path) -> list[list[tuple[float, float]]]:
    """The points of each curve of a picture."""
    tree = ElementTree.parse(path)
    points = [element.get("points") or "" for element in tree.iter(f"{SVG}polyline")]
    return [[tuple(map(float, pair.split(","))) for pair in text.split()] for text in points]  # type: ignore[misc]


def texts_of(path) -> list[str]:
    return [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]


def test_curves(tlc, folder):
    log(folder, "m.jsonl", [9.0, 5.0, 3.0, 1.0], [(2, 6.0), (4, 2.0)])
    result = tlc("plot", "m.jsonl", "-o", "loss.svg")
    assert (result.code, result.out, result.err) == (0, "", "")
    training, validation = lines_of("loss.svg")
    assert len(training) == 4 and len(validation) == 2
    assert [x for x, _ in training] == sorted(x for x, _ in training) and [y for _, y in training] == sorted(y for _, y in training)
    assert training[1][0] == validation[0][0] and training[1][1] > validation[0][1], "5 is below 6: further down"
    assert {"training", "validation", "step", "loss", "2", "4", "6", "8"} <= set(texts_of("loss.svg"))


def test_several_files(tlc, folder):
    log(folder, "a.jsonl", [3.0, 2.0])
    log(folder, "b<&>.jsonl", [4.0, 2.5])
    assert tlc("plot", "a.jsonl", "b<&>.jsonl", "-o", "both.svg").code == 0
    assert len(lines_of("both.svg")) == 2 and {"a: training", "b<&>: training"} <= set(texts_of("both.svg"))


def test_logarithmic(tlc, folder):
    log(folder, "m.jsonl", [100.0, 10.0, 1.0])
    assert tlc("plot", "m.jsonl", "-o", "m.svg", "--log-scale").code == 0
    (points,) = lines_of("m.svg")
    assert points[0][1] - points[1][1] == pytest.approx(points[1][1] - points[2][1], abs=0.2)
    log(folder, "n.jsonl", [1.0, 0.0])
    assert tlc("plot", "n.jsonl", "-o", "n.svg", "--log-scale").code == 2


def test_a_log_that_is_being_written(tlc, folder):
    log(folder, "m.jsonl", [2.0, 1.0])
    with open("m.jsonl", "a") as file:
        file.write('{"step": 3, "lo')
    assert tlc("plot", "m.jsonl", "-o", "m.svg").code == 0 and len(lines_of("m.svg")[0]) == 2


def test_odd_curves(tlc, folder):
    log(folder, "one.jsonl", [2.0])
    log(folder, "flat.jsonl", [2.0, 2.0, float("nan")])
    log(folder, "long.jsonl", [1.0 / step for step in range(1, 3 * MAX_POINTS)])
    assert tlc("plot", "one.jsonl", "flat.jsonl", "long.jsonl", "-o", "m.svg").code == 0
    assert [len(points) for points in lines_of("m.svg")] == [2, MAX_POINTS]
    assert tlc("plot", "one.jsonl", "-o", "one.svg").code == 0 and "<circle" in (folder / "one.svg").read_text()


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"step": 1, "loss": 2}\nnonsense\n', "m.jsonl:2` is not a line of a training log"),
        ("[1]\n\n", "m.jsonl:1` is not a line"),
        ("[" * 100_000 + "\n\n", "m.jsonl:1` is not a line"),
        ('{"step": "1", "loss": 2}\n', "has no losses to draw"),
        ("", "has no losses to draw"),
    ],
)
def test_what_is_no_log(tlc, folder, text, said):
    (folder / "m.jsonl").write_text(text)
    result = tlc("plot", "m.jsonl", "-o", "m.svg")
    assert result.code == 1 and "TL0604" in result.err and said in result.err and not (folder / "m.svg").exists()


def test_wrong_arguments(tlc, folder):
    log(folder, "m.jsonl", [2.0, 1.0])
    assert tlc("plot", "absent.jsonl", "-o", "m.svg").code == 1
    assert tlc("plot", "m.jsonl", "-o", "m.pdf").code == 2 and tlc("plot", "m.jsonl").code == 2
    result = tlc("plot", "m.jsonl", "-o", "absent/m.svg")
    assert result.code == 2 and "cannot be written" in result.err


def test_png(tlc, folder):
    log(folder, "m.jsonl", [2.0, 1.0], [(2, 1.5)])
    result = tlc("plot", "m.jsonl", "-o", "m.png")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert result.code == 2 and "a .png needs matplotlib" in result.err
    else:
        assert result.code == 0 and (folder / "m.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("low, high", [(0, 10), (1.31, 9.8), (0.0001, 0.0002), (-5, 1e6), (9.99, 10.0)])
def test_ticks_are_round_and_inside(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 12 and all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    assert all(len(f"{tick:.6e}".split("e")[0].rstrip("0").rstrip(".")) <= 6 for tick in found)


def test_powers():
    assert [round(10**place, 6) for place in powers(0.0, 1.0)] == [1.0, 2.0, 5.0, 10.0]
    assert [round(10**place, 6) for place in powers(-3.0, 3.0)] == [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]
