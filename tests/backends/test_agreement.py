"""Generated Python, the fx graph and the reference evaluator give the same bits."""

import pytest
import torch
from programs import BOOL, FLOAT, INT, Code, at, const, dims, f32, function, module
from reference import Reference

from tensorlogic.backends.fx import NotPure, build_graph, why_not_pure
from tensorlogic.backends.python import compile_module, generate
from tensorlogic.ir.ir import Const, DimBinding, EllipsisIndex, FnRef, Module, Omitted, Op, Region, SliceOf, StructType, Value
from tensorlogic.ir.verify import verify
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Divides, Rel
from tensorlogic.types.types import DTypeValue, DTypeVar, Fn, List, Struct, Tensor, Tuple

X = Value("x", f32("N", "D"))
W = Value("w", f32("D", "E"))
B = Value("b", f32("E"))


def affine() -> Module:
    code = Code()
    output = code.binary("@", X, W, f32("N", "E"), "output")
    code.give(code.binary("+", output, B, f32("N", "E")))
    return module(function("f", (X, W, B), f32("N", "E"), code.region()))


def sizes() -> Module:
    """Reads dims, uses a guard, a reshape with arithmetic and a builtin with defaults."""
    n, d = Value("N", INT), Value("D", INT)
    code = Code()
    goal = Divides(Dim.const(2), Dim.sym("D"))
    code.add("guard", (d,), goal=goal, names=("D",), text=str(goal))
    half = code.binary("//", d, const(2), INT)
    shape = code.add("list", (n, const(2), half), List(INT))
    y = code.builtin("reshape", X, shape, type_=f32("N", 2, "H"))
    z = code.builtin("softmax", y, Const(-1, INT), type_=f32("N", 2, "H"), result="z")
    code.give(code.binary("*", z, n, f32("N", 2, "H")))
    return module(function("f", (X,), f32("N", 2, "H"), code.region(), (DimBinding(n, X, 0), DimBinding(d, X, 1))))


def control() -> Module:
    """A mutable variable, a loop over a list, an `if` with a value, a lambda that captures."""
    code = Code()
    total = code.variable("total", X, f32("N", "D"))
    inner, k = Code(line=10), Value("k", FLOAT)
    product = inner.binary("*", total, k, f32("N", "D"))
    inner.assign(total, inner.binary("+", product, const(1.0), f32("N", "D")))
    code.add("for", (const((0.5, 2.0, 3.0), List(FLOAT)),), regions=(inner.region(params=(k,)),))
    flag = code.binary(">", const(2), const(1), BOOL)
    chosen = code.add("if", (flag,), FLOAT, "scale", (Region((), (), (const(2.0),)), Region((), (), (const(4.0),))))
    body, v = Code(line=20), Value("v", f32("N", "D"))
    scaled = body.binary("*", v, chosen, f32("N", "D"))
    apply = code.add("lambda", (), Fn((v.type,), v.type), "apply", (body.region(scaled, params=(v,)),))
    code.give(code.add("call_value", (apply, total), f32("N", "D")))
    return module(function("f", (X,), f32("N", "D"), code.region()))


def calls() -> Module:
    """Defaults, keyword arguments, a tuple result, an index of every kind, an update that nobody else sees."""
    y, times, shift = Value("y", f32("N", "D")), Value("times", INT), Value("shift", FLOAT)
    code = Code()
    code.give(code.binary("+", code.binary("*", y, times, y.type), shift, y.type))
    helper = function("helper", (y, times, shift), y.type, code.region(), defaults=(Omitted(), const(2), const(0.25)))
    code = Code(line=30)
    code.ops.append(Op("call", (X, Omitted(), const(1.5)), (a := Value("a", y.type),), {"name": "helper"}, (), at(31)))
    b = code.variable("b", a, y.type)
    updated = Value("", y.type)
    code.ops.append(Op("set_index", (b, const(0), SliceOf(Omitted(), Omitted(), const(2)), const(7.0)), (updated,), {}, (), at(32)))
    code.assign(b, updated)
    last = code.add("index", (b, EllipsisIndex(), const(-1)), f32("N"), "last")
    pair = code.add("tuple", (a, b, last), Tuple((y.type, y.type, f32("N"))))
    code.give(pair)
    return module(helper, function("f", (X,), Tuple((y.type, y.type, f32("N"))), code.region()))


def structs() -> Module:
    point = Struct("Point")
    code = Code()
    code.ops.append(Op("struct", (X, const(2.0)), (p := Value("p", point),), {"name": "Point"}, (), at(3)))
    code.ops.append(Op("set_field", (p, const(3.0)), (q := Value("q", point),), {"name": "class"}, (), at(4)))
    code.ops.append(Op("field", (q,), (k := Value("", FLOAT),), {"name": "class"}, (), at(5)))
    code.ops.append(Op("field", (p,), (t := Value("", X.type),), {"name": "rows"}, (), at(5)))
    code.give(code.binary("*", t, k, X.type))
    declared = StructType("Point", (), (("rows", X.type), ("class", FLOAT)), frozenset(), at(1), "A point.")
    return module(function("f", (X,), X.type, code.region()), structs=(declared,))


