"""Trainings that end in the middle, killed at any moment or asked to stop: started again, they come to the same bytes."""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.training import programs
from tests.training.forked import outcomes, tlc

FULL = bool(os.environ.get("TLC_FULL"))
KILL = int(signal.SIGKILL)
STEPS = 8
# How many changes of files and folders, and how many writes, a run of each program has; about as many as there are moments to end in.
CHANGES, WRITES = {"text": 75, "rows": 150}, {"text": 250, "rows": 95}
SEED = ("--seed", "7")


def stops(name: str) -> list[tuple[str, int]]:
    """When to end: in steps, between changes of files, in the middle of writing one."""
    numbers = random.Random(name)
    steps, changes, writes = (20, 60, 40) if FULL else (2, 4, 2)
    found = [("step", numbers.randrange(1, STEPS + 1)) for _ in range(steps)]
    found += [("file", numbers.randrange(1, CHANGES[name])) for _ in range(changes)]
    return found + [("half", numbers.randrange(1, WRITES[name])) for _ in range(writes)]


def seed(folder: Path) -> tuple[str, ...]:
    """A training that has saved nothing yet begins again; any other goes on whatever its process begins with."""
    return () if [*folder.glob("ck*/step-*")] else SEED


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_killed_at_any_moment(tmp_path: Path, name: str) -> None:
    whole = programs.write(tmp_path / "whole", name)
    killed = {programs.write(tmp_path / f"{n}_{when[0]}_{when[1]}", name): when for n, when in enumerate(stops(name))}
    runs = [tlc(folder, "run", "p.tl", *SEED, when=when, number=KILL) for folder, when in killed.items()]
    (code, said, err), *ended = outcomes(tlc(whole, "run", "p.tl", *SEED), *runs)
    assert code == 0 and err == ""
    assert {code for code, _, _ in ended} == {-KILL}
    again = outcomes(*(tlc(folder, "run", "p.tl", *seed(folder)) for folder in killed))
    for folder, outcome in zip(killed, again, strict=True):
        assert outcome == (0, said, ""), folder.name
        assert programs.result(folder) == programs.result(whole), folder.name
        assert not [*folder.rglob(".step-*"), *folder.rglob("*.tlc-tmp")], "nothing unfinished is left"


def test_asked_to_stop(tmp_path: Path) -> None:
    """The step that Ctrl-C or SIGTERM comes in is the last, and saved; the training goes on from it."""
    whole = programs.write(tmp_path / "whole", "text")
    asked = {number: programs.write(tmp_path / number.name, "text") for number in (signal.SIGINT, signal.SIGTERM)}
    stopping = [tlc(folder, "run", "p.tl", *SEED, when=("step", 5), number=int(number)) for number, folder in asked.items()]
    again = [tlc(folder, "run", "p.tl") for folder in asked.values()]
    first, *outcome = outcomes(tlc(whole, "run", "p.tl", *SEED), *stopping, *again)
    assert first[0] == 0 and outcome[2:] == [first, first]
    for code, out, err in outcome[:2]:
        assert (code, out) == (130, "") and "Traceback" not in err
        assert "stopped after step 5; it goes on from ck/step-00000005 with `resume: auto`" in err
    for folder in asked.values():
        assert programs.result(folder) == programs.result(whole)


def test_other_data_are_noticed(tmp_path: Path) -> None:
    """Data made of random numbers are others in another process, which is said with what makes them the same."""
    text = programs.ROWS.replace('read_csv("rows.csv", columns: 0..3)', "randn([22, 3])")
    folder = programs.write(tmp_path, "rows", text)
    stopped = tlc(folder, "run", "p.tl", *SEED, when=("step", 6), number=KILL)
    _, other, same = outcomes(stopped, tlc(folder, "run", "p.tl"), tlc(folder, "run", "p.tl", *SEED))
    assert other[0] == 0 and "the data are not those of the training in ck_first/step-00000004" in other[2]
    assert "made of random numbers they are the same with `--seed 7`" in other[2]
    assert same[0] == 0
