"""What would put a refused operation right: the fixes that the shapes of its tensors suggest."""

from collections.abc import Iterator

from tensorlogic.checker.messages import elements
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.checker.slips import DEVICE, one_list
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Const
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import (
    AccidentalBroadcast,
    DTypeKind,
    DTypeMismatch,
    EmptySlice,
    Mistake,
    RankMismatch,
    SizeMismatch,
    WrongType,
)
from tensorlogic.types.types import DTypeValue, Segment, Shape, String, Tensor, Type

LONGEST_OPERAND = 40
CLASS_NUMBERS = "the targets are class numbers: leave `one_hot` out, or take `argmax(..., dim: -1)` of the rows"
NOT_FLATTENED = "targets have the shape of the logits without their last axis, the classes: nothing has to be flattened"
STORED_DTYPE = "leave `dtype` out to load the file as it is stored, or give a float dtype; `save_model` quantizes"
SMALLER_KERNEL = "the window is larger than its input: add `padding`, or take a smaller one"
WINDOWS = ("conv", "max_pool", "avg_pool", "lp_pool", "unfold")


def written(node: ast.Node) -> str:
    """An expression as it may stand before a dot, or nothing where that is too long to repeat."""
    text = node.span.text
    if not isinstance(node, ast.Name | ast.Call | ast.Member | ast.Index | ast.Cast):
        text = f"({text})"
    return text if len(text) <= LONGEST_OPERAND and "\n" not in text and not isinstance(node, ast.Cast) else ""


# --- operands --------------------------------------------------------------------------------------------------------


def operand_advice(op: str, nodes: tuple[ast.Node, ast.Node], types: tuple[Type, Type], mistake: Mistake) -> tuple[str, ...]:
    """The fixes for two tensors that an operator refuses; none where nothing is likely."""
    left, right = types
    if not isinstance(left, Tensor) or not isinstance(right, Tensor):
        return ()
    match mistake:
        case DTypeMismatch(_, str(), str()):
            return _one_dtype(nodes, (left, right))
        case SizeMismatch() if op == "@":
            return _product_advice(nodes, (left, right), mistake)
        case SizeMismatch() | AccidentalBroadcast() if len(left.shape) != len(right.shape):
            lower, higher = (0, 1) if len(left.shape) < len(right.shape) else (1, 0)
            both = (left.shape, right.shape)
            return tuple(_missing_axes(nodes[lower], both[lower], both[higher]))
    return ()


def _one_dtype(nodes: tuple[ast.Node, ast.Node], types: tuple[Tensor, Tensor]) -> tuple[str, ...]:
    ways = [f"`{text}.to({other.dtype})`" for node, other in zip(nodes, reversed(types), strict=True) if (text := written(node))]
    return (f"convert one side: {' or '.join(ways)}",) if ways else ()


def _product_advice(nodes: tuple[ast.Node, ast.Node], types: tuple[Tensor, Tensor], mistake: SizeMismatch) -> tuple[str, ...]:
    """A matrix that fits the other way round, and how the right operand would have to be declared."""
    left, right = types
    found = []
    if len(right.shape) > 1 and len(left.shape) > 0 and right.shape[-1] == left.shape[-1] and (text := written(nodes[1])):
        found.append(f"multiply by the transpose: `{text}.transpose(-2, -1)`")
    elif (flat := flattened(nodes[0], left.shape, right.shape[-2] if len(right.shape) > 1 else None)) is not None:
        found.append(flat)
    return (*found, *declared_otherwise(nodes[1], right, mistake))


def declared_otherwise(node: ast.Node, type_: Tensor, mistake: SizeMismatch) -> tuple[str, ...]:
    """How the right operand would have to be declared, where that is one name away."""
    left, right = mistake.left, mistake.right
    if not isinstance(node, ast.Name) or left.name is None or right.name is None or left.has_unknown or right.has_unknown:
        return ()
    swapped = (*type_.shape[:-2], *type_.shape[:-3:-1])
    transposed = len(type_.shape) > 1 and type_.shape[-1] == left
    better = Tensor(type_.dtype, swapped if transposed else tuple(left if item == right else item for item in type_.shape))
    return (f"declare `{node.name}` as {better}, or say `where {left} == {right}`",) if better != type_ else ()


def _missing_axes(node: ast.Node, lower: Shape, higher: Shape) -> Iterator[str]:
    """Where the lower shape's axes are found in the higher one in order, the others are to be put in; a reduction could keep its own."""
    if _reduces(node):
        yield "keep the axis that is reduced: `keepdim: true`"
    axes = _places(lower, higher)
    calls = "".join(f".unsqueeze({axis})" for axis in axes)
    if calls and (text := written(node)):
        yield f"give it its missing ax{'is' if len(axes) == 1 else 'es'}: `{text}{calls}`"


def _places(lower: Shape, higher: Shape) -> tuple[int, ...]:
    """The axes that `unsqueeze` has to put into the lower shape so that each of its own meets its like; () where that cannot be."""
    found, at = [], 0
    for size in lower:
        while at < len(higher) and higher[at] != size:
            found.append(at)
            at += 1
        if at == len(higher):
            return ()
        at += 1
    found += range(at, len(higher))
    first = next((i for i, axis in enumerate(found) if axis != i), len(found))
    return tuple(axis - first for axis in found[first:])  # those in front come by themselves


def _reduces(node: ast.Node) -> bool:
    """Whether it is a call that could be given `keepdim: true`."""
    if not isinstance(node, ast.Call) or any(arg.name == "keepdim" for arg in node.args):
        return False
    name = node.callee.name if isinstance(node.callee, ast.Name | ast.Member) else ""
    return any(p.name == "keepdim" for signature in builtin_signatures(name) for p in signature.params)