def generic() -> Module:
    """A dtype variable, functions of the module as values, `map` over a list."""
    t = DTypeVar("T", "float")
    x = Value("x", Tensor(t, dims("N", "D")))
    row = Value("row", x.type)
    code = Code()
    code.give(code.binary("+", row, row, x.type))
    twice = function("twice", (row,), x.type, code.region())
    code = Code(line=40)
    one = code.builtin("to", x, Const("float64", DTypeValue("float64")), type_=Tensor("float64", dims("N", "D")), result="wide")
    back = code.builtin("to", one, Const("T", DTypeValue(t)), type_=x.type)
    items = code.add("list", (x, back), List(x.type))
    results = code.builtin("map", items, FnRef("twice", Fn((x.type,), x.type)), type_=List(x.type))
    code.give(code.builtin("cat", results, const(0), type_=x.type))
    return module(twice, function("f", (x,), x.type, code.region()))


PROGRAMS = {"affine": affine, "sizes": sizes, "control": control, "calls": calls, "structs": structs, "generic": generic}


def same(a: object, b: object) -> bool:
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(same, a, b))
    assert isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return a.dtype == b.dtype and torch.equal(a, b)


@pytest.mark.parametrize("name", PROGRAMS)
def test_three_ways(name: str) -> None:
    program = verify(PROGRAMS[name]())
    namespace = compile_module(generate(program))
    graph = build_graph(program, "f")
    for n, d in ((1, 2), (3, 4), (5, 8)):
        torch.manual_seed(n)
        args = [torch.randn(n, d), torch.randn(d, 3), torch.randn(3)][: len(program.function("f").params)]
        before = [arg.clone() for arg in args]
        python = namespace["f"](*args)  # type: ignore[operator]
        assert same(python, graph(*args))
        assert same(python, Reference(program).call("f", *args))
        assert all(map(torch.equal, args, before)), "arguments are values"


def test_names_of_graphs_are_counters() -> None:
    x = Value("x=open('F','w')", f32("N"))
    y = Value("import os", f32("N"))
    code = Code()
    code.ops.append(Op("binary", (x, x), (y,), {"op": "*"}, (), at(2)))
    code.give(y)
    graph = build_graph(module(function("f", (x,), f32("N"), code.region())), "f")
    assert [node.name for node in graph.graph.nodes] == ["p0", "t0", "output"]
    assert "open" not in graph.code and "import os" not in graph.code
    product = list(graph.graph.nodes)[1]
    assert product.meta["tl"] == ("import os", "float32[N]", "program.tl:2")


def test_a_guard_is_part_of_the_graph() -> None:
    graph = build_graph(sizes(), "f")
    with pytest.raises(AssertionError, match="D % 2 == 0"):
        graph(torch.ones(2, 3))


def branch_on_a_size() -> Module:
    n = Value("N", INT)
    code = Code()
    flag = code.binary(">", n, const(3), BOOL)
    code.add("if", (flag,), regions=(Region((), (Op("return", (X,), (), {}, (), at(7)),)),))
    code.give(X)
    return module(function("f", (X,), X.type, code.region(), (DimBinding(n, X, 0),)))


def test_what_is_not_pure_says_why_and_where() -> None:
    program = branch_on_a_size()
    reason = why_not_pure(program, "f")
    assert reason is not None and "known only at run time" in reason[0] and reason[1].line == 3
    with pytest.raises(NotPure):
        build_graph(program, "f")
    f = compile_module(generate(program))["f"]
    assert torch.equal(f(torch.ones(2, 2)), torch.ones(2, 2))  # type: ignore[operator]


def test_recursion_is_not_pure() -> None:
    code = Code()
    code.ops.append(Op("call", (X,), (y := Value("", X.type),), {"name": "f"}, (), at(9)))
    code.give(y)
    assert why_not_pure(module(function("f", (X,), X.type, code.region())), "f") == ("`f` calls itself", at(9))


def test_tensors_of_the_file_become_attributes() -> None:
    from tensorlogic.ir.ir import Global, GlobalRef

    code = Code()
    code.give(code.binary("*", X, GlobalRef("scale", f32("D")), X.type))
    program = module(function("f", (X,), X.type, code.region()), globals=(Global("scale", "param", f32("D"), None, True, at(1)),))
    graph = build_graph(program, "f", {"scale": torch.full((3,), 2.0)})
    assert torch.equal(graph(torch.ones(2, 3)), torch.full((2, 3), 2.0))
    assert why_not_pure(program, "f") is not None


def test_a_guard_that_fails_names_the_numbers() -> None:
    n, d = Value("N", INT), Value("D", INT)
    code = Code()
    goal = Rel("==", Dim.sym("N"), Dim.sym("D") + 1)
    code.add("guard", (n, d), goal=goal, names=("N", "D"), text="")
    code.give(X)
    program = module(function("f", (X,), X.type, code.region(), (DimBinding(n, X, 0), DimBinding(d, X, 1))))
    f = compile_module(generate(program))["f"]
    assert torch.equal(f(torch.ones(3, 2)), torch.ones(3, 2))  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"this needs N == D \+ 1, where N is 2 and D is 2"):
        f(torch.ones(2, 2))  # type: ignore[operator]
