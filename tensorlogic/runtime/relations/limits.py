"""The limits of a run that the command line sets."""

MAX_FACTS = 10_000_000  # of a recursion that makes new numbers


def use(max_facts: int) -> None:
    """Sets the limit for what is evaluated from now on."""
    global MAX_FACTS
    MAX_FACTS = max_facts
