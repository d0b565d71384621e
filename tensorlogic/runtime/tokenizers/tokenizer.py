"""What a program sees of a tokenizer, whatever its algorithm."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import shown


class Algorithm(Protocol):
    """How text becomes ids. `tokens` are all of its tokens as they are written in files."""

    @property
    def tokens(self) -> Mapping[str, int]: ...

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(slots=True)
class Tokenizer:
    """`added` are tokens beside those of the algorithm, found whole in a text: always, or if they are among `special` when asked to."""

    algorithm: Algorithm
    added: Mapping[str, int] = field(default_factory=dict)
    special: frozenset[str] = frozenset()
    bos: int | None = None
    eos: int | None = None
    vocab_size: int = field(init=False)  # one more than the highest id: the rows that an embedding needs
    names: dict[int, str] = field(init=False)  # of the added tokens

    def __post_init__(self) -> None:
        self.vocab_size = 1 + max((*self.algorithm.tokens.values(), *self.added.values()), default=-1)
        self.names = {id: token for token, id in self.added.items()}

    @property
    def eos_id(self) -> int:
        return self._known(self.eos, "end")

    @property
    def bos_id(self) -> int:
        return self._known(self.bos, "beginning")

    def token_id(self, token: str) -> int:
        """The id of one token as it is written in files. TL0602 where there is none."""
        found = self.added.get(token, self.algorithm.tokens.get(token))
        if found is None:
            raise TensorLogicError(Diagnostic("TL0602", f"the tokenizer has no token `{shown(token)}`"))
        return found

    def encode(self, text: str, special: bool = False) -> Tensor:
        """int64[ids]. With `special`, the names of special tokens in the text become these; otherwise they are text like any other."""
        found: list[int] = []
        for part, id in self._parts(text, special):
            found += self.algorithm.encode(part) if id is None else [id]
        return torch.tensor(found, dtype=torch.int64)

    def decode(self, ids: Tensor | Sequence[int]) -> str:
        """The text of ids (of one axis). TL0310 for an id that is none."""
        parts, run = [], []
        for id in ids.tolist() if isinstance(ids, Tensor) else ids:
            if id in self.names:
                parts += [self.algorithm.decode(run) if run else "", self.names[id]]
                run = []
            elif 0 <= id < self.vocab_size:
                run.append(id)
            else:
                raise TensorLogicError(Diagnostic("TL0310", f"{id} is no token: ids go from 0 to {self.vocab_size - 1}"))
        return "".join(parts) + (self.algorithm.decode(run) if run else "")

    def _parts(self, text: str, special: bool) -> Iterator[tuple[str, int | None]]:
        """The text between added tokens, and these with their ids."""
        looked_for = sorted((token for token in self.added if special or token not in self.special), key=len, reverse=True)
        pattern = "|".join(map(re.escape, looked_for))
        for part in re.split(f"({pattern})", text) if pattern else [text]:
            if part:
                yield part, self.added[part] if part in looked_for else None

    def _known(self, id: int | None, what: str) -> int:
        if id is None:
            raise TensorLogicError(Diagnostic("TL0602", f"this tokenizer has no token for the {what} of a text"))
        return id
