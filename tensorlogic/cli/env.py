"""`tlc env`: what a report of a problem should say about the machine."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version as installed_version

LIBRARIES = ("lark", "safetensors", "gguf", "numpy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def execute(options: argparse.Namespace) -> int:
    from tensorlogic.runtime.device import describe

    rows = {"tlc": version("tensorlogic"), "system": f"{platform.system()} {platform.machine()}"} | describe()
    rows |= {library: version(library) for library in LIBRARIES}
    print("\n".join(f"{name:<12} {value}" for name, value in rows.items()))
    return 0


def version(package: str) -> str:
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return "not installed"
