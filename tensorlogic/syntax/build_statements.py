"""What the rules of the grammar make of their parts: statements, declarations, rules and learning."""

from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source, Span
from tensorlogic.syntax import ast
from tensorlogic.syntax.build import ExpressionBuilder, present
from tensorlogic.syntax.driver import SyntaxMistake
from tensorlogic.syntax.tokens import Token

BARE = (ast.If, ast.Match)  # expressions that are statements as they are
AGGREGATES = frozenset(("count", "sum", "min", "max"))


class Builder(ExpressionBuilder):
    """Builds a file's tree. `docs` are the documentation comments by the offset of what follows them."""

    def __init__(self, source: Source, problems: Problems, docs: dict[int, str]):
        super().__init__(source, problems)
        self.docs = docs

    def doc(self, at: Span) -> str | None:
        return self.docs.get(at.start)

    # --- files ---

    def make_module(self, at: Span, *statements):
        return present(statements)

    def make_expression(self, at: Span, value):
        return value

    def make_signature(self, at: Span, name: Token, type_params, params, result, where):
        return ast.FnDecl(at, name.text, self.span(name), type_params or (), params or (), result, where or (), None)

    def make_block(self, at: Span, *statements):
        return ast.Block(at, present(statements))

    # --- statements ---

    def make_expression_statement(self, at: Span, value):
        return value if isinstance(value, BARE) else ast.ExprStmt(at, value)

    def make_let(self, at: Span, target, type, value, where):
        return ast.Let(at, target, type, value, where or ())

    def make_indexed(self, at: Span, name: Token, items):
        return ast.Index(at, ast.Name(self.span(name), name.text), items)

    def make_const(self, at: Span, name: Token, type, value):
        return ast.Const(at, name.text, self.span(name), type, value, self.doc(at))

    def make_assign(self, at: Span, target, op: Token, value, where):
        if not isinstance(target, ast.Name | ast.Index | ast.Member | ast.TupleLit | ast.Call):
            raise SyntaxMistake("this cannot be assigned to", target.span, "to compare write `==`")
        return ast.Assign(at, target, op.text, value, where or ())

    def make_arm_assign(self, at: Span, target, op: Token, value):
        return self.make_assign(at, target, op, value, None)

    def make_assign_or_rule(self, at: Span, target, op: Token, body, where):
        """`max=` after a relation's head begins a rule, after anything else it accumulates."""
        if isinstance(target, ast.Call):
            return self.make_rule(at, target, op, body, where)
        if len(body) > 1 or isinstance(body[0], ast.Binary) and body[0].op == "=":
            raise SyntaxMistake(f"the value after `{op.text}` ends here", Span(self.source, body[0].span.end, body[0].span.end + 1))
        return self.make_assign(at, target, op, body[0], where)

    def make_where(self, at: Span, *relations):
        return relations

    def make_for(self, at: Span, target, iterable, body):
        return ast.For(at, target, iterable, body)

    def make_while(self, at: Span, condition, body):
        return ast.While(at, condition, body)

    def make_loop(self, at: Span, body):
        return ast.While(at, None, body)

    def make_return(self, at: Span, value):
        return ast.Return(at, value)

    def make_break(self, at: Span):
        return ast.Break(at)

    def make_continue(self, at: Span):
        return ast.Continue(at)

    def make_assert(self, at: Span, condition, message):
        return ast.Assert(at, condition, message)

    def make_no_grad(self, at: Span, body):
        return ast.NoGrad(at, body)

    # --- declarations ---

    def make_import(self, at: Span, path: Token, alias: Token | None):
        where = self.span(path)
        return ast.Import(at, self.make_string(where, path), self.named(alias))

    def make_python_import(self, at: Span, *parts):
        *module, alias = parts
        return ast.PythonImport(at, ".".join(m.text for m in module), alias)

    def make_python_alias(self, at: Span, name: Token):
        return name.text

    def make_tensor(self, at: Span, kind: Token, name: Token, type, modifier: Token | None, value):
        if modifier and modifier.text not in ("learnable", "frozen"):
            advice = "after the type may stand `learnable` or `frozen`"
            raise SyntaxMistake(f"`{modifier.text}` cannot stand here", self.span(modifier), advice)
        sort, word = kind.text, self.named(modifier)
        return ast.TensorDecl(at, sort, name.text, self.span(name), type, word, value, self.doc(at))  # type: ignore[arg-type]

    def make_function(self, at: Span, name: Token, type_params, params, result, where, body):
        return ast.FnDecl(at, name.text, self.span(name), type_params or (), params or (), result, where or (), body, self.doc(at))

    def make_type_parameters(self, at: Span, *params):
        return params

    def make_type_parameter(self, at: Span, name: Token, kind: Token | None):
        return ast.TypeParam(at, name.text, self.named(kind))

    def make_parameters(self, at: Span, *params):
        return present(params)

    def make_parameter(self, at: Span, name: Token, type, default):
        if type is None and name.text != "self":
            advice = f"write `{name.text}: float32[N]`, for example"
            raise SyntaxMistake(f"the parameter `{name.text}` has no type", self.span(name), advice)
        return ast.Param(at, name.text, self.span(name), type, default)

    def make_model(self, at: Span, name: Token, params, where, members):
        return ast.ModelDecl(at, name.text, self.span(name), params or (), where or (), members or (), self.doc(at))

    def make_members(self, at: Span, *members):
        return present(members)

    def make_submodel(self, at: Span, name: Token, value):
        return self.submodel(at, name, value, None)

    def make_repeated_submodel(self, at: Span, name: Token, value, count):
        return self.submodel(at, name, value, count)

    def submodel(self, at: Span, name: Token, value, count):
        if not isinstance(value, ast.Call | ast.ListLit):
            help = f"write `{name.text}: Linear(D, D)` for a submodel, `param {name.text}: float32[D]` for a tensor"
            raise SyntaxMistake("a field of a model is a submodel, made by a call", value.span, help)
        return ast.SubmodelField(at, name.text, self.span(name), value, count, self.doc(at))

    def make_struct(self, at: Span, name: Token, type_params, fields):
        return ast.StructDecl(at, name.text, self.span(name), type_params or (), fields or (), self.doc(at))

    def make_struct_fields(self, at: Span, *fields):
        return present(fields)

    def make_struct_field(self, at: Span, name: Token, type, modifier: Token | None):
        if modifier and modifier.text != "learnable":
            raise SyntaxMistake(f"`{modifier.text}` cannot stand here", self.span(modifier), "after the type may stand `learnable`")
        return ast.StructField(at, name.text, self.span(name), type, modifier is not None, self.doc(at))

    def make_impl(self, at: Span, struct: Token, type_params, methods):
        return ast.ImplDecl(at, struct.text, self.span(struct), type_params or (), methods or ())

    def make_methods(self, at: Span, *methods):
        return present(methods)

    def make_main(self, at: Span, body):
        return ast.Main(at, body)

    def make_test(self, at: Span, name: Token, body):
        return ast.Test(at, self.make_string(self.span(name), name), body)

    # --- relations ---

    def make_entity(self, at: Span, name: Token, members):
        return ast.EntityDecl(at, name.text, self.span(name), members, self.doc(at))

    def make_entity_names(self, at: Span, *names):
        return tuple(ast.Name(self.span(n), n.text) for n in present(names))

    def make_relation(self, at: Span, name: Token, columns, weight, file, definition):
        return ast.RelationDecl(at, name.text, self.span(name), columns or (), weight, file, definition, self.doc(at))

    def make_columns(self, at: Span, *columns):
        return present(columns)

    def make_column(self, at: Span, type):
        return ast.Column(at, None, type)

    def make_named_column(self, at: Span, name: Token, type):
        return ast.Column(at, name.text, type)

    def make_rule(self, at: Span, head, op: Token, body, where):
        return ast.Rule(at, head, op.text, tuple(self.with_aggregates(b) for b in body), where or ())

    def make_body(self, at: Span, *body):
        return body

    def make_body_equality(self, at: Span, left, equal: Token, right):
        return ast.Binary(at, "=", left, right, self.span(equal))

    def with_aggregates(self, term):
        """A body atom in which `count(y : edge(x, y))`, read as a call with a named argument, is an aggregate."""
        operators = []
        while isinstance(term, ast.Binary):
            operators.append(term)
            term = term.left
        if isinstance(term, ast.Unary):
            term = ast.Unary(term.span, term.op, self.with_aggregates(term.operand))
        elif isinstance(term, ast.Call):
            term = self.aggregate(term)
        for op in reversed(operators):
            term = ast.Binary(op.span, op.op, term, self.with_aggregates(op.right), op.op_span)
        return term

    def aggregate(self, call: ast.Call):
        callee, args = call.callee, call.args
        if not isinstance(callee, ast.Name) or callee.name not in AGGREGATES or not args or args[0].name is None:
            return call
        value = ast.Name(self.name_span(args[0]), args[0].name)
        return ast.Aggregate(call.span, callee.name, value, (args[0].value, *(self.body_atom(a) for a in args[1:])))

    def body_atom(self, arg: ast.Arg):
        if arg.name is None:
            return arg.value
        name = self.name_span(arg)
        between = self.source.text[name.end : arg.value.span.start]
        if "=" not in between:
            raise SyntaxMistake("an aggregate has one `:`", arg.span, "write `count(y : edge(x, y), y > 1)`")
        at = name.end + between.index("=")
        return ast.Binary(arg.span, "=", ast.Name(name, arg.name), arg.value, Span(self.source, at, at + 1))

    def name_span(self, arg: ast.Arg) -> Span:
        return Span(self.source, arg.span.start, arg.span.start + len(arg.name or ""))

    def make_explain(self, at: Span, atom):
        return ast.Explain(at, atom)

    def make_infer(self, at: Span, direction: Token, target):
        if direction.text not in ("forward", "backward"):
            advice = "write `infer forward r` or `infer backward r(...)`"
            raise SyntaxMistake(f"`{direction.text}` is no direction", self.span(direction), advice)
        return ast.Infer(at, direction.text, target)  # type: ignore[arg-type]

    # --- learning ---

    def make_learn(self, at: Span, target, iterable, *parts):
        options = tuple(p for p in parts if isinstance(p, ast.LearnOption))
        statements = tuple(p for p in present(parts) if not isinstance(p, ast.LearnOption))
        return ast.Learn(at, target, iterable, statements, options)

    def make_option(self, at: Span, name: Token, value):
        return ast.LearnOption(at, name.text, self.span(name), value)


class SignatureBuilder(Builder):
    """For our own declarations, which may compute the dims behind a variadic."""

    def make_variadic_function(self, at: Span, function: Token, args):
        return ast.Variadic(at, None, function.text, tuple(a.value for a in args or ()))
