"""The options of `learn` as somebody writes them who is in a hurry: refused with a code and a reason, or doing what they say."""

from pathlib import Path

import pytest

from tests.training.conftest import lines
from tests.training.forked import Done, outcomes, tlc

W = "param w: f32[2] = zeros()\n"
ONE = W + "learn { objective: sum((w - 1.0) ** 2), optimizer: OPTIMIZER, OPTIONS }\nprint(w.tolist())"
SGD = "sgd(lr: 0.1)"
NET = "model M() { param w: f32[2] = zeros(); fn forward() -> f32[] { return sum((w - 1.0) ** 2) } }\n"
LOOP = NET + "for i in 0..2 { let m = M()\n learn { objective: m(), optimizer: sgd(lr: 0.1), steps: 2, OPTIONS }\n print(m.w.tolist()) }"
TWICE = W + "\n".join(
    "learn { objective: sum((w - 1.0) ** 2), optimizer: sgd(lr: 0.1), steps: 2, " + option + " }" for option in ("FIRST", "SECOND")
)


QUIET = NET + "let m = M()\nno_grad { learn { objective: m(), optimizer: sgd(), steps: 2 } }"
IN_FUNCTION = """
fn go(m: M(), n: int) -> f32[2] {
    learn { objective: m(), optimizer: sgd(lr: 0.1), steps: n }
    return m.w.clone()
}
print(go(M(), 2).tolist())
"""
IN_ANOTHER = """
let (a, b) = (M(), M())
learn {
    learn { objective: b(), optimizer: sgd(lr: 0.1), steps: 1 }
    objective: a(), optimizer: sgd(lr: 0.1), steps: 2, params: a
}
print(a.w.tolist(), b.w.tolist())
"""
MADE_BEFORE = """
let opt = sgd([w], lr: 0.1)
learn { objective: sum((w - 1.0) ** 2), optimizer: opt, steps: 2, schedule: step_decay(opt, every: 1) }
print(w.tolist())
"""


def one(options: str, optimizer: str = SGD) -> str:
    return ONE.replace("OPTIMIZER", optimizer).replace("OPTIONS", options)


def twice(first: str, second: str) -> str:
    return TWICE.replace("FIRST", first).replace("SECOND", second)


