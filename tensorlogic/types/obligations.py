"""What must hold for an expression to be right: proved on the spot, refuted as a mistake, or left to a guard."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import NEGATED, Goal, Rel
from tensorlogic.types.mistakes import Mistake, Witness
from tensorlogic.types.prove import Proved, Refuted, prove


@dataclass
class Obligations:
    """Collects the outcome of one call or operation. Shape functions and `infer=` functions talk to this."""

    facts: Facts
    mistakes: list[Mistake] = field(default_factory=list)
    guards: list[Goal] = field(default_factory=list)

    def require(self, goal: Goal, mistake: Callable[[Witness], Mistake], *, certain: bool = False) -> bool:
        """Whether the goal may be relied upon. Refuted goals give the mistake, unknown ones a guard.

        With `certain` (bounds of indices, slices, kernels) only a goal that is false for every admissible size is a mistake;
        otherwise the operation itself checks at run time.
        """
        answer = prove(goal, self.facts)
        if isinstance(answer, Proved):
            return True
        if certain:
            return self._never(goal, mistake)
        if isinstance(answer, Refuted):
            self.mistakes.append(mistake(answer.witness))
            return False
        self.guards.append(goal)
        return True

    def _never(self, goal: Goal, mistake: Callable[[Witness], Mistake]) -> bool:
        if isinstance(goal, Rel) and self.holds(Rel(NEGATED[goal.op], goal.left, goal.right)):
            self.mistakes.append(mistake({}))
            return False
        return True

    def holds(self, goal: Goal) -> bool:
        """Whether the goal is proved; asks without obliging anybody."""
        return isinstance(prove(goal, self.facts), Proved)

    def refuted(self, goal: Goal) -> bool:
        return isinstance(prove(goal, self.facts), Refuted)

    def fail(self, mistake: Mistake) -> None:
        self.mistakes.append(mistake)
