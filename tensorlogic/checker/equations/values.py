"""The value of an equation's right side: every node of the tree as operations, indices summed where their scopes say."""

from tensorlogic.checker.coerce import to_tensor
from tensorlogic.checker.equations.contract import contract, multiplied
from tensorlogic.checker.equations.convolution import pooling
from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.references import reference
from tensorlogic.checker.equations.scopes import parts_of_scope
from tensorlogic.checker.equations.terms import Term, alike, call, combine, number, numbers, permuted, positions, reduce, sizes
from tensorlogic.checker.equations.tree import Apply, Equation, Host, Node, Number, Pair, Product, Reference, Sign, Sum
from tensorlogic.checker.matching import Argument
from tensorlogic.checker.messages import describe
from tensorlogic.checker.overloads import apply_builtin
from tensorlogic.checker.scope import GlobalName, MemberName, Variable
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Const
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import RankMismatch
from tensorlogic.types.types import Bool, Dim, Float, Int, Tensor, is_unknown

NONE: frozenset[str] = frozenset()
FUNCTIONS = {"and": "logical_and", "or": "logical_or", "/": "floor_div"}  # what the operator of a pair is in the library


def evaluate(equation: Equation, node: Node, summed: frozenset[str] = NONE) -> Term:
    """The node's value. `summed` are indices that its scope sums at this operand, beside those that have the node for their scope."""
    ahead = equation.ahead(node, summed) if equation.ahead is not None else None
    if ahead is not None:
        return ahead
    own = equation.homes.get(node, NONE)
    summed = summed | equation.around.get(node, NONE)
    if isinstance(node, Product):
        return _product(equation, node, own | summed)
    if isinstance(node, Sign) and node.node.op == "-":  # the sign of a sum is that of what is summed
        return _signed(equation, node, evaluate(equation, node.operand, own | summed))
    term = _spread(equation, node, own) if own else _plain(equation, node)
    left = [name for name in term.axes if name in summed]
    return reduce(equation, "sum", term, left, node.span)


def _spread(equation: Equation, node: Node, names: frozenset[str]) -> Term:
    """A scope: each of its operands that has an index sums it for itself."""
    if not parts_of_scope(node):
        term = _plain(equation, node)
        return reduce(equation, "sum", term, [name for name in term.axes if name in names], node.span)
    match node:
        case Sum():
            return _sum(equation, node, names)
        case Pair(left=left, right=right):
            return _pair(equation, node, _part(equation, left, names), _part(equation, right, names))
        case Sign(operand=operand):
            return _signed(equation, node, _part(equation, operand, names))
    raise AssertionError(node)


def _part(equation: Equation, node: Node, names: frozenset[str]) -> Term:
    """What stands outside all parentheses is taken apart further; anything else is an operand."""
    mine = names & node.uses
    if mine and not node.group and parts_of_scope(node) and node not in equation.homes:
        return _spread(equation, node, mine)
    return evaluate(equation, node, mine)


def _plain(equation: Equation, node: Node) -> Term:
    match node:
        case Host():
            return _host(equation, node)
        case Number(name=name):
            return positions(equation, name, node.span, equation.numbers)
        case Reference():
            return reference(equation, node, evaluate)  # type: ignore[arg-type]
        case Sum():
            return _sum(equation, node, NONE)
        case Pair(left=left, right=right):
            return _pair(equation, node, evaluate(equation, left), evaluate(equation, right))
        case Sign(operand=operand):
            return _signed(equation, node, evaluate(equation, operand))
        case Apply():
            return _apply(equation, node)
    raise AssertionError(node)


def _host(equation: Equation, node: Host) -> Term:
    type_ = node.typed.type
    if isinstance(type_, Tensor) and type_.shape:
        mistake = RankMismatch(f"`{node.span.text}`" if len(node.span.text) < 40 else "this", "0", type_)
        equation.state.report(describe(mistake, node.span))
        return Term(equation.state.unknown(node.span), ())
    return Term(node.typed, (), weak=not isinstance(type_, Tensor) or _of_numbers(equation, node.node))


def _of_numbers(equation: Equation, node: ast.Node) -> bool:
    """Whether no tensor takes part in a value: it is worked out of numbers alone."""
    for item in ast.walk(node):
        if isinstance(item, ast.Member | ast.Index):
            return False
        found = equation.state.scope.find(item.name) if isinstance(item, ast.Name) else None
        type_ = found.type if isinstance(found, Variable) else found.item.type if isinstance(found, GlobalName | MemberName) else None
        if type_ is not None and not isinstance(type_, Int | Float | Bool):
            return False
    return True


