"""What the rules of the grammar make of their parts: expressions, patterns and types. `make_NAME` belongs to the rule or alias NAME."""

from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.source import Source, Span
from tensorlogic.syntax import ast
from tensorlogic.syntax.driver import SyntaxMistake
from tensorlogic.syntax.literals import decoded
from tensorlogic.syntax.tokens import Token

OPERATORS = {"&&": "and", "||": "or", "": "juxt"}


def present(items) -> tuple:
    """Without absent parts, and without the statements that were dropped for a mistake."""
    return tuple(i for i in items if i is not None)


class ExpressionBuilder:
    def __init__(self, source: Source, problems: Problems):
        self.source = source
        self.problems = problems

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def named(self, token: Token | None) -> str | None:
        return token.text if token else None

    # --- atoms ---

    def make_name(self, at: Span, name: Token):
        return ast.Name(at, name.text)

    def make_integer(self, at: Span, number: Token):
        text = number.text
        return ast.IntLit(at, int(text.replace("_", ""), 16 if text[:2] in ("0x", "0X") else 10), text)

    def make_float(self, at: Span, number: Token):
        return ast.FloatLit(at, number.text)

    def make_string(self, at: Span, string: Token):
        value, bad = decoded(string.text)
        for offset, end, message, advice in bad:
            place = Span(self.source, at.start + offset, at.start + end)
            self.problems.add(Diagnostic("TL0103", message, place, help=(advice,)))
        return ast.StringLit(at, value, string.text)

    def make_boolean(self, at: Span, word: Token):
        return ast.BoolLit(at, word.text == "true")

    def make_parenthesized(self, at: Span, inner):
        return inner

    def make_tuple(self, at: Span, *items):
        return ast.TupleLit(at, present(items))

    def make_list(self, at: Span, *items):
        return ast.ListLit(at, present(items))

    def make_set(self, at: Span, *items):
        return ast.SetLit(at, present(items))

    def make_dict(self, at: Span, *entries):
        return ast.DictLit(at, present(entries))

    def make_dict_entry(self, at: Span, key, value):
        return ast.DictEntry(at, key, value)

    # --- operators ---

    def make_binary(self, at: Span, left, op: Token, right):
        return ast.Binary(at, OPERATORS.get(op.text, op.text), left, right, self.span(op))

    def make_unary(self, at: Span, op: Token, operand):
        return ast.Unary(at, "-" if op.text == "-" else "not", operand)

    def make_range(self, at: Span, start, stop):
        return ast.Range(at, start, stop)

    def make_cast(self, at: Span, operand, type):
        return ast.Cast(at, operand, type)

    # --- what follows an operand ---

    def make_call(self, at: Span, callee, args):
        return ast.Call(at, callee, (), args or ())

    def make_generic_call(self, at: Span, callee, type_args, args):
        return ast.Call(at, callee, type_args, args or ())

    def make_arguments(self, at: Span, *args):
        return present(args)

    def make_argument(self, at: Span, value):
        return ast.Arg(at, None, value)

    def make_named_argument(self, at: Span, name: Token, value):
        return ast.Arg(at, name.text, value)

    def make_equal_argument(self, at: Span, target, equal: Token, value):
        if not isinstance(target, ast.Name):
            raise SyntaxMistake("`=` cannot stand here", self.span(equal), "to compare write `==`")
        return ast.Arg(at, target.name, value)

    def make_index(self, at: Span, base, items):
        return ast.Index(at, base, items)

    def make_items(self, at: Span, *items):
        return present(items)

    def make_slice(self, at: Span, *parts):
        """The colons are among the parts: an expression before the first, between, and after the second."""
        limits: list = [None]
        for part in parts:
            if isinstance(part, Token):
                limits.append(None)
            elif part is not None:
                limits[-1] = part
        start, stop, step = (*limits, None)[:3]
        return ast.Slice(at, start, stop, step)

    def make_ellipsis(self, at: Span):
        return ast.Ellipsis(at)

    def make_dotted_index(self, at: Span, name: Token):
        return ast.DottedIndex(at, name.text)

    def make_virtual_index(self, at: Span, index):
        return ast.VirtualIndex(at, index)

    def make_member(self, at: Span, base, name: Token):
        return ast.Member(at, base, name.text, self.span(name))

    def make_path(self, at: Span, base, name: Token):
        return ast.Path(at, base, name.text, self.span(name))

    def make_query_after(self, at: Span, atom):
        return self.query(at, atom, False)

    def make_query(self, at: Span, atom):
        return self.query(at, atom, True)

    def query(self, at: Span, atom, prefix: bool):
        if not isinstance(atom, ast.Call):
            raise SyntaxMistake("a query asks a relation", atom.span, "write it as `query ancestor(alice, who)`")
        return ast.Query(at, atom, prefix)

    def make_struct_literal(self, at: Span, struct, fields):
        if not isinstance(struct, ast.Name | ast.Member):
            raise SyntaxMistake("`{` cannot stand here", Span(self.source, struct.span.end, struct.span.end + 1))
        return ast.StructLit(at, struct, fields or ())

    def make_field_values(self, at: Span, *fields):
        return present(fields)

    def make_field_value(self, at: Span, name: Token, value):
        return ast.FieldInit(at, name.text, value)

    # --- lambdas, choices ---

    def make_lambda(self, at: Span, params, body):
        return ast.Lambda(at, params, body)

    def make_lambda_without_parameters(self, at: Span, body):
        return ast.Lambda(at, (), body)

    def make_lambda_parameters(self, at: Span, *params):
        return params

    def make_typed_bind(self, at: Span, name: Token, type):
        return ast.BindPattern(at, name.text, type)

    def make_if(self, at: Span, condition, then, otherwise):
        return ast.If(at, condition, then, otherwise)

    def make_match(self, at: Span, value, arms):
        return ast.Match(at, value, arms or ())

    def make_arms(self, at: Span, *arms):
        return present(arms)

    def make_arm(self, at: Span, patterns, guard, body):
        return ast.Arm(at, patterns, guard, body)

    def make_alternatives(self, at: Span, *patterns):
        return patterns

    def make_bind(self, at: Span, name: Token):
        return ast.WildcardPattern(at) if name.text == "_" else ast.BindPattern(at, name.text)

    def make_tuple_pattern(self, at: Span, *items):
        return ast.TuplePattern(at, present(items))

    def make_case_literal(self, at: Span, value):
        return ast.LiteralPattern(at, value)

    def make_negative_case(self, at: Span, minus: Token, number):
        return ast.LiteralPattern(at, ast.Unary(at, "-", number))

    # --- types ---

    def make_named_type(self, at: Span, name):
        return ast.NamedType(at, name[1], name[0], ())

    def make_generic_type(self, at: Span, name, args):
        return ast.NamedType(at, name[1], name[0], args)

    def make_type_name(self, at: Span, first: Token, second: Token | None):
        return (first.text, second.text) if second else (None, first.text)

    def make_type_arguments(self, at: Span, *args):
        return args

    def make_tensor_type(self, at: Span, dtype: Token, *shape):
        return ast.TensorTypeExpr(at, dtype.text, self.span(dtype), present(shape))

    def make_model_type(self, at: Span, name, args):
        return ast.ModelTypeExpr(at, name[1], name[0], args or ())

    def make_list_type(self, at: Span, element):
        return ast.ListTypeExpr(at, element)

    def make_tuple_type(self, at: Span, *items):
        return ast.TupleTypeExpr(at, present(items))

    def make_function_type(self, at: Span, params, result):
        return ast.FnTypeExpr(at, params or (), result)

    def make_types(self, at: Span, *types):
        return present(types)

    def make_variadic(self, at: Span, name: Token | None):
        return ast.Variadic(at, self.named(name))

    def make_variadic_function(self, at: Span, function: Token, args):
        raise SyntaxMistake("a shape has no function after `...`", at, "write `...` or `...B`")

    def make_unknown_dim(self, at: Span):
        return ast.UnknownDim(at)
