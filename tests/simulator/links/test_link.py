"""What a link says of a transfer."""

from math import inf

import numpy as np
import pytest

from fadeline.channels.trace import LinkTrace
from fadeline.simulator.links.link import Link

TRACE = LinkTrace.uniform([1000.0, 0.0, 0.0, 1000.0], 1.0, [2.0, 0.0, 0.0, 4.0])


def test_a_transfer_that_has_the_link_to_itself():
    sent = Link(TRACE, 4.0).transfer(0.5, 1000.0)
    assert (sent.finish_s, sent.delivered, sent.attempts) == (3.5, True, 1)
    assert sent.airtime_s == 3.0
    assert sent.mean_snr == pytest.approx((0.5 * 2.0 + 0.5 * 4.0) / 3.0)


def test_what_does_not_end_is_not_delivered():
    sent = Link(TRACE, 4.0).transfer(3.5, 1000.0)
    assert (sent.finish_s, sent.delivered, sent.airtime_s) == (inf, False, 0.5)


@pytest.mark.parametrize(("start_s", "bits", "attempts"), [(0.0, 500.0, 1), (0.5, 1000.0, 3)])
def test_attempts_are_those_of_the_block_that_took_most(start_s, bits, attempts):
    lost = np.array([False, True, True, False])
    assert Link(TRACE, 4.0, lost).transfer(start_s, bits).attempts == attempts