def _pair(equation: Equation, node: Pair, left: Term, right: Term) -> Term:
    name = FUNCTIONS.get(node.node.op)
    if name is None or left.unknown or right.unknown:
        return combine(equation, node.node, left, right)
    values, axes = alike(equation, [left, right])
    return Term(call(equation, name, node.span, *values), axes)


def _signed(equation: Equation, node: Sign, inner: Term) -> Term:
    if inner.unknown:
        return inner
    name = "neg" if node.node.op == "-" else "logical_not"
    if inner.is_tensor and registry.lookup(name) is not None:
        return Term(call(equation, name, node.span, inner.typed), inner.axes, inner.weak)
    typed = inner.typed
    return Term(equation.state.emit("unary", (typed.operand,), typed.type, node.span, op=node.node.op), inner.axes, inner.weak)


def _sum(equation: Equation, node: Sum, names: frozenset[str]) -> Term:
    total: Term | None = None
    for at, (_, part) in enumerate(node.terms):
        term = _part(equation, part, names) if names else evaluate(equation, part)
        total = term if total is None else combine(equation, node.operators[at - 1], total, term)
    assert total is not None
    return total


def _product(equation: Equation, node: Product, summed: frozenset[str]) -> Term:
    """Factors one after the other; what is summed is contracted. A remainder ends a product and begins the next one."""
    times: list[Term] = []
    over: list[tuple[Term, ast.Binary]] = []
    signs: list[Sign] = []
    for at, (op, part) in enumerate(node.factors):
        if op == "*":
            times += _factors(equation, part, signs if summed else None)
        elif op == "/":
            over.append((evaluate(equation, part), node.operators[at - 1]))
        else:
            whole = multiplied(equation, node, times, over)
            times, over = [combine(equation, node.operators[at - 1], whole, evaluate(equation, part))], []
    if any(term.unknown for term in times) or any(term.unknown for term, _ in over):
        return Term(equation.state.unknown(node.span), ())
    if not summed:
        return multiplied(equation, node, times, over)
    total = contract(equation, node, times, over, summed)
    return _signed(equation, signs[0], total) if len(signs) % 2 else total


def _factors(equation: Equation, node: Node, signs: list[Sign] | None) -> list[Term]:
    """A product in parentheses is more factors, unless it is a scope. Signs are kept for the end, where there is less to change."""
    if node in equation.homes or node in equation.around:
        return [evaluate(equation, node)]
    if isinstance(node, Product) and all(op == "*" for op, _ in node.factors):
        return [term for _, part in node.factors for term in _factors(equation, part, signs)]
    if signs is not None and isinstance(node, Sign) and node.node.op == "-":
        signs.append(node)
        return _factors(equation, node.operand, signs)
    return [evaluate(equation, node)]


# --- functions -------------------------------------------------------------------------------------------------------


def _apply(equation: Equation, node: Apply) -> Term:
    if node.indices:
        return _along(equation, node)
    terms = [evaluate(equation, arg) for _, arg in node.args]
    if any(term.unknown for term in terms):
        return Term(equation.state.unknown(node.span), ())
    values, axes = alike(equation, terms)
    asts = [arg.value for arg in node.node.args]
    asts = [node.node.callee.base, *asts] if isinstance(node.node.callee, ast.Member) else asts
    arguments = [Argument(name, value, syntax) for (name, _), value, syntax in zip(node.args, values, asts, strict=True)]
    value = _called(equation, node, arguments)
    if is_unknown(value.type):
        return Term(value, ())
    return _same_axes(equation, node, value, terms, axes)


def _called(equation: Equation, node: Apply, arguments: list[Argument]) -> Typed:
    """A builtin, or a function of the program, on values that are there already."""
    of_library = registry.lookup(node.name) is not None and equation.state.scope.find(node.name) is None
    if of_library or isinstance(node.node.callee, ast.Member):
        return apply_builtin(equation.state, node.name, arguments, node.span)
    names = {f"{node.name}'{at}": argument for at, argument in enumerate(arguments)}
    args = tuple(ast.Arg(a.node.span, a.name, ast.Name(a.node.span, key)) for key, a in names.items())
    outer = equation.state.scope
    with equation.state.block() as ops:
        for key, argument in names.items():
            equation.state.scope.names[key] = Variable(argument.typed.operand, argument.typed.type, argument.typed.span)  # type: ignore[arg-type]
        value = equation.state.expr(ast.Call(node.span, node.node.callee, node.node.type_args, args))
    equation.state.scope = outer
    equation.state.ops.extend(ops)
    return value


