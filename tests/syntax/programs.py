"""Random programs that parse: every construct of the language, with white space and comments in all places that allow them.

`programs()` is a hypothesis strategy of program texts; `program(random)` makes one. A program is written with two marks, `·` for a
place where spaces and `/* */` may stand, `¶` for one where a line may end as well; `Spaces` then fills them in.
"""

from random import Random

from hypothesis import strategies as st

NAMES = ("x", "y", "w", "alpha", "long_name_of_a_value", "query", "model", "größe", "i", "j'")
DTYPES = ("f32", "float16", "int64", "bool", "q8_0")
NUMBERS = ("0", "3", "1_000", "0xff", "1.5", "2.", ".5", "1e-5", "1.5e-3")
STRINGS = ('"a"', '"// no comment"', '"tab\\t \\u{41} /*"', '"""two\n  lines"""', '""')
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
OPERATORS = ("+", "-", "*", "/", "%", "@", "**", "and", "or", "&&", "||")


class Program:
    """Writes constructs, all with marks. `depth` bounds the nesting."""

    def __init__(self, random: Random):
        self.random = random
        self.pick = random.choice

    def one(self, *makers) -> str:
        """One of several texts; only that one is made."""
        maker = self.pick(makers)
        return maker if isinstance(maker, str) else maker()

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def several(self, make, least: int = 0, most: int = 4, between: str = ",¶", trailing: bool = True) -> str:
        items = [make() for _ in range(self.random.randint(least, most))]
        text = between.join(items)
        return text + "," if trailing and items and "," in between and self.chance(0.1) else text

    def name(self) -> str:
        return self.pick(NAMES)

    # --- expressions ---

    def expression(self, depth: int = 3) -> str:
        if depth <= 0:
            return self.leaf()
        make = self.pick((self.leaf, self.operators, self.operators, self.postfix, self.postfix, self.brackets, self.special))
        return make() if make == self.leaf else make(depth)

    def leaf(self) -> str:
        return self.pick((self.name(), self.name(), self.name(), self.pick(NUMBERS), self.pick(STRINGS), self.pick(("true", "false"))))

    def operand(self, depth: int) -> str:
        if depth <= 0:
            return self.pick((self.name(), self.pick(NUMBERS)))
        return self.one(self.name, lambda: self.pick(NUMBERS), lambda: f"(¶{self.expression(depth - 1)}¶)", lambda: self.postfix(depth - 1))

    def operators(self, depth: int) -> str:
        if self.chance(0.2):
            return f"{self.pick(('-', '!', 'not·'))}{self.operand(depth)}"
        if self.chance(0.15):
            return f"{self.operand(depth)}·{self.pick(COMPARISONS)}¶{self.operand(depth)}"
        if self.chance(0.1):
            return f"{self.operand(depth)}·as¶{self.pick(('int', 'float', 'string'))}"
        if self.chance(0.1):
            return f"{self.operand(depth)}·..·{self.operand(depth)}"
        text = self.operand(depth)
        for _ in range(self.random.randint(1, 4)):
            text += f"·{self.pick(OPERATORS)}¶{self.operand(depth)}"
        return text

    def postfix(self, depth: int) -> str:
        text = self.name() if depth <= 0 or self.chance(0.7) else f"(¶{self.expression(depth - 1)}¶)"
        if self.chance(0.03):
            return f"{self.name()}<{self.pick(DTYPES[:3])}>(¶{text}¶)"
        for _ in range(self.random.randint(1, 3) if depth > 0 else 1):
            text += self.pick((self.call, self.index, self.member))(depth - 1)
        return text

    def call(self, depth: int) -> str:
        return f"({self.several(lambda: self.argument(depth))}¶)"

    def argument(self, depth: int) -> str:
        label = f"{self.pick(('dim', 'eps'))}{self.pick((':¶', '=¶'))}" if self.chance(0.3) else ""
        return f"¶{label}{self.expression(depth)}"

    def index(self, depth: int) -> str:
        return f"[{self.several(lambda: self.index_item(depth), 1, 3)}¶]"

    def index_item(self, depth: int) -> str:
        limit = self.operand(depth - 1)
        return "¶" + self.one(lambda: self.expression(depth), f"{limit}¶:", f":¶{limit}", "::¶2", f"{limit}:{limit}:{limit}", "...", ":")

    def member(self, depth: int) -> str:
        method = lambda: f"¶.method({self.several(lambda: self.argument(depth))})"  # noqa: E731
        return self.one(lambda: f"¶.{self.pick(('foo', 'in', 'match'))}", ".0", method)

    def brackets(self, depth: int) -> str:
        def item() -> str:
            return f"¶{self.expression(depth - 1)}"

        return self.one(
            lambda: f"[{self.several(item)}¶]",
            lambda: f"[{self.several(lambda: self.pick(NUMBERS), 2, 30)}]",
            lambda: f"[{self.several(lambda: f'[{self.several(lambda: self.pick(NUMBERS), 1, 9)}]', 2, 4)}]",
            lambda: f"({item()},¶{self.several(item)})",
            lambda: f"Point {{{self.several(lambda: f'¶x:¶{self.expression(depth - 1)}')}¶}}",
            lambda: f'{{"key":¶{self.expression(depth - 1)}}}',
        )

    def special(self, depth: int) -> str:
        inner = self.expression(depth - 1)
        inner = f"({inner})" if inner.startswith("{") else inner
        body = self.pick((inner, self.block(depth - 1)))
        parameters = self.several(lambda: self.pick((self.name(), "_", "(a, b)", "x: int")), 1, 3, trailing=False)
        return self.one(
            lambda: f"|{parameters}|·{body}",
            lambda: f"||·{inner}",
            lambda: f"if·({inner})·{self.block(depth - 1)}·else·{self.block(depth - 1)}",
            lambda: f"match·({inner})·{{·{self.several(lambda: self.arm(depth - 1), 1, 3)}·}}",
            "query·ancestor(alice, who)",
            "ancestor(alice, _)?",
            lambda: f"{self.name()}·in·{{¶1,¶2}}",
        )

    def arm(self, depth: int) -> str:
        pattern = self.pick(("1", "1·|·-2.5", "n", "_", '"s"', "(a, (b, _))", "true"))
        guard = "·if·n > 9" if self.chance(0.2) else ""
        body = self.pick((f"({self.expression(depth)})", self.postfix(depth), self.block(depth), "return", "break", "x = 1"))
        return f"{pattern}{guard}·=>·{body}"

    # --- types ---

    def type(self, depth: int = 2) -> str:
        if depth <= 0:
            return self.pick(("int", "float", "string", "Model", "T"))
        return self.one(
            lambda: f"{self.pick(DTYPES)}[{self.several(self.dim)}]",
            lambda: f"{self.pick(DTYPES)}[{self.several(self.dim)}]",
            lambda: f"[{self.type(depth - 1)}]",
            lambda: f"(¶{self.type(depth - 1)},¶{self.type(depth - 1)}¶)",
            lambda: f"fn({self.several(lambda: self.type(depth - 1), 0, 2)})·->¶{self.type(depth - 1)}",
            lambda: f"Pair<{self.type(0)},·int>",
            "KVCache<S + 1>",
            "Attention(D, H: 4)",
            "geometry.Box",
        )

    def dim(self) -> str:
        return "¶" + self.pick(("N", "3", "?", "D·*¶2", "D / (H + 1)", "floor_div(N, 2)", "B - 1", "(N - 1) - M"))

    def shape(self) -> str:
        return self.pick((f"f32[{self.several(self.dim)}]", f"f32[...B,¶{self.dim()}]", "f32[]"))

    def parameter(self) -> str:
        return f"¶{self.pick(('a', 'b'))}:¶{self.type()}" + (f"·=¶{self.expression(1)}" if self.chance(0.2) else "")

    # --- statements ---

    def block(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.4):
            return f"{{·{self.pick(('', 'return x', 'x', 'x = 1', 'break'))}·}}"
        return "{" + self.lines(lambda: self.statement(depth - 1), 3) + "}"

    def lines(self, make, most: int, separators: tuple[str, ...] = ("§",)) -> str:
        return "§" + "".join(make() + self.pick(separators) for _ in range(self.random.randint(1, most)))

    def where(self) -> str:
        return f"¶where·{self.several(lambda: self.pick(('D % H == 0', 'N >= 2', 'K in {1, 3}')), 1, 3, trailing=False)}"

    def statement(self, depth: int = 2) -> str:
        return self.pick((self.simple, self.simple, self.equation, self.control))(depth)

    def simple(self, depth: int) -> str:
        value = self.expression()
        return self.one(
            lambda: f"let·{self.pick(('x', '(q, k)', '(a, (b, _))'))}·=¶{value}",
            lambda: f"let·x:¶{self.type()}·=¶{value}",
            lambda: f"{self.name()}·{self.pick(('=', ':=', '+=', '*='))}¶{value}",
            lambda: f"x[0,¶1:]·=¶{value}",
            lambda: f"(a, b)·=¶{value}",
            lambda: f"p.x·=¶{value}",
            lambda: f"f({value})",
            lambda: f"return·({value})",
            lambda: f"assert·({value})",
            lambda: f'assert·({value}),¶"message"',
            "explain·ancestor(alice, dan)",
            "infer·forward·r",
            "break",
            "return",
        )

    def factor(self) -> str:
        return f"{self.pick(('Q', 'K', 'V'))}[{self.several(lambda: self.pick(('i', 'j', 't + 1', 'x / 2', '*t', '0')), 1, 3)}]"

    def equation(self, depth: int) -> str:
        value = self.factor()
        for _ in range(self.random.randint(0, 4)):
            value = f"({value})" if self.chance(0.3) else value
            value += self.pick(("·", "·*¶", "·+¶", "·-¶", "·/¶", "·>¶" if ">" not in value else "·+¶")) + self.factor()
        value = self.pick((value, f"({value})", f"relu({value})", f"softmax[j]({value})", f"-({value}) ** 2"))
        target = self.pick(("let·Y[i, j]·=", "Y[i]·+=", "Y[i, j.]·=", "Y[x / 2]·max=", "Y[*t + 1]·=", "let·y·="))
        return f"{target}¶{value}" + self.pick(("", "", "¶where·i in 0..4", "¶where·steps <= 3,¶tol < 1e-3"))

    def control(self, depth: int) -> str:
        condition = self.pick(("x", "a > b", "not done", "(p == Point { x: 1 })"))
        one, two = self.block(depth - 1), self.block(depth - 1)
        return self.one(
            lambda: f"if·{condition}·{one}",
            lambda: f"if·{condition}·{one}¶else·{two}",
            lambda: f"if·{condition}·{one}¶else·if·y·{two}¶else·{one}",
            lambda: f"for·{self.pick(('i', '(a, b)'))}·in·{self.pick(('0..n', 'xs', 'range(3)'))}·{one}",
            lambda: f"while·{condition}·{one}",
            lambda: f"loop·{one}",
            lambda: f"no_grad·{one}",
            lambda: f"match·{condition}·{{·{self.lines(lambda: self.arm(1), 3)}}}",
        )

    # --- declarations ---

    def function(self, method: bool = False) -> str:
        generics = "<T:·float>" if self.chance(0.1) else ""
        result = f"¶->¶{self.type()}" if self.chance(0.7) else ""
        parameters = self.pick(("self", f"self,{self.parameter()}")) if method else self.several(self.parameter)
        return f"fn·f{generics}({parameters}¶){result}{self.where() if self.chance(0.2) else ''}¶{self.block(2)}"

    def member_of_model(self) -> str:
        return self.one(
            "attn:¶Attention(D,¶H)",
            "blocks:·[Block(D, H);·L]",
            lambda: f"param·w:¶{self.shape()}·=¶normal(0.02)",
            lambda: f"buffer·b:¶{self.shape()}·=¶zeros()",
            "let·eps·=¶1e-5",
            self.function,
        )

    def field(self) -> str:
        return f"x:·{self.type()}" if self.chance(0.7) else "w:·f32[N]·learnable"

    def declaration(self) -> str:
        separators = ("§", ",\n")
        return self.one(
            'import·"layers.tl"·as·layers',
            "python·import·numpy.linalg·as·la",
            lambda: f"const·D·=¶{self.expression(2)}",
            lambda: f"tensor·w:¶{self.shape()}·learnable·=¶zeros()",
            self.function,
            self.function,
            lambda: f"model·M({self.several(self.parameter)}){self.where()}·{{{self.lines(self.member_of_model, 4)}}}",
            lambda: f"model·M()·{{{self.lines(self.member_of_model, 4)}}}",
            lambda: f"struct·P<T>·{{{self.lines(self.field, 3, separators)}}}",
            "struct·Q·{·x:·int,·y:·float·}",
            lambda: f"impl·P<T>·{{{self.lines(lambda: self.function(True), 2)}}}",
            lambda: f"main·{self.block(2)}",
            lambda: f'test·"it works"·{self.block(2)}',
            self.relational,
            self.learn,
        )

    def relational(self) -> str:
        return self.one(
            "entity·person·=·{alice,¶bob}",
            "entity·person",
            'relation·edge(int,¶y: int)·from·"e.tsv"',
            "relation·friend(a: person, person):¶float32",
            "relation·r(a, b)·=¶T[x, y] > 0.5",
            "friend(alice, bob)·=¶0.8",
            "older(x, y)·<-¶age(x, a),¶age(y, b),¶a > b,¶not·p(x)",
            "degree(x, n)·<-¶edge(x, _),¶n = count(y : edge(x, y), y > 1)",
            "best(x, z)·max=¶best(x, y),¶trust(y, z)",
            "query·ancestor(alice, who)",
        )

    def learn(self) -> str:
        head = self.pick(("learn", "learn·batch·in·batches(data, size: 8)"))
        statements = "".join(self.statement(1) + "§" for _ in range(self.random.randint(0, 2)))
        options = self.pick((",¶", "§")).join(f"{o}:¶{self.expression(1)}" for o in ("objective", "optimizer", "steps"))
        return f"{head}·{{§{statements}{options}§}}"

    def text(self) -> str:
        count = self.random.randint(1, 6)
        parts = [self.pick((self.declaration, self.statement))() for _ in range(count)]
        return "".join(part + "§" for part in parts)


