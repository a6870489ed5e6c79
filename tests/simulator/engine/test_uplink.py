"""Sharing the band, against integrating it slot by slot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadeline.channels.trace import LinkTrace
from tests.simulator.worlds import world

SLOT_S = 1.0 / 64.0
STEPS = 12


def slot_by_slot(traces, clips, sharing):
    """Return when each clip is sent, counting the bits of every slot.

    Starts and borders of steps are whole slots; ends inside of one are found by going through the
    slot in parts, as the number who send changes.
    """
    left = [bits for _, bits in clips]
    ends = [np.inf] * len(clips)
    queue = sorted(range(len(clips)), key=lambda n: (clips[n][0], n))
    for slot in range(int(STEPS / SLOT_S)):
        now, until = slot * SLOT_S, (slot + 1) * SLOT_S
        while now < until:
            active = [n for n in queue if clips[n][0] <= slot * SLOT_S and ends[n] == np.inf]
            if sharing == "fifo":
                active = active[:1]
            if not active:
                break
            rates = {n: traces[n][int(slot * SLOT_S)] / len(active) for n in active}
            needed = {n: left[n] / rates[n] if rates[n] else np.inf for n in active}
            first = min(active, key=lambda n: (needed[n], n))
            step = min(needed[first], until - now)
            for n in active:
                left[n] -= rates[n] * step
            now += step
            if step == needed[first]:
                ends[first] = now
                left[first] = 0.0
    return ends


@settings(max_examples=60, deadline=None)
@given(
    rates=st.lists(
        st.lists(st.sampled_from([0.0, 16.0, 64.0, 100.0]), min_size=STEPS, max_size=STEPS),
        min_size=3,
        max_size=3,
    ),
    clips=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 400)), min_size=3, max_size=3),
    sharing=st.sampled_from(["equal", "fifo"]),
)
def test_a_transfer_is_the_same_in_one_event_as_slot_by_slot(rates, clips, sharing):
    clips = [(start * SLOT_S, float(bits)) for start, bits in clips]
    traces = [LinkTrace.uniform(rate, 1.0) for rate in rates]
    rows = ([(start, 0.0, bits, 0.0)] for start, bits in clips)
    found = world(*rows, traces=traces, sharing=sharing, end_s=float(STEPS))
    expected = np.array(slot_by_slot(rates, clips, sharing))
    sent_s = np.nan_to_num(found["sent_s"], nan=np.inf)
    both = np.minimum(sent_s, expected) < STEPS - 1e-6
    assert sent_s[both] == pytest.approx(expected[both], abs=1e-6)


def test_a_link_without_snr_has_none_on_the_air():
    found = world([(0.0, 0.0, 100.0, 0.0)], traces=[LinkTrace.uniform([100.0] * 5, 1.0)], end_s=5.0)
    assert np.isnan(found["snr_s"][0])
    assert found["airtime_s"][0] == 1.0
