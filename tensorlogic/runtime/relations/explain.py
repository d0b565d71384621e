"""Proofs: for each fact the rule and the facts that it was first derived from, down to what the program said."""

from tensorlogic.runtime.relations.engine import Engine


def proofs(engine: Engine, relation: str, facts: list[tuple]) -> str:
    return ""