def flattened(node: ast.Node, shape: Shape, wanted: object) -> str | None:
    """The flatten that makes one axis of the wanted size of the last ones, or None."""
    if not isinstance(wanted, Dim) or any(isinstance(size, Segment) for size in shape) or not (text := written(node)):
        return None
    start = next((i for i in range(1, len(shape) - 1) if elements(shape[i:]) == wanted), None)
    return f"flatten it: `{text}.flatten({start})`" if start is not None else None


# --- arguments -------------------------------------------------------------------------------------------------------


def argument_advice(
    name: str, typed: Typed | None, node: ast.Node | None, others: list[tuple[ast.Node, Type]], mistake: Mistake
) -> tuple[str, ...]:
    """The fixes for a call that is refused: `typed` and `node` are the argument at fault, if one is, `others` all of them."""
    if isinstance(mistake, EmptySlice) and name.startswith(WINDOWS):
        return (SMALLER_KERNEL,)
    if isinstance(mistake, WrongType) and (advice := one_list(name, [n for n, _ in others], [t for _, t in others])):
        return (advice,)
    if isinstance(mistake, WrongType) and name == "to" and isinstance(mistake.found, String):
        return (DEVICE,)
    if isinstance(mistake, DTypeKind) and typed is not None and isinstance(typed.type, DTypeValue):
        return (STORED_DTYPE if name == "load_model" else "give another dtype, for example `float32`",)
    shapes = [(n, t.shape) for n, t in others if isinstance(t, Tensor)]
    if typed is None or node is None or not isinstance(typed.type, Tensor):
        return tuple(_call_advice(name, shapes, others, mistake))
    return tuple(_tensor_advice(name, typed.type, node, mistake))


def _tensor_advice(name: str, type_: Tensor, node: ast.Node, mistake: Mistake) -> Iterator[str]:
    match mistake:
        case SizeMismatch(_, wanted) if mistake.pattern is not None:
            if len(type_.shape) == 2 and type_.shape[0] == wanted and (text := written(node)):
                yield f"transpose it: `{text}.transpose(0, 1)`"
            elif (flat := flattened(node, type_.shape, wanted)) is not None:
                yield flat
        case RankMismatch() if name == "cross_entropy" and isinstance(node, ast.Call) and _is_call_of(node, "one_hot"):
            yield CLASS_NUMBERS
        case RankMismatch() if name == "cross_entropy":
            yield NOT_FLATTENED


def _is_call_of(node: ast.Call, name: str) -> bool:
    return isinstance(node.callee, ast.Name | ast.Member) and node.callee.name == name


def _call_advice(name: str, shapes: list[tuple[ast.Node, Shape]], others: list[tuple[ast.Node, Type]], mistake: Mistake) -> Iterator[str]:
    """What the operation itself found: axes that are missing, channels at the end, tensors that fit along another axis."""
    match mistake:
        case SizeMismatch(_, _, wanted) if name.startswith("conv") and len(shapes) > 1 and _channels_last(shapes[0][1], wanted):
            node, shape = shapes[0]
            order = [0, len(shape) - 1, *range(1, len(shape) - 1)]
            yield f"put the channels second: `{written(node) or 'x'}.permute({order})`"
        case SizeMismatch() if name == "squeeze" and len(ones := [i for i, size in enumerate(shapes[0][1]) if size == Dim.const(1)]) == 1:
            yield f"the axis of size 1 is {ones[0]}"
        case SizeMismatch() if name == "cat":
            yield from _along_another_axis(others)
        case SizeMismatch() | AccidentalBroadcast() if len(shapes) == 2 and len(shapes[0][1]) != len(shapes[1][1]):
            lower, higher = sorted(shapes, key=lambda pair: len(pair[1]))
            yield from _missing_axes(lower[0], lower[1], higher[1])
        case RankMismatch("the index", _, found) if len(shapes) == 2 and isinstance(found, tuple) and len(found) + 1 == len(shapes[0][1]):
            if text := written(shapes[1][0]):
                yield f"give the index its last axis, and take it off the result: `{text}.unsqueeze(-1)`, `.squeeze(-1)`"


def _channels_last(shape: Shape, channels: Dim) -> bool:
    return len(shape) > 2 and shape[-1] == channels


def _along_another_axis(others: list[tuple[ast.Node, Type]]) -> Iterator[str]:
    shapes = list_shapes(others)
    if len({len(shape) for shape in shapes}) != 1:
        return
    odd = [axis for axis, sizes in enumerate(zip(*shapes, strict=True)) if any(size != sizes[0] for size in sizes)]
    if len(odd) == 1:
        yield f"join them along the axis that differs: `dim: {odd[0]}`"


def list_shapes(others: list[tuple[ast.Node, Type]]) -> list[Shape]:
    """The shapes of the tensors in the list that is the first argument."""
    items = getattr(others[0][1], "items", None) or () if others else ()
    return [item.shape for item in items if isinstance(item, Tensor)]


def items_of(node: ast.Node, typed: Typed) -> list[tuple[ast.Node, Typed]]:
    """The items of a list that is written out, each with its type."""
    types = getattr(typed.type, "items", None) or ()
    if not isinstance(node, ast.ListLit) or len(types) != len(node.items) or not all(isinstance(t, Tensor) for t in types):
        return []
    return [(item, Typed(Const(None, type_), type_, item.span)) for item, type_ in zip(node.items, types, strict=True)]
