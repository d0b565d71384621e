"""More than one process: which of them this is, its share of a batch, gradients summed over all, and sharded weights.

Processes are started by `tlc run --nproc N` or `torchrun`, which say by WORLD_SIZE, RANK and LOCAL_RANK who is who.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

WAIT = timedelta(minutes=10)
_LOST = re.compile(r"connection (was )?(closed|reset|refused)|broken pipe|remote process exited|timed out", re.I)
BUCKET = 1 << 23  # elements that are summed by one call


@dataclass(frozen=True, slots=True)
class Share:
    """The rows of a batch that this process works on, and what part of all rows they are."""

    batch: Any
    part: float


def wanted() -> int:
    """How many processes work together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def start() -> None:
    """Meet the other processes, where there are any. All begin with the same random numbers."""
    if wanted() == 1 or dist.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=WAIT)
    seed = [torch.initial_seed()]
    dist.broadcast_object_list(seed, src=0)
    torch.manual_seed(seed[0])


def leave(code: int) -> None:
    """The end of one of several processes: all of them together where all went well, and at once. Threads that wait for the other
    processes would abort it while Python clears up."""
    if dist.is_initialized():
        if code == 0:
            dist.barrier()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextmanager
def together() -> Iterator[None]:
    """TL0806 where another of the processes has ended, which PyTorch says as a broken connection somewhere."""
    try:
        yield
    except RuntimeError as error:
        if count() == 1 or not _LOST.search(str(error)):
            raise
        raise TensorLogicError(Diagnostic("TL0806", "another process of this training has ended")) from None


def count() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this process writes logs and checkpoints, and shows progress."""
    return rank() == 0


def wait() -> None:
    """Until all processes are here."""
    if dist.is_initialized():
        dist.barrier()


# --- data parallel ---------------------------------------------------------------------------------------------------


def share(batch: Any) -> Share:
    """Every process takes some of the rows, as even as they come; without a batch all of them work on everything. Where there are fewer
    rows than processes, some take a row that counts for nothing: all of them run the model, which is where sharded weights are lent."""
    rows = _rows(batch)
    if not rows or count() == 1:
        return Share(batch, 1.0 / count())
    first, last = rows * rank() // count(), rows * (rank() + 1) // count()
    return Share(_some(batch, first, last) if first < last else _some(batch, 0, 1), (last - first) / rows)


def _rows(batch: Any) -> int | None:
    """The first size of the first tensor of a batch."""
    if isinstance(batch, Tensor):
        return batch.shape[0] if batch.ndim else None
    parts = batch if isinstance(batch, list | tuple) else vars(batch).values() if hasattr(batch, "__dict__") else ()
    return next((rows for rows in map(_rows, parts) if rows is not None), None)


def _some(batch: Any, first: int, last: int) -> Any:
    if isinstance(batch, Tensor):
        return batch[first:last] if batch.ndim else batch
    if isinstance(batch, tuple):
        return tuple(_some(part, first, last) for part in batch)
    if isinstance(batch, list):
        return batch[first:last]
    return type(batch)(**{name: _some(part, first, last) for name, part in vars(batch).items()})


def total(value: float) -> float:
    """The sum of a number over all processes."""
    if not dist.is_initialized():
        return value
    tensor = torch.tensor(value, dtype=torch.float64, device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(tensor)
    return float(tensor)


def sum_gradients(params: Iterable[Tensor]) -> None:
    """Add up the gradients of all processes, some parameters at a time; sharded ones are added up already."""
    buckets: dict[torch.dtype, list[Tensor]] = {}
    for param in params:
        if is_sharded(param):
            continue
        if param.grad is None:
            param.grad = torch.zeros_like(param)
        bucket = buckets.setdefault(param.grad.dtype, [])
        bucket.append(param.grad)
        if sum(grad.numel() for grad in bucket) > BUCKET:
            _sum(buckets.pop(param.grad.dtype))
    for bucket in buckets.values():
        _sum(bucket)


def _sum(gradients: list[Tensor]) -> None:
    """Over all processes, by one call."""
    flat = torch.cat([grad.reshape(-1) for grad in gradients])
    dist.all_reduce(flat)
    for grad, part in zip(gradients, flat.split([grad.numel() for grad in gradients]), strict=True):
        grad.copy_(part.view_as(grad))


# --- sharded weights -------------------------------------------------------------------------------------------------


def is_sharded(tensor: Tensor) -> bool:
    return type(tensor).__name__ == "DTensor" or type(getattr(tensor, "data", None)).__name__ == "DTensor"


def clip(params: Iterable[Tensor], most: float) -> None:
    """Scale all gradients down where their norm together is above `most`; sharded ones and others side by side."""
    gradients = [param.grad for param in params if param.grad is not None]
    kinds = [[g for g in gradients if is_sharded(g)], [g for g in gradients if not is_sharded(g)]]
    norms = [whole(torch.nn.utils.get_total_norm(kind)) for kind in kinds if kind]
    total = torch.linalg.vector_norm(torch.stack(norms))
    for gradient in gradients:
        gradient.mul_(torch.clamp(most / (total + 1e-6), max=1.0).item())


def whole(tensor: Tensor) -> Tensor:
    """A tensor with all its parts; every process has to ask."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def like(tensor: Tensor, full: Tensor) -> Tensor:
    """This process's part of `full`, laid out as `tensor` is."""
    if not is_sharded(tensor):
        return full
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(full.to(tensor.device), tensor.device_mesh, tensor.placements)  # type: ignore[attr-defined]


def _mesh() -> Any:
    from torch.distributed.device_mesh import init_device_mesh

    if not dist.is_initialized():
        help = ("run the program with `tlc run --nproc N`, or `torchrun`",)
        raise TensorLogicError(Diagnostic("TL0805", "there is only one process to share the weights", help=help))
    return init_device_mesh("cuda" if torch.cuda.is_available() else "cpu", (count(),))


def shard(modules: Iterable[nn.Module]) -> None:
    """PyTorch's FSDP: each process keeps a part of every weight, and lends it while a module runs. Repeated submodels one by one."""
    from torch.distributed.fsdp import fully_shard

    mesh = _mesh()
    for module in modules:
        for inner in module.modules():
            if isinstance(inner, nn.ModuleList):
                for part in inner:
                    fully_shard(part, mesh=mesh)
        fully_shard(module, mesh=mesh)


def split_linear_layers(modules: Iterable[nn.Module]) -> None:
    """PyTorch's tensor parallelism: each process has some of the output columns of every linear layer that they divide."""
    from torch.distributed.tensor import Replicate
    from torch.distributed.tensor.parallel import ColwiseParallel, parallelize_module

    mesh = _mesh()
    for module in modules:
        found = {p: m for p, m in module.named_modules() if type(m) is nn.Linear and m.out_features % count() == 0}
        parallelize_module(module, mesh, {path: ColwiseParallel(output_layouts=Replicate()) for path in found})
