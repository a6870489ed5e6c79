"""The clock against closed forms; what `fadeline verify` checks is in test_verify.py."""

from itertools import islice

import numpy as np
import pytest

from fadeline.simulator.analysis.closed_form import closed_form, sent_within
from fadeline.simulator.analysis.curves import Judged
from fadeline.simulator.engine.clock import FIRST, Clock
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.loading.load import scenario_from_dict
from fadeline.simulator.schemes.prepare import prepared_schemes
from fadeline.simulator.verification import queues as queue_checks
from fadeline.simulator.verification.queues import erlang_c
from tests.simulator.worlds import fixed_clip


@pytest.mark.slow
@pytest.mark.parametrize("check", ["_single_server", "_many_servers", "_finite_queue", "_tandem"])
def test_a_slower_server_is_caught(monkeypatch, check):
    """Service 15 % longer than the theory says fails, so the checks can fail."""
    right = EdgeServer.__init__

    def slow(self, clock, service_s, **settings):
        right(self, clock, lambda batch: 1.15 * service_s(batch), **settings)

    monkeypatch.setattr(EdgeServer, "__init__", slow)
    rows = list(getattr(queue_checks, check)(1))
    assert any(not row.passed for row in rows)


@pytest.mark.slow
def test_a_wrong_share_of_the_band_is_caught(monkeypatch):
    """Shared by one more than there are, transfers take longer than processor sharing allows."""
    from fadeline.simulator.engine.uplink import EqualTurns

    right = EqualTurns._plan

    def wrong(self):
        for transfer in self.active:
            transfer.left_bits *= 1.1
        right(self)

    monkeypatch.setattr(EqualTurns, "_plan", wrong)
    first = next(islice(queue_checks._processor_sharing(1), 1))
    assert not first.passed


def test_erlang_c_by_hand():
    assert erlang_c(2, 1.0) == pytest.approx(1.0 / 3.0)


def test_littles_law_with_a_counter_of_its_own():
    """L, integrated over time at every arrival and departure, is arrivals per second times W."""
    clock = Clock()
    rng = np.random.default_rng(3)
    server = EdgeServer(clock, lambda batch: batch[0].option.infer_s)
    inside, area, last_s = 0, 0.0, 0.0
    clips = []

    def changed(by):
        nonlocal inside, area, last_s
        area += inside * (clock.now - last_s)
        inside, last_s = inside + by, clock.now

    def visit(clip):
        changed(+1)
        yield server.infer(clip)
        changed(-1)

    def arrivals():
        for number, gap_s in enumerate(rng.exponential(1.25, 4000)):
            yield clock.timeout(gap_s)
            clip = fixed_clip(FIRST + number, clock.now, 0.0, 0.0, rng.exponential(1.0))
            clips.append(clip)
            clock.process(visit(clip))

    clock.process(arrivals())
    clock.run()
    waited_s = sum(clip.inferred_s - clip.edge_arrive_s for clip in clips)
    assert inside == 0
    assert area == pytest.approx(waited_s, rel=1e-9)


def quasi_static(**changes):
    data = {
        "name": "quasi-static", "seed": 1, "duration_s": 20.0, "warmup_s": 0,
        "deadlines_s": [0.015, 0.03], "report_at_s": 0.015,
        "clips": {"arrivals": {"kind": "periodic", "rate_hz": 1.0}},
        "channel": {
            "fading": {"kind": "block", "block_s": 1.0}, "bandwidth_hz": 1e6, "mean_snr_db": 10.0,
            "carrier_hz": 3.5e9, "sharing": "equal",
            "rate": {"kind": "shannon", "gap_db": 3.0, "max_bits_per_symbol": 6.0},
        },
        "devices": {"count": 1},
        "schemes": [{"codec": "constant", "payload_bits": 40_000, "accuracy": 0.9}],
    }  # fmt: skip
    return scenario_from_dict(data | changes)


@pytest.mark.slow
def test_intervals_cover_the_truth_of_a_closed_form():
    """Of 400 runs, 92 to 98 % of intervals hold the accuracy that the fading allows."""
    scheme = prepared_schemes(quasi_static())[0]
    gap, snr = 10.0**0.3, 10.0
    truth = 0.9 * float(sent_within(np.array(0.015), 40_000, 1e6, gap / snr, 6.0))
    covered = 0
    import pandas as pd

    for seed in range(400):
        scenario = quasi_static(seed=seed)
        frames = [
            pd.DataFrame(World(scenario, scheme, stations(scenario, replication)).run()).assign(
                replication=replication
            )
            for replication in range(10)
        ]
        judged = Judged.of(pd.concat(frames), 10)
        found = judged.estimated(judged.right([0.015]), np.random.default_rng(seed))
        covered += found.low[0] <= truth <= found.high[0]
    assert 0.92 <= covered / 400 <= 0.98


def test_the_closed_form_is_drawn_where_there_is_one():
    scenario = quasi_static()
    rows = closed_form(scenario, prepared_schemes(scenario))
    assert rows is not None
    assert rows["deadline_s"].tolist() == [0.015, 0.03]
    expected = sent_within(np.array([0.015, 0.03]), 40_000, 1e6, 10.0**0.3 / 10.0, 6.0)
    assert rows["accuracy"].to_numpy() == pytest.approx(0.9 * expected, abs=0.02)
    moving = {**quasi_static().channel.model_dump(exclude_unset=True),
              "fading": {"kind": "rayleigh"}, "speed_m_s": 1.0}  # fmt: skip
    fading = quasi_static(channel=moving)
    assert closed_form(fading, prepared_schemes(fading)) is None


def test_above_the_rate_cap_nothing_is_sent():
    assert sent_within(np.array([0.0, 0.005, 0.01]), 60_000, 1e6, 0.0, 6.0).tolist() == [0, 0, 1]
