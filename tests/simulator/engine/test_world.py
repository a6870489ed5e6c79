"""Tiny worlds, whose every event is known by hand."""

from math import nan

import numpy as np
import pytest

from fadeline.channels.trace import LinkTrace
from tests.simulator.worlds import fixed_clip, outcomes_of, times, world


def test_a_clip_alone():
    found = world([(1.0, 0.5, 2000.0, 0.25, 0.2)])
    assert times(found, 0) == pytest.approx([1.0, 1.5, 1.5, 3.5, 3.6, 3.6, 3.85, 3.95])
    assert outcomes_of(found) == ["done"]
    assert found["airtime_s"][0] == pytest.approx(2.0)
    assert found["snr_s"][0] == pytest.approx(6.0)


def test_a_device_encodes_one_clip_while_it_sends_another():
    found = world([(0.0, 1.0, 2000.0, 0.0), (0.5, 1.0, 1000.0, 0.0)])
    assert times(found, 0)[:4] == [0.0, 1.0, 1.0, 3.0]
    assert times(found, 1)[:4] == [1.0, 2.0, 3.0, 4.0]  # waits for the modem from 2 to 3


@pytest.mark.parametrize(("when_full", "lost"), [("drop-oldest", 1), ("drop-newest", 2)])
def test_one_clip_too_many_waits(when_full, lost):
    clips = [(0.0, 3.0, 10.0, 0.0), (1.0, 3.0, 10.0, 0.0), (2.0, 3.0, 10.0, 0.0)]
    found = world(clips, queue=(1, when_full))
    assert [n for n, name in enumerate(outcomes_of(found)) if name == "dropped_device"] == [lost]
    assert found["lost_s"][lost] == 2.0


def test_those_to_be_sent_count_as_waiting_too():
    clips = [(0.0, 0.5, 5000.0, 0.0), (0.5, 0.5, 10.0, 0.0), (1.0, 0.5, 10.0, 0.0)]
    found = world(clips, queue=(1, "drop-oldest"))
    # The first is on the air until 5.5; the second waits from 1.0 on, until the third joins it.
    assert outcomes_of(found) == ["done", "dropped_device", "done"]
    assert found["lost_s"][1] == 1.5
    assert found["encoded_s"][1] == 1.0


def test_nobody_may_wait():
    found = world([(0.0, 1.0, 10.0, 0.0), (0.5, 1.0, 10.0, 0.0)], queue=(0, "drop-oldest"))
    assert outcomes_of(found) == ["done", "dropped_device"]


def test_two_share_the_band_equally():
    found = world([(0.0, 0.0, 1000.0, 0.0)], [(0.5, 0.0, 1000.0, 0.0)])
    assert found["sent_s"].tolist() == pytest.approx([1.5, 2.0])
    assert found["airtime_s"].tolist() == pytest.approx([1.0, 1.0])  # half of the time each


def test_those_who_come_first_send_first():
    found = world([(0.0, 0.0, 1000.0, 0.0)], [(0.5, 0.0, 1000.0, 0.0)], sharing="fifo")
    assert found["tx_start_s"].tolist() == [0.0, 1.0]
    assert found["sent_s"].tolist() == [1.0, 2.0]


def test_everyone_has_a_part_of_the_band():
    found = world([(0.0, 0.0, 1000.0, 0.0)], [(0.5, 0.0, 1000.0, 0.0)], sharing="fdma")
    assert found["sent_s"].tolist() == [1.0, 1.5]


@pytest.mark.parametrize("sharing", ["equal", "fifo", "fdma"])
def test_an_outage_only_takes_time(sharing):
    trace = LinkTrace.uniform([1000.0, 0.0, 0.0, 1000.0], 1.0, [1.0, 0.0, 0.0, 1.0])
    found = world([(0.5, 0.0, 1000.0, 0.0)], traces=[trace], end_s=4.0, sharing=sharing)
    assert found["sent_s"][0] == 3.5
    assert found["snr_s"][0] == pytest.approx(1.0)


@pytest.mark.parametrize("sharing", ["equal", "fifo", "fdma"])
def test_what_the_end_cuts_off_is_unfinished(sharing):
    found = world([(1.0, 0.5, 9000.0, 0.0)], end_s=5.0, sharing=sharing)
    assert outcomes_of(found) == ["unfinished"]
    assert times(found, 0)[:3] == [1.0, 1.5, 1.5]
    assert np.isnan(times(found, 0)[3:]).all()
    assert found["airtime_s"][0] == 3.5


@pytest.mark.parametrize(
    ("order", "expected"), [("fifo", [1, 2, 3]), ("lifo", [3, 2, 1]), ("shortest", [2, 3, 1])]
)
def test_order_at_the_edge(order, expected):
    waiting = [(1.0, 0.0, 0.0, 3.0), (2.0, 0.0, 0.0, 1.0), (3.0, 0.0, 0.0, 2.0)]
    found = world([(0.0, 0.0, 0.0, 10.0)], *([row] for row in waiting), order=order)
    starts = found["edge_start_s"][1:]
    assert (1 + np.argsort(starts)).tolist() == expected


