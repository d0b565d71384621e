"""The LALR driver: shifts and reduces over the tables, builds the tree as it goes, and steps over statements with mistakes."""

from collections.abc import Callable, Set
from functools import cache
from typing import Any

from tensorlogic.source import Source, Span
from tensorlogic.syntax.grammar import COLLECT, NOTHING, PASS, Rule, tables
from tensorlogic.syntax.tokens import END_OF_TEXT, Token

Reducer = Callable[[Any, Span, list], Any]  # of the builder, the place, and the values of a rule's parts

# What a mistake is stepped over as, with what ends it besides a statement's end and a closing brace.
STEPPED_OVER = {"statement": "", "member": "", "method": "", "option": "_COMMA", "arm": "_COMMA", "struct_field": "_COMMA"}

HANDED_ON: dict[tuple[int, int, str], int] = {}  # (state below, state, next token) to the state that long chains of rules lead to


class SyntaxMistake(Exception):
    """The builder refuses a construct that the grammar lets through."""

    def __init__(self, message: str, span: Span, *help: str):
        super().__init__(message)
        self.message, self.span, self.help = message, span, help


Report = Callable[[int, int, int, SyntaxMistake | None, Set[str]], None]


class Driver:
    """One parse. `report` is told every mistake: the token its statement begins with, the one where it shows, the one that ends the
    statement, what the builder says, and the kinds of tokens that could have stood there."""

    def __init__(self, source: Source, tokens: list[Token], builder: object, report: Report):
        self.source = source
        self.tokens = tokens
        self.builder = builder
        self.rules = reducers(type(builder))
        self.report = report
        self.states: list[int] = []
        self.marks: list[int] = []  # the token that was next when a state was entered
        self.values: list[Any] = []
        self.begins: list[int] = []
        self.ends: list[int] = []
        self.stepped_to = (-1, -1)

    def parse(self, start: str) -> Any:
        """The value of the start symbol; None where the text is beyond repair."""
        first, last = tables().starts[start]
        actions, gotos, rules, tokens = tables().actions, tables().gotos, self.rules, self.tokens
        states, marks, values, begins, ends = self.states, self.marks, self.values, self.begins, self.ends
        states.append(first)
        marks.append(0)
        index = 0
        while states[-1] != last:
            token = tokens[index]
            action = actions[states[-1]].get(token.kind)
            if action is None:
                index = self.step_over(index, None)
                if index < 0:
                    return None
            elif action >= 0:
                index += 1
                states.append(action)
                marks.append(index)
                values.append(token)
                begins.append(token.start)
                ends.append(token.end)
            else:
                origin, size, reduce = rules[~action]
                if reduce is None:
                    states[-1] = self.handed_on(states[-2], states[-1], token.kind)
                    continue
                try:
                    self.replace(size, reduce, token.start)
                except SyntaxMistake as mistake:
                    index = self.step_over(index, mistake)
                    if index < 0:
                        return None
                    continue
                if size:
                    del states[-size:], marks[-size:]
                states.append(gotos[states[-1]][origin])
                marks.append(index)
        return values[-1]

    def handed_on(self, below: int, state: int, kind: str) -> int:
        """The state after all rules that only hand their child on, such as those from `atom` up to `expr`."""
        key = (below, state, kind)
        known = HANDED_ON.get(key)
        if known is None:
            row = tables().gotos[below]
            action = tables().actions[state].get(kind, 0)
            while action < 0 and self.rules[~action][2] is None:
                state = row[self.rules[~action][0]]
                action = tables().actions[state].get(kind, 0)
            known = HANDED_ON[key] = state
        return known

    def replace(self, size: int, reduce: Reducer, at: int) -> None:
        """Puts the value of a rule in the place of its parts."""
        values, begins, ends = self.values, self.begins, self.ends
        if size == 0:
            begins.append(at)
            ends.append(at)
            values.append(reduce(self.builder, Span(self.source, at, at), []))
            return
        value = reduce(self.builder, Span(self.source, begins[-size], ends[-1]), values[-size:])
        end = ends[-1]
        del values[-size:], begins[1 - size or len(begins) :], ends[-size:]
        values.append(value)
        ends.append(end)

    def step_over(self, index: int, mistake: SyntaxMistake | None) -> int:
        """Drops the innermost statement around a mistake; the token to go on with, -1 where there is none."""
        gotos = tables().gotos
        expected = tables().actions[self.states[-1]].keys()
        while self.states:
            row = gotos[self.states[-1]]
            sort = next((name for name in STEPPED_OVER if name in row), None)
            if sort:
                break
            self.pop()
        else:
            self.report(0, index, len(self.tokens) - 1, mistake, expected)
            return -1
        first = self.marks[-1]
        after = self.end_of_statement(first, index, STEPPED_OVER[sort])
        self.report(first, index, after, mistake, expected)
        here = (after, len(self.states))
        if here == self.stepped_to:  # nothing was gained: even what ends the statement does not fit
            after += 1
        self.stepped_to = here
        self.push_nothing(row[sort], after, self.tokens[first].start)
        return after if after < len(self.tokens) else -1

    def push_nothing(self, state: int, index: int, place: int) -> None:
        self.states.append(state)
        self.marks.append(index)
        self.values.append(None)
        self.begins.append(place)
        self.ends.append(place)

    def pop(self) -> None:
        self.states.pop()
        self.marks.pop()
        if self.values:
            self.values.pop()
            self.begins.pop()
            self.ends.pop()

    def end_of_statement(self, first: int, index: int, also: str) -> int:
        """The token that ends the statement which begins at `first`, not before `index`."""
        place = first
        while True:
            token = self.tokens[place]
            if token.kind == END_OF_TEXT or (place >= index and token.kind in ("_END", "RBRACE", also)):
                return place
            place = max(place, token.partner) + 1


@cache
def reducers(builder: type) -> list[tuple[str, int, Reducer | None]]:
    """Every rule as its origin, its size and its reducer; made once, as signatures of builtins are many short texts."""
    return [(rule.origin, rule.size, reducer(rule, builder)) for rule in tables().rules]


def reducer(rule: Rule, builder: type) -> Reducer | None:
    """What turns the values of a rule's parts into its value; None for a rule that only hands on."""
    if rule.method == PASS:
        return None if rule.size == 1 else lambda builder, at, parts: parts[rule.picks[0]]
    if rule.method == COLLECT:
        return collector(rule)
    make = getattr(builder, "make_" + rule.method)
    picks = rule.picks
    if rule.spliced:
        return lambda builder, at, parts: make(builder, at, *spread(rule, parts))
    if picks == tuple(range(rule.size)):
        return lambda builder, at, parts: make(builder, at, *parts)
    return lambda builder, at, parts: make(builder, at, *[parts[p] if p != NOTHING else None for p in picks])


def collector(rule: Rule) -> Reducer:
    """A list grows in place, so that long ones take linear time."""
    if rule.spliced and rule.picks[0] == rule.spliced[0]:

        def grow(builder: object, at: Span, parts: list) -> list:
            grown = parts[rule.picks[0]]
            for pick in rule.picks[1:]:
                grown.extend(parts[pick]) if pick in rule.spliced else grown.append(parts[pick])
            return grown

        return grow
    return lambda builder, at, parts: spread(rule, parts)


def spread(rule: Rule, parts: list) -> list:
    """A rule's children, lists among them laid out flat; absent ones are None."""
    children: list[Any] = []
    for pick in rule.picks:
        if pick in rule.spliced:
            children.extend(parts[pick])
        else:
            children.append(parts[pick] if pick != NOTHING else None)
    return children
