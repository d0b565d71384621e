"""How much memory there is, asked before it is taken."""

import os
from collections.abc import Callable

import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

SHARE = 0.8  # of what is free


def available(device: torch.device) -> int:
    """Bytes that are free on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = next((line for line in file if line.startswith("MemAvailable:")), None)
        if found is not None:
            return int(found.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def require(size: int, what: Callable[[], str], device: torch.device) -> None:
    """TL0804 where `size` bytes are more than may be taken; small sizes are not worth the question."""
    if size < 1 << 26:
        return
    free = available(device)
    if size > free * SHARE:
        title = f"{what()} would take {amount(size)}, and {amount(free)} are free"
        raise TensorLogicError(Diagnostic("TL0804", title, help=("restrict the relation, or ask with constants in the query",)))


def amount(size: int) -> str:
    """Bytes in the unit people read."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024  # type: ignore[assignment]
    return f"{size:.0f} PiB"