def test_the_first_born_goes_first():
    late, early = [(2.0, 0.0, 0.0, 1.0)], [(1.0, 3.0, 0.0, 1.0)]
    found = world([(0.0, 0.0, 0.0, 10.0)], late, early, order="edf")
    assert found["edge_start_s"][1:].tolist() == [11.0, 10.0]


def test_a_full_edge_turns_clips_away():
    found = world(*([(float(k), 0.0, 0.0, 10.0)] for k in range(3)), limit=1)
    assert outcomes_of(found) == ["done", "done", "dropped_edge"]
    assert found["lost_s"][2] == 2.0


def test_two_workers():
    found = world(*([(float(k), 0.0, 0.0, 10.0)] for k in range(3)), workers=2)
    assert found["edge_start_s"].tolist() == [0.0, 1.0, 10.0]


def test_the_edge_gives_up_what_is_too_old():
    found = world(*([(float(k), 0.0, 0.0, 10.0)] for k in range(3)), drop_after_s=9.5)
    assert outcomes_of(found) == ["done", "done", "dropped_edge"]
    assert found["edge_start_s"].tolist()[:2] == [0.0, 10.0]
    assert found["lost_s"][2] == 20.0


def test_what_comes_too_late_is_given_up_by_an_idle_edge_too():
    found = world([(0.0, 5.0, 0.0, 3.0)], [(6.0, 0.0, 0.0, 0.5)], drop_after_s=1.0)
    assert outcomes_of(found) == ["dropped_edge", "done"]
    assert found["done_s"][1] == 6.5


def test_a_batch_is_full_or_has_waited_long_enough():
    births = [0.0, 0.4, 5.0, 20.0, 20.1]
    found = world(*([(born, 0.0, 0.0, 1.0)] for born in births), batch_size=2, batch_wait_s=1.0)
    assert found["edge_start_s"].tolist() == [0.4, 0.4, 6.0, 20.1, 20.1]
    assert found["batch_size"].tolist() == [2, 2, 1, 2, 2]


def test_without_waiting_a_batch_is_what_is_there():
    births = [0.0, 0.2, 0.4, 0.6]
    found = world(*([(born, 0.0, 0.0, 1.0)] for born in births), batch_size=2)
    assert found["edge_start_s"].tolist() == [0.0, 1.0, 1.0, 3.0]


def test_ties_go_by_device_then_number():
    same = [(1.0, 0.0, 0.0, 1.0)]
    found = world(same, same, same)
    assert found["edge_start_s"].tolist() == [1.0, 2.0, 3.0]


def test_an_answer_after_the_end_has_not_happened():
    found = world([(0.0, 0.0, 0.0, 1.0, 2.0)], end_s=2.5)
    assert times(found, 0)[-2:] == pytest.approx([2.0, nan], nan_ok=True)
    assert outcomes_of(found) == ["unfinished"]


def test_a_local_answer_sends_nothing():
    found = world([lambda order: fixed_clip(order, 1.0, 0.5, 0.0, 0.0, local=True)])
    assert outcomes_of(found) == ["local"]
    assert found["done_s"][0] == 1.5
    assert np.isnan(found["tx_start_s"][0])
    assert found["computed_s"][0] == 0.5


# Access to the band


def test_a_modem_with_nothing_to_send_asks_first():
    found = world([(0.0, 1.0, 1000.0, 0.0)], access_delay_s=0.25)
    assert times(found, 0)[:4] == [0.0, 1.0, 1.25, 2.25]
    assert found["airtime_s"][0] == pytest.approx(1.0)  # asking takes none of the band


def test_a_modem_that_goes_on_sending_asks_for_more_with_what_it_sends():
    clips = [(0.0, 0.0, 1000.0, 0.0), (0.5, 0.0, 1000.0, 0.0), (5.0, 0.0, 1000.0, 0.0)]
    found = world(clips, access_delay_s=0.25)
    assert found["tx_start_s"].tolist() == [0.25, 1.25, 5.25]


def test_a_clip_that_comes_while_another_asks_waits_its_turn():
    found = world([(0.0, 0.0, 1000.0, 0.0), (0.1, 0.0, 1000.0, 0.0)], access_delay_s=0.25)
    assert found["tx_start_s"].tolist() == [0.25, 1.25]


def test_who_asks_does_not_share_the_band_yet():
    found = world([(0.0, 0.0, 1000.0, 0.0)], [(1.0, 0.0, 1000.0, 0.0)], access_delay_s=0.5)
    assert found["sent_s"].tolist() == [1.5, 2.5]


def test_no_band_before_the_end_is_no_airtime():
    found = world([(0.0, 0.0, 1000.0, 0.0)], access_delay_s=5.0, end_s=4.0)
    assert np.isnan(found["tx_start_s"][0])
    assert found["airtime_s"][0] == 0.0