class Spaces:
    """Fills the marks. `mess` is how often a mark gets more than it needs."""

    def __init__(self, random: Random, mess: float):
        self.random, self.mess, self.comments = random, mess, 0

    def comment(self) -> str:
        self.comments += 1
        return str(self.comments)

    def fill(self, mark: str, before: str, after: str) -> str:
        if self.random.random() >= self.mess:
            apart = before not in "([{,:" and after not in ")]}"
            return "\n" if mark == "§" else " " if apart or self.random.random() < 0.5 else ""
        return self.random.choice({"·": self.inline, "¶": self.breaking, "§": self.ending}[mark])(self)

    inline = (lambda s: "  ", lambda s: "\t", lambda s: f" /* {s.comment()} */ ")
    breaking = (
        *inline,
        lambda s: "\n",
        lambda s: " \r\n\n  ",
        lambda s: f" // {s.comment()}\n   ",
        lambda s: f"\n // {s.comment()}\n // {s.comment()}\n",
        lambda s: f" /* {s.comment()}\n   more */ ",
    )
    ending = (
        lambda s: " ; ",
        lambda s: "\n\n\n",
        lambda s: f" // {s.comment()}\n",
        lambda s: f"\n    // {s.comment()}\n\n// {s.comment()}\n",
        lambda s: f" /* {s.comment()} */\n",
        lambda s: f"\n/* {s.comment()} */ ",
        lambda s: f"\n\n/// {s.comment()}\n",
    )

    def run(self, text: str) -> str:
        ends = f"\n{text}\n"
        return "".join(self.fill(c, ends[at], ends[at + 2]) if c in "·¶§" else c for at, c in enumerate(text))


def program(random: Random, mess: float = 0.15) -> str:
    """The text of a program. With `mess` 0 it has no comments and plain spaces."""
    return Spaces(random, mess).run(Program(random).text())


def programs(mess: float = 0.15) -> st.SearchStrategy[str]:
    return st.integers(0, 2**64).map(lambda seed: program(Random(seed), mess))
