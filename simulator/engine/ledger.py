"""The ledger: what became of every clip, as columns."""

from math import nan

import numpy as np
from numpy.typing import NDArray

from fadeline.simulator.engine.clip import Clip
from fadeline.simulator.engine.clock import FIRST
from fadeline.simulator.engine.records import OUTCOMES, PLACES, UNFINISHED, WAY, Columns

TIMES = (*WAY, "lost_s")
"""Columns that are times; NaN for what did not happen."""

_KEPT = (
    *TIMES,
    "computed_s",
    "sent_bits",
    "batch_size",
    "attempts",
    "airtime_s",
    "snr_s",
    "column",
    "outcome",
    "lost_in",
)


class Ledger:
    """A row for every clip, by its order.

    Args:
        clips: Number of clips.
        end_s: End of the simulated time: what ends later has not happened.

    Attributes:
        ended: Clips that have ended since somebody emptied this list, if anybody does.
    """

    def __init__(self, clips: int, end_s: float) -> None:
        self.end_s = end_s
        self.rows: NDArray[np.float64] = np.full((clips, len(_KEPT)), nan)
        self.alive: dict[int, Clip] = {}
        self.ended: list[Clip] | None = None

    def begin(self, clip: Clip) -> None:
        """Note a birth."""
        self.alive[clip.order] = clip

    def end(self, clip: Clip) -> None:
        """Note what became of a clip."""
        del self.alive[clip.order]
        self._write(clip)
        if self.ended is not None:
            self.ended.append(clip)

    def close(self) -> Columns:
        """Return the columns, with clips that are still on their way as unfinished."""
        for clip in self.alive.values():
            self._write(clip)
        self.alive.clear()
        columns: Columns = dict(zip(_KEPT, self.rows.T, strict=True))
        late = columns["done_s"] > self.end_s
        columns["outcome"][late] = OUTCOMES.index(UNFINISHED)
        for name in TIMES:
            columns[name][columns[name] > self.end_s] = nan
        return columns

    def _write(self, clip: Clip) -> None:
        self.rows[clip.order - FIRST] = (
            clip.born_s,
            clip.encode_start_s,
            clip.encoded_s,
            clip.tx_start_s,
            clip.sent_s,
            clip.edge_arrive_s,
            clip.edge_start_s,
            clip.inferred_s,
            clip.done_s,
            clip.lost_s,
            clip.computed_s,
            clip.sent_bits,
            clip.batch_size,
            clip.attempts,
            clip.airtime_s,
            clip.snr_s,
            clip.column,
            OUTCOMES.index(clip.outcome),
            PLACES.index(clip.lost_in),
        )