# program, exit code, what is said on stderr
WRONG: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "no epoch": (one("epochs: 0"), 1, ("TL0601", "`epochs` is above 0, found 0")),
    "steps below 0": (one("steps: -1"), 1, ("TL0601", "`steps` is above 0, found -1")),
    "steps known late": ("let n = len([1]) - 2\n" + one("steps: n"), 3, ("TL0801", "`steps` is above 0, found -1")),
    "half a step": (one("steps: 1.5"), 1, ("TL0306", "`steps`")),
    "neither": (one("accumulate: 2"), 1, ("TL0601", "`epochs` or `steps`")),
    "a rate of text": (one("steps: 2", 'sgd(lr: "a")'), 1, ("TL0306", "`lr` of `sgd`: expected float, found string")),
    "a rate below 0": (one("steps: 2", "sgd(lr: -0.1)"), 1, ("Invalid learning rate: -0.1",)),
    "betas above 1": (one("steps: 2", "adamw(betas: (1.5, 0.9))"), 1, ("Invalid beta parameter",)),
    "nesterov alone": (one("steps: 2", "sgd(nesterov: true)"), 1, ("Nesterov momentum requires a momentum",)),
    "no optimizer": (one("steps: 2", "adamx(lr: 0.1)"), 1, ("TL0201", "did you mean")),
    "accumulate nothing": (one("steps: 2, accumulate: 0"), 1, ("TL0601", "`accumulate` is above 0")),
    "clip to nothing": (one("steps: 2, clip_grad_norm: 0"), 1, ("TL0601", "`clip_grad_norm` is above 0")),
    "no params": (one("steps: 2, params: []"), 1, ("TL0306", "`params` are a model, an adapter or tensors")),
    "params that do not learn": ("let x = zeros([2])\n" + one("steps: 2, params: [x]"), 1, ("TL0305", "nothing to learn")),
    "warmup below 0": (one("steps: 2, schedule: warmup_cosine(warmup: -3)"), 1, ("TL0311", "`warmup >= 0`")),
    "decay every 0": (one("steps: 2, schedule: step_decay(every: 0)"), 1, ("TL0311", "`every >= 1`")),
    "validate every 0": (one("steps: 2, validate: every(0, || 1.0)"), 1, ("TL0311", "`steps >= 1`")),
    "checkpoint every 0": (one('steps: 2, checkpoint: every(0, "ck")'), 1, ("TL0311", "`steps >= 1`")),
    "no folder": (one('steps: 2, checkpoint: every(1, "")'), 1, ("TL0306", "`checkpoint` needs a folder")),
    "resume without a folder": (one("steps: 2, resume: auto"), 1, ("TL0601", "`resume` needs `checkpoint`")),
    "resume from nothing": (one('steps: 2, resume: "no/step-00000002"'), 1, ("TL0606", "no/step-00000002/state.json")),
    "precision of ints": (one("steps: 2, precision: int8"), 1, ("TL0601", "`precision` is one of")),
    "an engine": (one("steps: 2, distributed: ddp"), 1, ("TL0601", "data_parallel or fsdp")),
    "alone with fsdp": (one("steps: 2, distributed: fsdp"), 3, ("TL0805", "--nproc")),
    "tensor_parallel: 2": (one("steps: 2, tensor_parallel: 2"), 1, ("TL0306", "expected bool")),
    "twice the same": (one("steps: 2, steps: 3"), 1, ("TL0203", "given twice")),
    "unknown": (one("steps: 2, stepz: 3"), 1, ("TL0601", "did you mean `steps`")),
    "an objective of ints": (
        W + "learn { objective: sum([1, 2]), optimizer: sgd(), steps: 2, params: w }",
        1,
        ("TL0305", "depends on nothing that learns"),
    ),
    "one folder for two": (
        twice('checkpoint: every(1, "ck"), resume: auto', 'checkpoint: every(1, "./ck"), resume: auto'),
        1,
        ("TL0601", "another `learn` of this program writes to `./ck`"),
    ),
    "one log for two": (twice('log: "log.jsonl"', 'log: "log.jsonl"'), 1, ("TL0601", 'for example "log_2.jsonl"')),
    "one folder in a loop": (
        LOOP.replace("OPTIONS", 'checkpoint: every(1, "ck"), resume: auto'),
        1,
        ("TL0601", "every round of this loop", '"checkpoints/" + str(i)'),
    ),
    "without gradients": (QUIET, 1, ("TL0305", "depends on nothing that learns")),
}
# program, what it prints
RIGHT: dict[str, tuple[str, str]] = {
    "a warmup longer than the run": (one('steps: 2, schedule: warmup_cosine(warmup: 100), log: "log.jsonl"'), "[0.00599"),
    "resume without a checkpoint": (one('steps: 2, checkpoint: every(2, "ck"), resume: auto'), "[0.36"),
    "a whole number to clip to": (one("steps: 2, clip_grad_norm: 1"), "[0.1414"),
    "steps within epochs": (one("steps: 2, epochs: 10"), "[0.36"),
    "more parts than batches": (one("epochs: 2, accumulate: 10"), "[0.36"),
    "data parallel alone": (one("steps: 2, distributed: data_parallel"), "[0.36"),
    "float64": (one("steps: 2").replace("f32", "f64"), "[0.36"),
    "in a loop": (LOOP.replace("OPTIONS", 'checkpoint: every(1, "ck/" + str(i)), resume: auto, log: "log" + str(i) + ".jsonl"'), "[0.36"),
    "in a function": (NET + IN_FUNCTION, "[0.36"),
    "one in another": (NET + IN_ANOTHER, "[0.36"),
    "from the newest of a folder": (
        twice('checkpoint: every(1, "ck")', 'resume: "ck"').replace("steps: 2, resume", "steps: 3, resume") + "\nprint(w.tolist())",
        "[0.488",
    ),
    "an optimizer made before": (W + MADE_BEFORE, "[0.216"),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Done]]:
    folders = {name: tmp_path_factory.mktemp("options") for name in (*WRONG, *RIGHT)}
    for name, folder in folders.items():
        (folder / "p.tl").write_text((WRONG | RIGHT)[name][0])
    done = outcomes(*(tlc(folder, "run", "p.tl", "--seed", "1") for folder in folders.values()))
    return {name: (folder, outcome) for (name, folder), outcome in zip(folders.items(), done, strict=True)}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options(ran: dict[str, tuple[Path, Done]], name: str) -> None:
    _, (code, _, err) = ran[name]
    _, wanted, words = WRONG[name]
    assert code == wanted and all(word in err for word in words) and "Traceback" not in err, err


@pytest.mark.parametrize("name", RIGHT)
def test_options_that_are_right(ran: dict[str, tuple[Path, Done]], name: str) -> None:
    _, (code, out, err) = ran[name]
    assert (code, err) == (0, "") and out.startswith(RIGHT[name][1]), (code, out, err)


def test_nothing_of_the_first_is_lost(ran: dict[str, tuple[Path, Done]]) -> None:
    """Where two write to one place, the second does not begin."""
    assert [entry["step"] for entry in lines(ran["one log for two"][0] / "log.jsonl")] == [1, 2]
    assert sorted(path.name for path in (ran["one folder for two"][0] / "ck").iterdir()) == ["step-00000001", "step-00000002"]
