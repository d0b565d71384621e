"""What `tlc run`, `test` and `build` share: a program without errors, and what is set before it runs."""

import argparse
import gc

from tensorlogic.cli.program import read_program
from tensorlogic.cli.report import report, say
from tensorlogic.cli.usage import add_settings, settings_of
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.driver import Analysis, analyse, unsupported_on

GUARD_INSERTED = "TL0702"  # `tlc check` notes it; whoever runs the program is told when it fails
COLLECT_OFTEN = (700, 10, 10)  # Python's own: a tensor in a cycle must not wait for long
LARGEST_SEED = 2**63 - 1


def add_execution_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="what `gpu` means in the program (auto)")
    parser.add_argument("--seed", type=seed, metavar="N", help="where random numbers start")
    parser.add_argument("--max-facts", type=facts, metavar="N", help="how many facts rules that make new numbers may derive (10 million)")
    add_settings(parser)


def facts(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def seed(text: str) -> int:
    number = int(text)
    if not 0 <= number <= LARGEST_SEED:
        raise ValueError
    return number


def analysed(path: str, options: argparse.Namespace) -> Analysis:
    """A program without errors, its warnings shown. TensorLogicError with all diagnostics where it has an error."""
    analysis = analyse(read_program(path), settings_of(options.set), getattr(options, "dtype", "float32"))
    analysis.checked()
    report(d for d in analysis.diagnostics if d.code != GUARD_INSERTED)
    return analysis


def prepare(options: argparse.Namespace, analysis: Analysis) -> None:
    """Choose the device and start the random numbers, before a program runs. TensorLogicError where the device cannot run it."""
    import torch

    from tensorlogic.runtime import distributed
    from tensorlogic.runtime.device import use

    gc.set_threshold(*COLLECT_OFTEN)
    choice = use(options.device)
    if choice.notice:
        say(choice.notice)
    if refused := unsupported_on(analysis.checked(), choice.device):
        raise TensorLogicError(refused)
    if options.max_facts is not None:
        from tensorlogic.runtime.relations import limits

        limits.use(options.max_facts)
    if options.seed is not None:
        torch.manual_seed(options.seed)
    distributed.start()
