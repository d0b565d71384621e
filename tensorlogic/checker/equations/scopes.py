"""Where each index that is not on the left is summed: in the smallest scope that contains all its occurrences.

Scopes are the whole right side, the arguments of functions, and those groups in parentheses in which the index is joined: stands in two
factors of one product.
"""

from tensorlogic.checker.equations.tree import Apply, Equation, Node, Pair, Product, Reference, Sign, Sum, children


def settle(equation: Equation, root: Node, names: frozenset[str]) -> None:
    """Notes the scope of each of these indices of `root`. What an explicit reduction takes away is none of them."""
    for name in sorted(names):
        home, inside = _smallest(equation, root, name)
        if equation.wrong:
            return
        table = equation.homes if inside else equation.around
        table[home] = table.get(home, frozenset()) | {name}


def _smallest(equation: Equation, root: Node, name: str) -> tuple[Node, bool]:
    """(the node, whether the scope is what stands in its parentheses). A right side or an argument in parentheses that do not join the
    index is one operand of its scope."""
    best, node, inside = root, root, not root.group or joins(root, name)
    if root.group:
        _agree(equation, root, name)
    while True:
        holders = [child for child in children(node) if name in child.uses]
        if len(holders) != 1 or _own(node, name) or isinstance(node, Reference):
            return best, inside
        child = holders[0]
        joined = child.group and joins(child, name)
        if joined:
            _agree(equation, child, name)
        if isinstance(node, Apply) or joined:
            best, inside = child, joined or not child.group
        node = child


def _own(node: Node, name: str) -> bool:
    """Whether the node itself names the index, beside its operands."""
    return isinstance(node, Apply) and name in node.indices


def joins(node: Node, name: str) -> bool:
    """Whether the index stands in two factors of one product in it, functions aside."""
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, Apply | Reference) or name not in item.uses:
            continue
        if isinstance(item, Product) and sum(name in part.uses for op, part in item.factors if op == "*") > 1:
            return True
        pending += children(item)
    return False


def operands(node: Node) -> list[Node]:
    """The operands of `+` and `-` outside all parentheses in it."""
    found: list[Node] = []
    pending = [node]
    while pending:
        item = pending.pop()
        inner = () if item.group and item is not node else parts_of_scope(item)
        if inner:
            pending += reversed(inner)
        else:
            found.append(item)
    return found


def parts_of_scope(node: Node) -> tuple[Node, ...]:
    """What a scope consists of, if an index is summed in its parts one by one: sums, comparisons and what combines them."""
    match node:
        case Sum(terms=terms):
            return tuple(part for _, part in terms)
        case Pair(left=left, right=right) if node.node.op != "**":
            return left, right
        case Sign(operand=operand) if node.node.op == "not":
            return (operand,)
    return ()


def _agree(equation: Equation, group: Node, name: str) -> None:
    """A group that joins an index joins it wherever it has it (TL0404)."""
    having = [item for item in operands(group) if name in item.uses]
    joined = [item for item in having if joins(item, name)]
    if joined and len(joined) < len(having):
        odd = next(item for item in having if item not in joined)
        title = f"this group joins the index `{name}` in one operand and has it alone in another"
        equation.fail("TL0404", odd.span, title, f"`{name}` stands alone here", f"say what is summed: `sum[{name}](...)`")
