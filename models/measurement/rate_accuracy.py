"""Accuracy against compression ratio, from outcome tables; needs no torch.

Differences are paired: the same clips through both. The interval of a difference of two shares of
the same clips is Newcombe's.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fadeline.models.errors import OutcomesError
from fadeline.models.measurement.outcomes import FROZEN, UNCOMPRESSED, Outcomes
from fadeline.models.proportion import Share

if TYPE_CHECKING:
    import pandas as pd

Answers = NDArray[np.bool_]

FLOAT_BITS_OVER_PIXEL_BITS = 4
"""Size of float32 pixels over 8-bit ones."""


@dataclass(frozen=True)
class PairedDifference:
    """How much more often one of two is right about the same clips.

    Attributes:
        both: Clips that both are right about.
        first: That only the first is.
        second: That only the second is.
        neither: That none is.
    """

    both: int
    first: int
    second: int
    neither: int

    @classmethod
    def of(cls, first: Answers, second: Answers) -> "PairedDifference":
        """Count answers to the same clips, right or not, both of shape (N,)."""
        return cls(
            int((first & second).sum()),
            int((first & ~second).sum()),
            int((~first & second).sum()),
            int((~first & ~second).sum()),
        )

    @property
    def value(self) -> float:
        """Share of the first less share of the second."""
        return (self.first - self.second) / self._count

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval.

        Source:
            Newcombe, "Improved confidence intervals for the difference between binomial proportions
            based on paired data", Statistics in Medicine 17, 1998, method 10.

        Example:
            >>> low, high = PairedDifference(36, 12, 2, 0).interval  # his table II
            >>> round(low, 4), round(high, 4)
            (0.0569, 0.3404)
        """
        one = Share(self.both + self.first, self._count)
        two = Share(self.both + self.second, self._count)
        phi = self._correlation
        p1, (low1, high1) = one.value, one.interval
        p2, (low2, high2) = two.value, two.interval

        def reach(a: float, b: float) -> float:
            return math.sqrt(max(a * a - 2.0 * phi * a * b + b * b, 0.0))

        return self.value - reach(p1 - low1, high2 - p2), self.value + reach(high1 - p1, p2 - low2)

    @property
    def _count(self) -> int:
        return self.both + self.first + self.second + self.neither

    @property
    def _correlation(self) -> float:
        """Newcombe's phi, with his correction for continuity where it is positive."""
        e, f, g, h = self.both, self.first, self.second, self.neither
        margins = (e + f) * (g + h) * (e + g) * (f + h)
        if margins == 0:
            return 0.0
        product = float(e * h - f * g)
        if product > 0:
            product = max(product - self._count / 2.0, 0.0)
        return product / math.sqrt(margins)


def rate_accuracy(outcomes: Outcomes) -> "pd.DataFrame":
    """Return a row for each codec, classifier and operating point, whole streams only.

    Columns, beside what their names say: `ratio` counts from 8-bit pixels, over the mean of all
    bytes sent; `..._difference` is the accuracy less that of the uncompressed clips, or of another
    codec at the operating point for the same ratio with the same classifier, over the same clips,
    `_lo` and `_hi` its 95 % interval, and `..._ratio` the ratio that the other really has. Times
    are medians on one core.

    Raises:
        OutcomesError: If the rows are not of the same clips.
    """
    import pandas as pd

    rows = outcomes.rows
    uncompressed = rows[rows.codec == UNCOMPRESSED]
    clips = np.sort(np.asarray(uncompressed.data_index))
    plain = _answers(uncompressed, clips)
    found: list[dict[str, Any]] = [
        {
            "codec": UNCOMPRESSED,
            "classifier": FROZEN,
            "ratio": 1.0,
            "ratio_to_float32": float(FLOAT_BITS_OVER_PIXEL_BITS),
            "bytes_mean": float(outcomes.raw_bytes),
            "bytes_p5": float(outcomes.raw_bytes),
            "bytes_p95": float(outcomes.raw_bytes),
            **_accuracy(plain),
        }
    ]
    groups = _groups(outcomes)
    found += [
        _row(outcomes, key, groups[key], plain, clips)
        | _against_deepisc(outcomes, key, groups, clips)
        for key in groups
    ]
    return pd.DataFrame(found)


