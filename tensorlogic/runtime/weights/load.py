"""`load`: the tensors of a file into the parameters and buffers of a model, by name."""

import sys
from collections.abc import Sequence
from fnmatch import fnmatch

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.runtime.quantized import QuantizedTensor
from tensorlogic.runtime.weights.model import load_model

SHOWN = 5


def load(
    model: torch.nn.Module, path: str, rename: Sequence[tuple[str, str]] | None = None, transpose: Sequence[str] | None = None
) -> None:
    """Fill a model from a file. `rename` replaces parts of the file's names, in order; tensors whose name in the file matches a
    pattern of `transpose` are transposed. Floats are converted to the model's dtypes.

    Raises TensorLogicError: TL0602 for tensors that the file lacks, TL0603 for one of another shape, TL0302 for integers where the
    model has floats; the model is then as it was. What the file has beyond the model is told on stderr.
    """
    file = load_model(path)
    names = {_renamed(name, rename or ()): name for name in file}
    wanted = {name: tensor for name, tensor in model.state_dict().items() if ".lora." not in name}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise TensorLogicError(_missing(path, missing, list(names)))
    found = {
        name: _fitting(path, name, tensor, _tensor(file.get_tensor(names[name]), names[name], transpose or ()))
        for name, tensor in wanted.items()
    }
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(found[name])
    more = [name for name in names if name not in wanted]
    if more:
        print(f"tlc: {path} has {len(more)} tensors that the model has not, such as {more[0]}", file=sys.stderr)


def _renamed(name: str, rename: Sequence[tuple[str, str]]) -> str:
    for old, new in rename:
        name = name.replace(old, new)
    return name


def _tensor(weight: Tensor | QuantizedTensor, name: str, transpose: Sequence[str]) -> Tensor:
    tensor = weight.dequantize() if isinstance(weight, QuantizedTensor) else weight
    return tensor.T if tensor.ndim == 2 and any(fnmatch(name, pattern) for pattern in transpose) else tensor


def _fitting(path: str, name: str, wanted: Tensor, found: Tensor) -> Tensor:
    if found.shape != wanted.shape:
        help = ("list its name under `transpose`",) if found.ndim == 2 and found.T.shape == wanted.shape else ()
        title = f"`{name}` is {list(found.shape)} in {path}, and {list(wanted.shape)} in the model"
        raise TensorLogicError(Diagnostic("TL0603", title, help=help))
    if found.is_floating_point() != wanted.is_floating_point():
        raise TensorLogicError(Diagnostic("TL0302", f"`{name}` is {found.dtype} in {path}, and {wanted.dtype} in the model"))
    return found


def _missing(path: str, missing: list[str], names: list[str]) -> Diagnostic:
    shown = ", ".join(f"`{name}`" for name in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    near = did_you_mean(missing[0], names)
    help = (f"the file has `{near}`: say so with `rename`",) if near else ("`rename` maps parts of the file's names to the model's",)
    return Diagnostic("TL0602", f"{path} has no {shown}{more}", help=help)