def _same_axes(equation: Equation, node: Apply, value: Typed, terms: list[Term], axes: tuple[str, ...]) -> Term:
    """A function without indices works element by element: what it gives has the axes that it was given."""
    if not axes or not isinstance(value.type, Tensor):
        return Term(value, (), all(term.weak for term in terms))
    wanted = [equation.ranges[name].size for name in axes]
    need = equation.state.need()
    shape = value.type.shape
    if len(shape) == len(wanted) and all(isinstance(s, Dim) and need.holds(Rel("==", s, w)) for s, w in zip(shape, wanted, strict=True)):
        return Term(value, axes, all(term.weak for term in terms))
    given = next((str(term.typed.type) for term in terms if term.axes), "")
    help = f"name the index that it works along: `{node.name}[{axes[-1]}](...)`"
    equation.fail("TL0404", node.span, f"`{node.name}` does not work element by element: it makes {value.type} of {given}", "", help)
    return Term(equation.state.unknown(node.span), ())


def _along(equation: Equation, node: Apply) -> Term:
    """`sum[j](e)`, `softmax[j](e)`: along the axes of these indices."""
    indices = frozenset(node.indices)
    if not _only_settings(equation, node):
        return Term(equation.state.unknown(node.span), ())
    if node.name in ("sum", "mean") and len(node.args) == 1 and isinstance(node.args[0][1], Product):
        return _summed_product(equation, node, evaluate(equation, node.args[0][1], indices))
    term = evaluate(equation, node.args[0][1])
    extra = {name: evaluate(equation, part).typed for name, part in node.args[1:] if name is not None}
    if term.unknown:
        return term
    if not term.is_tensor:
        term = Term(to_tensor(equation.state, term.typed), ())
    if node.name in ("layer_norm", "rms_norm"):
        return _normed(equation, node, term, extra)
    if not node.keeps:
        pooled = pooling(equation, node, term)
        if pooled is not None:
            return pooled
        return reduce(equation, node.name, term, [name for name in term.axes if name in indices], node.span)
    if len(node.indices) == 1:
        dim = number(term.axes.index(node.indices[0]), node.span)
        if node.name == "flip":
            return Term(call(equation, node.name, node.span, term.typed, dim), term.axes)
        return Term(call(equation, node.name, node.span, term.typed, dim=dim, **extra), term.axes)
    return _softened(equation, node, term)


def _only_settings(equation: Equation, node: Apply) -> bool:
    """What follows the value are settings of a normalization, by name."""
    odd = next(
        (part for name, part in node.args[1:] if name is None or not node.keeps or node.name == "flip" or len(node.indices) > 1), None
    )
    normed = node.name in ("layer_norm", "rms_norm")
    if odd is not None and not (normed and all(name is not None for name, _ in node.args[1:])):
        equation.fail("TL0307", odd.span, f"`{node.name}[{', '.join(node.indices)}]` takes one value", "one too many")
    if len(node.indices) > 1 and node.name in ("argmax", "argmin"):
        equation.fail("TL0404", node.span, f"`{node.name}` works along one index, found {len(node.indices)}")
    return not equation.wrong and bool(node.args)


def _summed_product(equation: Equation, node: Apply, term: Term) -> Term:
    """A sum of products, for a mean over how many there are; the products themselves are never written out."""
    if node.name == "sum" or term.unknown:
        return term
    count = Dim.const(1)
    for name in node.indices:
        count = count * equation.ranges[name].size
    typed = Typed(size_operand(equation, count, node.span), Int(count), node.span)
    operator = ast.Binary(node.span, "/", node.node, node.node, node.span)
    return combine(equation, operator, term, Term(typed, (), weak=True))


def _normed(equation: Equation, node: Apply, term: Term, extra: dict[str, Typed]) -> Term:
    """Normalizations of the last axes."""
    front = tuple(name for name in term.axes if name not in node.indices)
    moved = permuted(equation, term, (*front, *node.indices))
    shape = sizes(equation, [equation.ranges[name].size for name in node.indices], node.span)
    value = call(equation, node.name, node.span, moved.typed, shape, **extra)
    return permuted(equation, Term(value, moved.axes), term.axes)


def _softened(equation: Equation, node: Apply, term: Term) -> Term:
    """softmax over several indices together: the exponential of what is left above the logarithm of the sum."""
    if node.name not in ("softmax", "log_softmax"):
        equation.fail("TL0404", node.span, f"`{node.name}` works along one index, found {len(node.indices)}")
        return Term(equation.state.unknown(node.span), ())
    at = numbers([term.axes.index(name) for name in node.indices], node.span)
    keep = Typed(Const(True, Bool(True)), Bool(True), node.span)
    total = call(equation, "logsumexp", node.span, term.typed, at, keep)
    value = equation.state.emit("binary", (term.typed.operand, total.operand), term.typed.type, node.span, op="-")
    return Term(value if node.name == "log_softmax" else call(equation, "exp", node.span, value), term.axes)
