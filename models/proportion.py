"""A share of clips, with the interval that its number of clips allows."""

import math
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
"""Confidence level of every interval here; the customary one."""


@dataclass(frozen=True)
class Share:
    """Some clips of many.

    Attributes:
        correct: How many.
        count: Of how many.

    Raises:
        ValueError: If there are none, or `correct` is not among them.
    """

    correct: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.count or self.count == 0:
            raise ValueError(f"{self.correct} of {self.count} clips is no share")

    @property
    def value(self) -> float:
        """The share itself, in [0, 1]."""
        return self.correct / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval, which stays in [0, 1] and has an extent at 0 and 1.

        Source:
            Wilson, "Probable inference, the law of succession, and statistical inference", JASA
            22(158), 1927.

        Example:
            >>> low, high = Share(8, 10).interval
            >>> round(low, 4), round(high, 4)
            (0.4902, 0.9433)
        """
        n, p = self.count, self.value
        z = NormalDist().inv_cdf(0.5 + LEVEL / 2.0)
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        return max(middle - half, 0.0), min(middle + half, 1.0)

    def agrees_with(self, other: "Share") -> bool:
        """Return whether the interval of the difference holds zero.

        Source:
            Newcombe, "Interval estimation for the difference between independent proportions",
            Statistics in Medicine 17, 1998, method 10. Shares of the same clips differ by less,
            so for them the test is lenient.

        Example:
            >>> half = Share(50, 100)
            >>> half.agrees_with(Share(60, 100)), half.agrees_with(Share(70, 100))
            (True, False)
        """
        higher, lower = (self, other) if self.value >= other.value else (other, self)
        slack = math.hypot(higher.value - higher.interval[0], lower.interval[1] - lower.value)
        return higher.value - lower.value <= slack
