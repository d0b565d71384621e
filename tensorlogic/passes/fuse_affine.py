"""What stands around a product goes into its operation: the bias of a linear map or a convolution, the zeros around an image."""

from tensorlogic.ir.ir import Const, Module, Omitted, Op, Operand
from tensorlogic.passes.emission import Emission
from tensorlogic.passes.patterns import Reader, constant, dtype_of, is_binary, is_builtin, permutation, rank_of, rewritten, shape_of
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, List

CONVOLUTIONS = {"conv1d": 1, "conv2d": 2, "conv3d": 3}


def fuse_affine(module: Module) -> Module:
    return rewritten(rewritten(module, _with_bias), _with_padding)


def _with_bias(reader: Reader, op: Op) -> tuple[list[Op], tuple[Op, ...]] | None:
    """`product + bias`, where the bias has one number for each row of the weights."""
    if not is_binary(op, "+"):
        return None
    for value, added in (op.args, op.args[::-1]):
        product = reader.only(value)
        if product is None or shape_of(value) != shape_of(op.results[0]) or dtype_of(value) != dtype_of(added):
            continue
        emission = Emission(op)
        if _linear(reader, emission, product, added) or _convolution(reader, emission, product, added):
            return emission.finished(), (product,)
    return None


def _linear(reader: Reader, emission: Emission, product: Op, added: Operand) -> bool:
    """`x @ w.T + b`"""
    turned = reader.source(product.args[1]) if is_builtin(product, "matmul") else None
    if turned is None or permutation(turned) != (1, 0) or rank_of(product.args[0]) < 2 or rank_of(added) != 1:
        return False
    emission.builtin("linear", (product.args[0], turned.args[0], added), product.results[0].type, 1)
    return True


def _convolution(reader: Reader, emission: Emission, product: Op, added: Operand) -> bool:
    """A convolution without a bias, and one number for each filter: `b` with an axis of size 1 for each axis of the image."""
    axes = CONVOLUTIONS.get(str(product.attrs.get("name"))) if product.code == "builtin" else None
    filters, shape = shape_of(product.args[1]) if axes else None, shape_of(added)
    if axes is None or filters is None or shape is None or not isinstance(product.args[2], Omitted):
        return False
    bias = added
    while is_builtin(op := reader.source(bias), "unsqueeze") and op is not None:
        bias = op.args[0]
    if shape_of(bias) != filters[:1] or shape[:1] != filters[:1] or [dim.value for dim in shape[1:]] != [1] * axes:
        return False
    name = str(product.attrs["name"])
    emission.builtin(name, (*product.args[:2], bias, *product.args[3:]), product.results[0].type)
    return True


def _with_padding(reader: Reader, op: Op) -> tuple[list[Op], tuple[Op, ...]] | None:
    """A convolution of an image with as many zeros before as behind."""
    axes = CONVOLUTIONS.get(str(op.attrs.get("name"))) if op.code == "builtin" else None
    pad = reader.only(op.args[0]) if axes is not None and isinstance(op.args[4], Omitted) else None
    if axes is None or pad is None or not is_builtin(pad, "pad") or not all(isinstance(extra, Omitted) for extra in pad.args[2:]):
        return None
    amounts = constant(pad.args[1])
    if not isinstance(amounts, tuple) or len(amounts) > 2 * axes or amounts[::2] != amounts[1::2] or min(amounts) < 0:
        return None
    each = (*amounts[::2], *[0] * (axes - len(amounts) // 2))[::-1]
    padding = Const(each, List(Int(), tuple(Int(Dim.const(amount)) for amount in each)))
    emission = Emission(op)
    emission.builtin(str(op.attrs["name"]), (pad.args[0], *op.args[1:4], padding, *op.args[5:]), op.results[0].type)
    return emission.finished(), (pad,)
