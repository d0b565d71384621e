"""Relations while a program runs: facts, rules, queries, and their tensors."""

from tensorlogic.runtime.relations.bridge import apply as apply, embed as embed
from tensorlogic.runtime.relations.program import Program as Program
from tensorlogic.runtime.relations.terms import (
    Aggregate as Aggregate,
    Arithmetic as Arithmetic,
    Atom as Atom,
    Compare as Compare,
    Entities as Entities,
    Known as Known,
    Not as Not,
    Relation as Relation,
    Rule as Rule,
)
