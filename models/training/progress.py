"""How far a training is, for whoever watches."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stage of a training is.

    Attributes:
        stage: Its name, such as `step joint`.
        done: Steps or clips that are done ...
        total: ... out of how many.
        figures: Epoch, loss and the like; empty where there are none.
    """

    stage: str
    done: int
    total: int
    figures: str = ""


Tell = Callable[[Progress], None]


def counted(stage: str, tell: Tell | None) -> Callable[[int, int], None] | None:
    """Return a callback (done, total) that tells how far a stage is; None if nobody watches."""
    if tell is None:
        return None
    return lambda done, total: tell(Progress(stage, done, total))
