"""Tensors of different dtypes as arguments of one builtin: integers and bools become the float dtype they meet, as with operators."""

from dataclasses import replace

from tensorlogic.checker.coerce import literal_shape
from tensorlogic.checker.matching import Argument
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.tensor_operators import mixed_dtype, operand_dtype
from tensorlogic.ir.ir import Const, Omitted
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import DTypeValue, DTypeVar, Float, Tensor, Type


def mixed(state: State, signatures: tuple[Signature, ...], arguments: list[Argument]) -> list[Argument]:
    """The arguments with the operands among them converted to one dtype; as they are where they do not mix."""
    operands = _operands(signatures, arguments)
    tensors = [argument.typed.type for argument in operands if isinstance(argument.typed.type, Tensor)]
    dtype = _common(state, tensors, any(_is_fraction(argument.typed.type) for argument in operands))
    if dtype is None:
        return arguments
    return [replace(a, typed=_converted(state, a.typed, dtype)) if a in operands else a for a in arguments]


def _operands(signatures: tuple[Signature, ...], arguments: list[Argument]) -> list[Argument]:
    """The arguments for the parameters that share a dtype variable, in the signature with most of them."""
    signature = max(signatures, key=lambda signature: len(_sharing(signature)))
    names, shared = [parameter.name for parameter in signature.params], _sharing(signature)
    given = (argument.name or (names[at] if at < len(names) else "") for at, argument in enumerate(arguments))
    return [argument for name, argument in zip(given, arguments, strict=True) if name in shared]


def _sharing(signature: Signature) -> list[str]:
    return [p.name for p in signature.params if isinstance(p.type, Tensor) and isinstance(p.type.dtype, DTypeVar)]


def _is_fraction(type_: Type) -> bool:
    found = literal_shape(type_)
    return found is not None and isinstance(found[1], Float)


def _common(state: State, tensors: list[Tensor], fraction: bool) -> str | DTypeVar | None:
    """The dtype that all have together; None where there is none."""
    if not tensors:
        return None
    need, whole = state.need(), tensors[0]
    for tensor in tensors[1:]:
        dtype = mixed_dtype(need, "", whole.dtype, tensor.dtype, whole, tensor)
        if dtype is None:
            return None
        whole = Tensor(dtype, max(whole.shape, tensor.shape, key=len))
    return operand_dtype(Float(), whole) if fraction else whole.dtype


def _converted(state: State, typed: Typed, dtype: str | DTypeVar) -> Typed:
    if not isinstance(typed.type, Tensor) or typed.type.dtype == dtype:
        return typed
    name = dtype.name if isinstance(dtype, DTypeVar) else dtype
    operands = (typed.operand, Const(name, DTypeValue(dtype)), Omitted())
    return state.emit("builtin", operands, Tensor(dtype, typed.type.shape), typed.span, name="to", index=0)
