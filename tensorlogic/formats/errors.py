"""What is wrong with a model file: the error that every reader here raises, and text from a file made safe to print."""

from dataclasses import dataclass

from tensorlogic.diagnostics.diagnostic import Diagnostic

PICKLE_ADVICE = (
    "convert it in a place you trust: "
    '`safetensors.torch.save_file(torch.load("model.pt", weights_only=True), "model.safetensors")` on a plain state dict'
)


def shown(text: object, limit: int = 80) -> str:
    """`text` on one printable line of at most about `limit` characters: what a file says must not steer a terminal."""
    raw = str(text)
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in raw[: limit + 1])
    return escaped if len(raw) <= limit and len(escaped) <= 2 * limit else escaped[: limit - 3] + "..."


@dataclass(slots=True)
class Malformed(Exception):
    """A reader's finding before the file's name is known. `place` is a byte offset, a key or a tensor."""

    reason: str
    place: str = ""
    advice: str = ""
    code: str = "TL0604"


class FormatError(Exception):
    """A model file that is refused: TL0604 malformed, TL0605 unsafe, TL0606 not found."""

    def __init__(self, code: str, path: str, reason: str, place: str = "", advice: str = ""):
        self.code, self.path, self.reason, self.place, self.advice = code, path, reason, place, advice
        super().__init__(f"{code}: {self.message}" + (f" ({place})" if place else ""))

    @property
    def message(self) -> str:
        return f"`{shown(self.path, 200)}` {self.reason}"

    def diagnostic(self) -> Diagnostic:
        """The same as a message of the compiler: about a file, without a place in a program."""
        return Diagnostic(
            self.code,
            self.message,
            notes=(f"at {self.place}",) if self.place else (),
            help=(self.advice,) if self.advice else (),
            file=self.path,
        )
