"""Statements of one function from the operations of its regions; what is used once and short is written in line."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tensorlogic.backends import nodes
from tensorlogic.backends.expressions import expression, index_node, is_scalar
from tensorlogic.backends.fill import evaluation_order
from tensorlogic.backends.nodes import LOAD, STORE, Expr
from tensorlogic.backends.places import describe
from tensorlogic.backends.scope import FunctionScope
from tensorlogic.backends.text import with_comment
from tensorlogic.ir.ir import Const, FnRef, GlobalRef, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import values_in
from tensorlogic.source import Source, Span
from tensorlogic.types.types import List, ModelOf, Tuple, Void

LINE = 88
TENSOR_LINE = 56
DEEPEST = 4
UPDATES = {"set_index": "clone", "set_list_item": "copy"}  # and how the value that is updated is copied


@dataclass(slots=True)
class Block:
    """The statements written so far, expressions that still wait to be used (in order of evaluation), and variables that hold
    a tensor nobody else can see."""

    body: list[ast.stmt] = field(default_factory=list)
    pending: dict[Value, tuple[Expr, Op]] = field(default_factory=dict)
    own: set[Value] = field(default_factory=set)


@dataclass(slots=True)
class Writer:
    scope: FunctionScope
    source: Source
    block: Block = field(default_factory=Block)
    depth: int = 0  # of blocks around this one
    loops: int = 0
    inside: Op | None = None  # the lambda being written
    submodels: dict[Value, Op] = field(default_factory=dict)  # `self.attn` and the like, which never change: written where they are used

    # --- operands ---------------------------------------------------------------------------------------------------

    def part(self, operand: Operand) -> Expr:
        """The expression of an operand that `take` has made ready."""
        match operand:
            case Value() if operand in self.submodels:
                return expression(self.submodels[operand], self.part, self.scope)
            case Value():
                waiting = self.block.pending.pop(operand, None)
                return waiting[0] if waiting else nodes.name(self.scope.of(operand))
            case Const():
                return self.scope.constant(operand)
            case FnRef(name):
                return nodes.name(self.scope.module.functions[name])
            case GlobalRef():
                return self.scope.reference(operand)
        raise TypeError(f"{operand!r} is no value")

    def make_ready(self, operands: tuple[Operand, ...], limit: int = LINE, plain: tuple[Operand, ...] = (), deepest: int = DEEPEST) -> None:
        """Writes out what waits, unless the operands can take it in line without a change of order or too long a line."""
        wanted = [o for o in values_in(operands) if isinstance(o, Value) and o in self.block.pending]
        waiting = list(self.block.pending)
        in_order = wanted == waiting[len(waiting) - len(wanted) :]
        exprs = [self.block.pending[value][0] for value in wanted]
        wide = sum(e.width for e in exprs) > limit or any(e.depth >= deepest for e in exprs)
        if not in_order or wide or self._changes(operands) or any(o in self.block.pending for o in plain if isinstance(o, Value)):
            self.flush()

    def _changes(self, operands: tuple[Operand, ...]) -> bool:
        """Whether a waiting call could change a variable that is read before it."""
        read = False
        for operand in values_in(operands):
            if isinstance(operand, Value) and operand in self.block.pending:
                if read and self.block.pending[operand][0].calls:
                    return True
            elif isinstance(operand, Value):
                read = read or operand in self.scope.uses.written or operand.top
        return False

    def flush(self) -> None:
        """Writes everything that waits as assignments."""
        waiting, self.block.pending = self.block.pending, {}
        for value, (expr, op) in waiting.items():
            self.assign(value, expr, op)

    # --- statements -------------------------------------------------------------------------------------------------

    def emit(self, statement: ast.stmt, span: Span | None, comment: str = "") -> None:
        nodes.locate(statement, span, self.source)
        if comment:
            with_comment(statement, comment)
        self.block.body.append(statement)

    def statement(self, statement: ast.stmt, span: Span | None, comment: str = "") -> None:
        """A statement that is evaluated after everything that waits."""
        self.flush()
        self.emit(statement, span, comment)

    def assign(self, value: Value, expr: Expr, op: Op) -> None:
        comment = describe(value.type, op.span)
        if self.scope.uses.count.get(value, 0) == 0 and not value.top:
            if not expr.atomic:
                self.emit(ast.Expr(expr.node), op.span, describe(None, op.span))
            return
        if isinstance(expr.node, ast.Lambda):
            returned = nodes.locate(ast.Return(expr.node.body), op.span, self.source)
            self.emit(ast.FunctionDef(self.scope.of(value), expr.node.args, [returned], [], None), op.span, comment)  # type: ignore[list-item]
        else:
            self.emit(ast.Assign([self.target(value)], expr.node), op.span, comment)

    def target(self, value: Value) -> ast.expr:
        return ast.Name(self.scope.of(value), STORE)

    # --- operations -------------------------------------------------------------------------------------------------

    def region(self, region: Region) -> None:
        ops = region.ops
        at = 0
        while at < len(ops):
            at += self._several(ops, at) or self.op(ops[at])

    def _several(self, ops: tuple[Op, ...], at: int) -> int:
        """Operations that are one statement together: how many they are, 0 if there are none."""
        return self._unpacked(ops, at) or self._updated(ops, at)

    def op(self, op: Op) -> int:
        from tensorlogic.backends.control import STATEMENTS

        write = STATEMENTS.get(op.code)
        if write is not None:
            write(self, op)
        else:
            self._expression(op)
        self._forget(op)
        return 1

    def _forget(self, op: Op) -> None:
        """An operation that reads a variable may keep a view of its tensor."""
        if self.block.own and op.code not in UPDATES:
            self.block.own.difference_update(v for v in values_in(op.args) if isinstance(v, Value))
            if op.regions or op.code in ("call", "call_value", "builtin", "assign"):
                self.block.own.clear()

    def _is_submodel(self, op: Op) -> bool:
        """Whether an operation reads a part of a model that has a name."""
        if op.code != "field" or op.results[0].name or not isinstance(op.args[0], Value) or op.args[0] in self.block.pending:
            return False
        owner, type_ = getattr(op.args[0], "type", None), op.results[0].type
        parts = type_.items if isinstance(type_, List | Tuple) and type_.items else (getattr(type_, "element", type_),)
        return isinstance(owner, ModelOf) and all(isinstance(part, ModelOf) for part in parts)

    def _expression(self, op: Op) -> None:
        if self._is_submodel(op):
            self.submodels[op.results[0]] = op
            return
        order, plain = op.args, ()
        if op.code == "builtin":
            order, places = evaluation_order(op)
            plain = tuple(op.args[i] for i in places)
        if op.code == "copy":
            self.make_ready(order, LINE, deepest=DEEPEST + 1)
        else:
            self.make_ready(order, LINE if self._is_short(op) else TENSOR_LINE, plain)
        expr = expression(op, self.part, self.scope)
        nodes.locate(expr.node, op.span, self.source)
        self.result(op, expr)

    def _is_short(self, op: Op) -> bool:
        return all(is_scalar(r.type) or isinstance(r.type, Void) for r in op.results)

    def result(self, op: Op, expr: Expr) -> None:
        """The expression waits to be used, or is written."""
        if not op.results or isinstance(op.results[0].type, Void):
            self.statement(ast.Expr(expr.node), op.span, describe(None, op.span))
            return
        (value,) = op.results
        if self.may_wait(value):
            self.block.pending[value] = expr, op
        else:
            self.flush()
            self.assign(value, expr, op)

    def may_wait(self, value: Value) -> bool:
        uses = self.scope.uses
        return (
            not value.name and not value.mutable and not value.top and uses.count.get(value) == 1 and uses.owner.get(value) is self.inside
        )

    def _unpacked(self, ops: tuple[Op, ...], at: int) -> int:
        """`a, b = f(x)`: a tuple whose items are all taken right behind it."""
        op = ops[at]
        if len(op.results) != 1 or op.results[0].name or op.code not in ("builtin", "call", "call_value", "copy"):
            return 0
        count = self.scope.uses.count.get(op.results[0], 0)
        items = ops[at + 1 : at + 1 + count]
        size = len(getattr(op.results[0].type, "items", None) or ())
        if not items or size == 0 or any(i.code != "item" or i.args != op.results for i in items):
            return 0
        names = {i.attrs["index"]: self.target(i.results[0]) for i in items if self.scope.uses.count.get(i.results[0]) or i.results[0].top}
        if len(names) != count or any(self.may_wait(i.results[0]) for i in items):
            return 0
        order = evaluation_order(op) if op.code == "builtin" else (op.args, frozenset())
        self.make_ready(order[0], LINE, tuple(op.args[i] for i in order[1]))
        expr = expression(op, self.part, self.scope)
        targets = [names.get(i) or ast.Name("_", STORE) for i in range(size)]
        statement = ast.Assign([ast.Tuple(targets, STORE)], expr.node)
        self.statement(statement, op.span, describe(op.results[0].type, op.span))
        self._forget(op)
        return 1 + count

    def _updated(self, ops: tuple[Op, ...], at: int) -> int:
        """`x[i] = v`: an update that is assigned to the variable it is made from."""
        op, following = ops[at], ops[at + 1] if at + 1 < len(ops) else None
        if op.code not in UPDATES or following is None or following.code != "assign" or following.args != op.results:
            return 0
        target = following.attrs["target"]
        if target is not op.args[0] or not isinstance(target, Value) or self.scope.uses.count.get(op.results[0]) != 1:
            return 0
        self.set_index(op, target, target)
        return 2

    def set_index(self, op: Op, tensor: Operand, target: Value) -> None:
        """Structs and tensors are values: `target` becomes a copy of `tensor` with the new item."""
        self.make_ready((*op.args[1:],))
        node, _ = index_node(op.args[1:-1], self.part)
        value = self.part(op.args[-1])
        self.flush()
        if target not in self.block.own or tensor is not target:
            clone = ast.Call(ast.Attribute(self.part(tensor).node, UPDATES[op.code], LOAD), [], [])
            self.emit(ast.Assign([self.target(target)], clone), op.span, describe(target.type, op.span))
        subscript = ast.Subscript(nodes.name(self.scope.of(target)).node, node, STORE)
        self.emit(ast.Assign([subscript], value.node), op.span, describe(None, op.span))
        self.block.own.add(target)

    # --- blocks -----------------------------------------------------------------------------------------------------

    @contextmanager
    def nested(self) -> Iterator[Block]:
        """A new block inside this one."""
        outer, self.block = self.block, Block()
        self.depth += 1
        try:
            yield self.block
        finally:
            self.block = outer
            self.depth -= 1
