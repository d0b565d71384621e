"""The LALR tables of `grammar/tensorlogic.lark`: made by Lark here, shipped as `tables.json`, read without Lark.

`python -m tensorlogic.syntax.grammar` writes the tables anew. A checkout whose grammar was edited since makes them in memory.
"""

import json
import zlib
from functools import cache
from pathlib import Path

from tensorlogic.record import record

HERE = Path(__file__).parent
TABLES = HERE / "tables.json"
STARTS = ("module", "signature", "expression")

PASS = ""  # the method of a rule that hands on its only child
COLLECT = "*"  # the method of a rule that is a list, spliced into its parent
NOTHING = -1  # among a rule's picks: an optional part that is absent


@record
class Rule:
    """A rule takes `size` values; `picks` are the places of those that reach `method`, `spliced` those that are lists."""

    origin: str
    size: int
    method: str
    picks: tuple[int, ...]
    spliced: tuple[int, ...]


@record
class Tables:
    """`actions[state][terminal]` is the next state, or `~rule` to reduce; `gotos[state][nonterminal]` a state."""

    digest: str
    starts: dict[str, tuple[int, int]]
    patterns: dict[str, str]
    words: dict[str, str]
    soft_words: dict[str, str]
    symbols: dict[str, str]
    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]


@cache
def tables() -> Tables:
    """The tables of this installation."""
    shipped = json.loads(TABLES.read_text(encoding="utf-8")) if TABLES.exists() else None
    file = grammar_file()
    grammar = file.read_text(encoding="utf-8") if file else None
    if grammar is not None and (shipped is None or shipped["digest"] != digest_of(grammar)):
        return unpacked(generated(grammar))
    assert shipped is not None, "neither the grammar nor its tables are installed"
    return unpacked(shipped)


def grammar_file() -> Path | None:
    """The grammar: inside the package in a wheel, beside it in a checkout; None where only the tables were installed."""
    places = (HERE.parent / "grammar" / "tensorlogic.lark", HERE.parent.parent / "grammar" / "tensorlogic.lark")
    return next((p for p in places if p.is_file()), None)


def digest_of(grammar: str) -> str:
    return f"{zlib.crc32(grammar.replace(chr(13), '').encode()):08x}"


def unpacked(data: dict) -> Tables:
    names = data["names"]
    return Tables(
        digest=data["digest"],
        starts={k: tuple(v) for k, v in data["starts"].items()},
        patterns=data["patterns"],
        words=data["words"],
        soft_words=data["soft_words"],
        symbols=data["symbols"],
        actions=[dict(zip([names[n] for n in row[::2]], row[1::2], strict=True)) for row in data["actions"]],
        gotos=[dict(zip([names[n] for n in row[::2]], row[1::2], strict=True)) for row in data["gotos"]],
        rules=[Rule(o, s, m, tuple(p), tuple(x)) for o, s, m, p, x in data["rules"]],
    )


def generated(grammar: str) -> dict:
    """The tables of a grammar, as plain data. Needs Lark."""
    lark = lark_of(grammar)
    table = lark.parser.parser._parse_table
    rules = sorted((packed_rule(rule), n) for n, rule in enumerate(lark.rules))
    numbers = {lark.rules[n]: place for place, (_, n) in enumerate(rules)}
    order = state_order(table)
    names: dict[str, int] = {}
    actions, gotos = [], []
    for state in order:
        row = table.states[state].items()
        row = {name: order[arg] if str(action) == "Shift" else ~numbers[arg] for name, (action, arg) in row}
        actions.append(flat({n: a for n, a in row.items() if is_terminal(n)}, names))
        gotos.append(flat({n: a for n, a in row.items() if not is_terminal(n)}, names))
    return {
        "digest": digest_of(grammar),
        "starts": {s: [order[table.start_states[s]], order[table.end_states[s]]] for s in STARTS},
        **tokens_of(lark),
        "names": list(names),
        "actions": actions,
        "gotos": gotos,
        "rules": [packed for packed, _ in rules],
    }


def state_order(table) -> dict[int, int]:
    """New numbers for Lark's states, which change from run to run: as met from the start states, symbols in order."""
    met = [table.start_states[s] for s in STARTS]
    order = {state: n for n, state in enumerate(met)}
    for state in met:  # grows while it is read
        for _, (action, arg) in sorted(table.states[state].items()):
            if str(action) == "Shift" and arg not in order:
                order[arg] = len(order)
                met.append(arg)
    return order


def lark_of(grammar: str, strict: bool = False):
    """A Lark parser without a lexer: tokens come from `layout.py`. `strict` makes every conflict an error."""
    from lark import Lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        __future_interface__ = 2

        def __init__(self, lexer_conf):
            pass

        def lex(self, lexer_state, parser_state):
            return iter(())

    return Lark(grammar, parser="lalr", lexer=NoLexer, start=list(STARTS), maybe_placeholders=True, strict=strict)


def is_terminal(name: str) -> bool:
    return name == "$END" or name.isupper()


def flat(row: dict[str, int], names: dict[str, int]) -> list[int]:
    return [number for name, arg in sorted(row.items()) for number in (names.setdefault(name, len(names)), arg)]


def tokens_of(lark) -> dict:
    """The patterns of the terminals, by sort: regular expressions, words, words that are keywords in places, symbols."""
    found: dict[str, dict[str, str]] = {"patterns": {}, "words": {}, "soft_words": {}, "symbols": {}}
    for terminal in lark.terminals:
        pattern = terminal.pattern
        if pattern.type == "re":
            found["patterns"][terminal.name] = pattern.to_regexp()
        elif not pattern.value[0].isalpha():
            found["symbols"][pattern.value] = terminal.name
        else:
            found["soft_words" if terminal.priority else "words"][pattern.value] = terminal.name
    return found


def packed_rule(rule) -> list:
    """[origin, size, method, picks, spliced]: Lark's conventions for which children a rule keeps."""
    absent = "".join(str(int(b)) for b in rule.options.empty_indices).split("0") or [""]
    picks: list[int] = []
    spliced: list[int] = []
    for place, symbol in enumerate(rule.expansion):
        picks += [NOTHING] * (len(absent[place]) if place < len(absent) else 0)
        if symbol.is_term and symbol.filter_out:
            continue
        picks.append(place)
        if not symbol.is_term and symbol.name.startswith("_"):
            spliced.append(place)
    picks += [NOTHING] * (len(absent[-1]) if len(absent) == len(rule.expansion) + 1 else 0)
    origin = str(rule.origin.name)
    return [origin, len(rule.expansion), method_of(rule, origin, picks, spliced), picks, spliced]


def method_of(rule, origin: str, picks: list[int], spliced: list[int]) -> str:
    if origin.startswith("_"):
        return COLLECT
    if rule.alias:
        return str(rule.alias)
    if rule.options.expand1 and len(picks) == 1 and not spliced:
        return PASS
    return origin


def write() -> None:
    grammar = grammar_file()
    assert grammar is not None, "the grammar is not installed"
    data = generated(grammar.read_text(encoding="utf-8"))
    TABLES.write_text(json.dumps(data, separators=(",", ":"), ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