_Key = tuple[str, str, float | str, int]
"""Codec, classifier, ratio aimed at (or which point, without one) and packets."""

_Group = tuple[int, Any]
"""Number of an operating point, and the rows of its whole streams."""


def _groups(outcomes: Outcomes) -> dict[_Key, _Group]:
    rows = outcomes.rows
    groups: dict[_Key, _Group] = {}
    for codec, facts in outcomes.codecs.items():
        for number, point in enumerate(facts.operating_points):
            here = rows[(rows.codec == codec) & (rows.operating_point == number)]
            whole = here[here.packets == point["packets"]]
            for classifier, group in whole.groupby("classifier", observed=True):
                # Without a ratio to aim at, as classic codecs are, each point stands for itself.
                aim = point.get("ratio", f"point {number}")
                key = (codec, str(classifier), aim, point["packets"])
                if key in groups:
                    raise OutcomesError(
                        f"{outcomes.data}: {codec} has two operating points for {aim:g}x"
                    )
                groups[key] = (number, group)
    return groups


def _row(
    outcomes: Outcomes, key: _Key, found: _Group, plain: Answers, clips: NDArray[np.int64]
) -> dict[str, Any]:
    (codec, classifier, ratio, packets), (number, group) = key, found
    answers, facts = _answers(group, clips), outcomes.codecs[codec]
    mean_bytes = float(group.bytes.mean())
    return {
        "codec": codec,
        "classifier": classifier,
        "operating_point": number,
        "packets": packets,
        "aimed_ratio": math.nan if isinstance(ratio, str) else ratio,
        "ratio": outcomes.raw_bytes / mean_bytes,
        "ratio_to_float32": FLOAT_BITS_OVER_PIXEL_BITS * outcomes.raw_bytes / mean_bytes,
        "bytes_mean": mean_bytes,
        "bytes_p5": float(group.bytes.quantile(0.05)),
        "bytes_p95": float(group.bytes.quantile(0.95)),
        **_accuracy(answers),
        **_difference("uncompressed", answers, plain),
        "psnr_db": float(group.psnr_db.mean()),
        "encode_s": facts.encode_s[number],
        "decode_s": facts.decode_s[number],
        "encoder_flops": facts.encoder.flops,
        "decoder_flops": facts.decoder.flops,
    }


def _against_deepisc(
    outcomes: Outcomes, key: _Key, groups: dict[_Key, _Group], clips: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the differences from the baselines at the same ratio, where these were measured."""
    codec, classifier, ratio, packets = key
    row: dict[str, Any] = {}
    for other in ("deepisc", "deepisc-task"):
        theirs = groups.get((other, classifier, ratio, packets))
        if other != codec and theirs is not None:
            mine = _answers(groups[key][1], clips)
            row |= _difference(other, mine, _answers(theirs[1], clips))
            name = f"{other.replace('-', '_')}_ratio"
            row[name] = outcomes.raw_bytes / float(theirs[1].bytes.mean())
    return row


def _answers(group: "pd.DataFrame", clips: NDArray[np.int64]) -> Answers:
    """Return which clips were answered rightly, in order.

    Raises:
        OutcomesError: If these are not the clips of the other rows, each once.
    """
    ordered = group.sort_values("data_index")
    if not np.array_equal(np.asarray(ordered.data_index), clips):
        codec = ordered.codec.iloc[0] if len(ordered) else UNCOMPRESSED
        raise OutcomesError(f"the rows of {codec} are not of the same clips as the others")
    return np.asarray(ordered.correct, dtype=np.bool_)


def _accuracy(answers: Answers) -> dict[str, float]:
    share = Share(int(answers.sum()), len(answers))
    low, high = share.interval
    return {"accuracy": share.value, "accuracy_lo": low, "accuracy_hi": high}


def _difference(other: str, mine: Answers, theirs: Answers) -> dict[str, float]:
    difference = PairedDifference.of(mine, theirs)
    low, high = difference.interval
    name = f"{other.replace('-', '_')}_difference"
    return {name: difference.value, f"{name}_lo": low, f"{name}_hi": high}
