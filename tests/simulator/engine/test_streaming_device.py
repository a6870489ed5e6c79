"""Frames that are encoded and sent while the clip is still filmed."""

import numpy as np
import pytest

from fadeline.simulator.engine.records import OUTCOMES
from tests.simulator.worlds import streamed

END_S = 50.0


def test_only_the_last_frame_is_left_when_the_clip_is_born():
    found = streamed(([1.0, 2.0, 3.0], 0.25, [500.0, 500.0, 500.0]))
    assert found["encode_start_s"][0] == 1.0
    assert found["tx_start_s"][0] == 1.25
    assert found["encoded_s"][0] == 3.25
    assert found["sent_s"][0] == 3.75  # the third frame: 0.25 s to encode, 0.5 s to send
    assert found["done_s"][0] == 4.25
    assert found["airtime_s"][0] == pytest.approx(1.5)
    assert found["snr_s"][0] == pytest.approx(4.5)
    assert found["computed_s"][0] == pytest.approx(0.75)
    assert found["sent_bits"][0] == 1500.0


def test_a_slow_link_lets_frames_pile_up():
    found = streamed(([0.0, 1.0], 0.0, [3000.0, 1000.0]))
    assert found["sent_s"][0] == 4.0


def test_a_slow_processor_does_one_frame_after_the_other():
    found = streamed(([0.0, 1.0], 2.0, [100.0, 100.0]))
    assert found["encoded_s"][0] == 4.0
    assert found["sent_s"][0] == 4.1


def test_streams_share_the_band():
    found = streamed(([0.0], 0.0, [1000.0]), devices=2)
    assert found["sent_s"].tolist() == [2.0, 2.0]
    assert found["airtime_s"].tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(("when_full", "lost"), [("drop-oldest", 1), ("drop-newest", 3)])
def test_one_clip_too_many_waits(when_full, lost):
    clips = [([float(k)], 0.0, [10_000.0]) for k in range(4)]
    found = streamed(*clips, limit=1, when_full=when_full)
    gone = np.flatnonzero(found["outcome"] == OUTCOMES.index("dropped_device"))
    assert gone.tolist() == [lost]
    assert found["lost_s"][lost] == 3.0


def test_what_the_end_cuts_off_is_accounted_for():
    found = streamed(([48.0, 49.0], 0.5, [10_000.0, 10.0]))
    assert OUTCOMES[int(found["outcome"][0])] == "unfinished"
    assert found["airtime_s"][0] == pytest.approx(1.5)
    assert found["computed_s"][0] == pytest.approx(1.0)
    assert found["sent_bits"][0] == 0.0


def test_a_clip_that_is_given_up_frees_the_processor_and_its_energy_counts():
    clips = [([0.0], 0.1, [20_000.0]), ([1.0], 3.0, [1000.0]), ([2.0], 0.1, [1000.0])]
    found = streamed(*clips, limit=0)
    assert OUTCOMES[int(found["outcome"][1])] == "dropped_device"
    assert found["computed_s"][1] == pytest.approx(1.0)  # from 1 to 2, when it is given up
    assert found["encode_start_s"][2] == 2.0


def test_a_stream_that_waits_for_the_band_has_not_begun_to_send():
    found = streamed(([0.0], 0.0, [5000.0]), devices=2, sharing="fifo")
    assert found["tx_start_s"].tolist() == [0.0, 5.0]
    assert found["sent_s"].tolist() == [5.0, 10.0]
    assert found["airtime_s"].tolist() == [5.0, 5.0]


def test_only_the_first_frame_after_a_pause_asks_for_the_band():
    found = streamed(([0.0, 0.1, 3.0], 0.0, [500.0, 500.0, 500.0]), access_delay_s=0.25)
    # Sent from 0.25 to 0.75, the next right after it to 1.25; the last one asks again at 3.0.
    assert found["tx_start_s"][0] == 0.25
    assert found["sent_s"][0] == 3.75
    assert found["airtime_s"][0] == pytest.approx(1.5)
