"""Link traces against a loop that walks from step to step, on traces that leave no way out.

Generated traces use multiples of powers of two, so that every sum is exact and the walk, in
fractions, leaves only the rounding of one division between the two.
"""

import math
from bisect import bisect_right
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.channels.trace import LinkTrace

ULPS = 4e-16


def walk_s(trace, start_s, bits):
    """Return the end of a transfer by sending step by step, exactly."""
    edges = [Fraction(edge) for edge in trace.edges_s.tolist()]
    if start_s > edges[-1]:
        return math.inf
    now, left = Fraction(start_s), Fraction(bits)
    if left == 0:
        return float(now)
    for border, rate in zip(edges[1:], trace.rate_bps.tolist(), strict=True):
        if border <= now:
            continue
        sendable = Fraction(rate) * (border - now)
        if left <= sendable:
            return float(now + left / Fraction(rate))
        left -= sendable
        now = border
    return math.inf


rates = st.lists(st.one_of(st.just(0), st.integers(0, 2**20)), min_size=1, max_size=12)
lengths = st.integers(1, 4096)  # in 1/1024 s


@st.composite
def traces(draw):
    rate_bps = draw(rates)
    if draw(st.booleans()):
        return LinkTrace.uniform(rate_bps, step_s=2.0 ** draw(st.integers(-10, 2)))
    ticks = draw(st.lists(lengths, min_size=len(rate_bps), max_size=len(rate_bps)))
    return LinkTrace.irregular(np.cumsum([0, *ticks]) / 1024.0, rate_bps)


def times(trace):
    """Strategy: times on borders and between them."""
    grid = st.integers(0, round(trace.end_s * 2**14)).map(lambda tick: tick / 2**14)
    return st.one_of(st.sampled_from(trace.edges_s.tolist()), grid)


def sizes(trace):
    """Strategy: bits up to some more than the trace can carry, and such as end on borders."""
    apart = np.abs(np.subtract.outer(trace.bits, trace.bits)).ravel().tolist()
    most = math.ceil(trace.bits[-1]) + 8
    return st.one_of(st.sampled_from(apart), st.integers(0, most).map(float))


# -- The end of a transfer --------------------------------------------------------------------


@given(st.data())
def test_the_end_of_a_transfer_is_that_of_the_walk(data):
    trace = data.draw(traces())
    start_s, bits = data.draw(times(trace)), data.draw(sizes(trace))
    expected_s = walk_s(trace, start_s, bits)
    finish_s = trace.finish_s(start_s, bits)
    assert finish_s == pytest.approx(expected_s, rel=ULPS, abs=0.0)
    assert finish_s <= trace.end_s or finish_s == math.inf


@given(st.data())
def test_more_bits_and_a_later_start_never_finish_sooner(data):
    trace = data.draw(traces())
    starts = sorted(data.draw(st.lists(times(trace), min_size=2, max_size=2)))
    bits = sorted(data.draw(st.lists(sizes(trace), min_size=2, max_size=2)))
    first, more = (trace.finish_s(starts[0], size) for size in bits)
    assert starts[0] <= first <= more
    assert first <= trace.finish_s(starts[1], bits[0])


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(1.0, 1e9)), min_size=1, max_size=30),
    st.floats(1e-4, 10.0),
    st.data(),
)
def test_rounding_puts_no_transfer_past_its_step_or_the_end(rate_bps, step_s, data):
    trace = LinkTrace.uniform(rate_bps, step_s)
    for bits in trace.bits.tolist():
        exact, more = trace.finish_s(0.0, bits), trace.finish_s(0.0, math.nextafter(bits, math.inf))
        assert exact <= trace.end_s
        assert exact <= more
    start_s = data.draw(st.floats(0.0, trace.end_s))
    bits = data.draw(st.floats(0.0, float(trace.bits[-1])))
    finish_s = trace.finish_s(start_s, bits)
    if finish_s < math.inf:
        assert start_s <= finish_s <= trace.end_s
        sent = trace.bits_between(start_s, finish_s)
        assert sent == pytest.approx(bits, rel=1e-9, abs=1e-12 * float(trace.bits[-1]))


@given(st.data())
def test_many_transfers_at_once_are_bitwise_those_one_at_a_time(data):
    rate_bps = data.draw(st.lists(st.floats(0.0, 1e9), min_size=1, max_size=20))
    if data.draw(st.booleans()):
        trace = LinkTrace.uniform(rate_bps, data.draw(st.floats(1e-4, 10.0)))
    else:
        steps_s = data.draw(
            st.lists(st.floats(1e-4, 10.0), min_size=len(rate_bps), max_size=len(rate_bps))
        )
        trace = LinkTrace.irregular(np.cumsum([0.0, *steps_s]), rate_bps)
    border = st.sampled_from(trace.edges_s.tolist())
    some_times = st.one_of(border, st.floats(0.0, 1.2 * trace.end_s), st.just(math.inf))
    some_bits = st.one_of(
        st.sampled_from([0.0, math.inf, *trace.bits.tolist()]),
        st.floats(0.0, 1.1 * float(trace.bits[-1]) + 1.0),
    )
    starts = np.array(data.draw(st.lists(some_times, min_size=1, max_size=9)))
    bits = np.array([data.draw(some_bits) for _ in starts])
    many = trace.finish_s(starts, bits)
    one = [trace.finish_s(s, b) for s, b in zip(starts.tolist(), bits.tolist(), strict=True)]
    np.testing.assert_array_equal(many, one)


def fading_trace(steps, step_s, seed):
    """A trace like a fading link's: exponential SNR, a tenth of it in outages of 1 to 40 steps."""
    rng = np.random.default_rng(seed)
    rate_bps = 1e6 * np.log2(1.0 + 10.0 * rng.exponential(size=steps))
    for first in rng.integers(0, steps, steps // 200):
        rate_bps[first : first + rng.integers(1, 41)] = 0.0
    return LinkTrace.uniform(rate_bps, step_s)


def test_3000_transfers_over_60000_steps_are_within_a_nanosecond_of_the_walk():
    trace = fading_trace(60_000, 1e-3, seed=1)
    assert 0.05 < np.mean(trace.rate_bps == 0.0) < 0.2
    rng = np.random.default_rng(2)
    starts = rng.uniform(0.0, 60.0, 3_000)
    starts[:1_000] = rng.choice(trace.edges_s[:-1], 1_000)  # on borders
    starts[1_000:1_500] = trace.edges_s[rng.choice(np.flatnonzero(trace.rate_bps == 0.0), 500)]
    bits = rng.exponential(200e3, 3_000)
    rates, edges = trace.rate_bps.tolist(), trace.edges_s.tolist()

    def walk(start_s, left):
        step, now = bisect_right(edges, start_s) - 1, start_s
        while step < len(rates):
            sendable = rates[step] * (edges[step + 1] - now)
            if left <= sendable:
                return now + left / rates[step]
            left -= sendable
            step, now = step + 1, edges[step + 1]
        return math.inf

    expected_s = np.array([walk(s, b) for s, b in zip(starts.tolist(), bits.tolist(), strict=True)])
    finish_s = trace.finish_s(starts, bits)
    over = np.isfinite(expected_s)
    assert 2_900 < over.sum() < 3_000
    np.testing.assert_array_equal(np.isfinite(finish_s), over)
    assert np.abs(finish_s[over] - expected_s[over]).max() < 1e-9


def test_a_transfer_by_hand():
    # 1 Mbit/s until 0.5 s, outage until 1.0 s, then 2 Mbit/s until 1.5 s.
    trace = LinkTrace.uniform([1e6, 0.0, 2e6], step_s=0.5)
    assert trace.finish_s(0.0, 250e3) == 0.25
    assert trace.finish_s(0.0, 500e3) == 0.5  # just before the outage
    assert trace.finish_s(0.0, 500e3 + 1) == pytest.approx(1.0 + 0.5e-6, abs=1e-15)
    assert trace.finish_s(0.25, 650e3) == 1.2  # 250 kbit, outage, 400 kbit at 2 Mbit/s
    assert trace.finish_s(0.5, 1.0) == trace.finish_s(0.75, 1.0) == 1.0 + 0.5e-6
    assert trace.finish_s(0.0, 1.5e6) == 1.5  # all there is
    assert trace.finish_s(0.0, 1.5e6 + 1e-3) == math.inf


def test_nothing_to_send_ends_at_its_start_even_in_an_outage():
    trace = LinkTrace.uniform([0.0, 1e6, 0.0], step_s=1.0)
    starts = np.array([0.0, 0.5, 1.0, 2.5, 3.0])
    np.testing.assert_array_equal(trace.finish_s(starts, 0.0), starts)
    assert [trace.finish_s(start, 0.0) for start in starts.tolist()] == starts.tolist()


def test_what_rounding_loses_does_not_end_before_it_starts():
    # A nanobit on top of 1e15 bits is nothing: the search then finds where 1e15 were reached.
    trace = LinkTrace.uniform([1e15, 0.0, 1e15], step_s=1.0)
    assert trace.finish_s(1.5, 1e-9) >= 1.5
    assert trace.finish_s(np.array([1.5]), 1e-9)[0] >= 1.5


def test_past_the_end_nothing_is_known():
    trace = LinkTrace.uniform([1e6, 1e6], step_s=1.0)
    assert trace.finish_s(2.0, 0.0) == 2.0
    assert trace.finish_s(2.0, 1.0) == math.inf
    assert trace.finish_s(2.5, 0.0) == math.inf
    np.testing.assert_array_equal(trace.finish_s(np.array([2.0, 2.5]), 0.0), [2.0, math.inf])


def test_a_link_that_is_always_out_never_finishes():
    trace = LinkTrace.uniform(np.zeros(10), step_s=0.1)
    assert trace.finish_s(0.3, 1e-9) == math.inf
    assert np.isinf(trace.finish_s(trace.edges_s, np.ones(11))).all()


def test_what_never_finished_cannot_start_the_next_transfer():
    trace = LinkTrace.uniform([1e6, 0.0], step_s=1.0)
    first = trace.finish_s(np.array([0.0, 0.5]), 0.75e6)
    np.testing.assert_array_equal(first, [0.75, math.inf])
    np.testing.assert_array_equal(trace.finish_s(first, 0.25e6), [1.0, math.inf])


def test_starts_and_sizes_are_broadcast():
    trace = fading_trace(1_000, 1e-3, seed=3)
    starts, bits = np.array([[0.0], [0.2], [0.55]]), np.array([1e3, 5e4, 9e5, 9e9])
    table = trace.finish_s(starts, bits)
    assert table.shape == (3, 4)
    for i, start in enumerate(starts[:, 0].tolist()):
        for j, size in enumerate(bits.tolist()):
            assert table[i, j] == trace.finish_s(start, size)
    np.testing.assert_array_equal(trace.finish_s(0.2, bits), table[1])
    np.testing.assert_array_equal(trace.finish_s(starts[:, 0], 1e3), table[:, 0])
    assert trace.finish_s(np.empty(0), 1.0).shape == (0,)
    assert type(trace.finish_s(0.0, 1.0)) is float
    assert type(trace.finish_s(np.float64(0.0), 1)) is float


def test_more_look_ups_than_are_handled_at_once():
    trace = fading_trace(5_000, 1e-3, seed=4)
    rng = np.random.default_rng(5)
    starts, bits = rng.uniform(0.0, 5.0, 20_001), rng.exponential(1e5, 20_001)
    many = trace.finish_s(starts, bits)
    some = [0, 8_191, 8_192, 16_384, 20_000]
    assert [trace.finish_s(float(starts[i]), float(bits[i])) for i in some] == many[some].tolist()


@pytest.mark.parametrize(
    ("start_s", "bits"), [(-1e-9, 1.0), (math.nan, 1.0), (0.0, -1.0), (0.0, math.nan)]
)
def test_negative_and_missing_numbers_are_refused(start_s, bits):
    trace = LinkTrace.uniform([1e6], step_s=1.0)
    for start, size in ((start_s, bits), (np.array([0.0, start_s]), bits), (0.0, np.array([bits]))):
        if np.all(np.asarray(start) >= 0) and np.all(np.asarray(size) >= 0):
            continue
        with pytest.raises(ValueError, match="start_s and bits must be at least 0"):
            trace.finish_s(start, size)


# -- Bits and SNR between two times -----------------------------------------------------------


@given(st.data())
def test_bits_between_add_up_and_undo_the_end_of_a_transfer(data):
    trace = data.draw(traces())
    first, middle, last = sorted(data.draw(st.lists(times(trace), min_size=3, max_size=3)))
    whole = trace.bits_between(first, last)
    assert trace.bits_between(first, middle) + trace.bits_between(middle, last) == whole  # exact
    assert trace.bits_between(middle, middle) == 0.0
    finish_s = trace.finish_s(first, whole)
    assert finish_s <= last
    assert trace.bits_between(first, finish_s) == pytest.approx(whole, rel=1e-12, abs=1e-9)


def test_bits_between_by_hand():
    trace = LinkTrace.irregular([0.0, 0.1, 0.4, 1.0], [1e6, 0.0, 5e6])
    assert trace.bits_between(0.05, 0.3) == pytest.approx(50e3)
    assert trace.bits_between(0.05, 0.5) == pytest.approx(550e3)
    assert trace.bits_between(0.0, 1.0) == pytest.approx(3.1e6) == float(trace.bits[-1])
    assert trace.bits_between(0.1, 0.4) == 0.0


@given(st.data())
def test_mean_snr_is_the_time_average(data):
    size = data.draw(st.integers(1, 10))
    snr = data.draw(st.lists(st.integers(0, 2**16), min_size=size, max_size=size))
    ticks = data.draw(st.lists(lengths, min_size=size, max_size=size))
    edges_s = np.cumsum([0, *ticks]) / 1024.0
    trace = LinkTrace.irregular(edges_s, np.ones(size), snr)
    start_s, end_s = sorted(data.draw(st.lists(times(trace), min_size=2, max_size=2)))
    if start_s < end_s:
        held_s = np.clip(edges_s[1:], start_s, end_s) - np.clip(edges_s[:-1], start_s, end_s)
        expected = float(held_s @ np.array(snr, dtype=float)) / (end_s - start_s)
        assert trace.snr_over(start_s, end_s) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("step_s", [1e-3, 0.1, 0.02, 1.0 / 3.0])
def test_snr_at_an_instant_is_that_of_the_step_that_begins_there(step_s):
    # A border over the step length may round down, as 43 * 0.1 / 0.1 does to 42.999...
    steps = 5_000
    for trace in (
        LinkTrace.uniform(np.ones(steps), step_s, snr=np.arange(steps)),
        LinkTrace.irregular(np.arange(steps + 1) * step_s, np.ones(steps), snr=np.arange(steps)),
    ):
        instants = trace.edges_s[:-1].tolist()
        assert [trace.snr_over(time, time) for time in instants] == list(range(steps))
        inside = (trace.edges_s[:-1] + 0.5 * step_s).tolist()
        assert [trace.snr_over(time, time) for time in inside] == list(range(steps))
        assert trace.snr_over(trace.end_s, trace.end_s) == steps - 1  # the last step is closed


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(-0.1, 1.0), (0.5, 0.4), (0.0, 2.1), (math.nan, 1.0), (0.0, math.nan)]
)
def test_questions_outside_the_trace_are_refused(start_s, end_s):
    trace = LinkTrace.uniform([1e6, 1e6], step_s=1.0, snr=[1.0, 2.0])
    for question in (trace.bits_between, trace.snr_over):
        with pytest.raises(ValueError, match="the trace covers 0 to 2 s, asked for"):
            question(start_s, end_s)


def test_a_trace_of_rates_has_no_snr():
    with pytest.raises(ValueError, match="this trace gives rates only and has no SNR"):
        LinkTrace.uniform([1e6], step_s=1.0).snr_over(0.0, 1.0)


# -- Construction -----------------------------------------------------------------------------


def test_attributes():
    trace = LinkTrace.uniform([1e6, 0, 2e6], step_s=0.25, snr=[1, 0, 3])
    assert trace.step_s == 0.25
    assert trace.end_s == 0.75
    np.testing.assert_array_equal(trace.edges_s, [0.0, 0.25, 0.5, 0.75])
    np.testing.assert_array_equal(trace.bits, [0.0, 250e3, 250e3, 750e3])
    assert trace.rate_bps.dtype == trace.edges_s.dtype == np.float64
    assert trace.snr is not None
    assert trace.snr.dtype == np.float64
    assert LinkTrace.irregular([0.0, 1.0], [1.0]).step_s is None


@given(rates, st.integers(-10, 2))
def test_uniform_and_irregular_agree(rate_bps, exponent):
    step_s = 2.0**exponent
    uniform = LinkTrace.uniform(rate_bps, step_s)
    irregular = LinkTrace.irregular(np.arange(len(rate_bps) + 1) * step_s, rate_bps)
    np.testing.assert_array_equal(uniform.bits, irregular.bits)
    starts = np.linspace(0.0, 1.1 * uniform.end_s, 34)
    bits = np.linspace(0.0, 1.1 * uniform.bits[-1], 9)[:, np.newaxis]
    np.testing.assert_array_equal(uniform.finish_s(starts, bits), irregular.finish_s(starts, bits))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, -1.0], 1.0), r"rate_bps\[1\] must be at least 0 and finite, got -1.0"),
        (([math.inf], 1.0), r"rate_bps\[0\] must be at least 0 and finite, got inf"),
        (([math.nan], 1.0), r"rate_bps\[0\] must be at least 0 and finite, got nan"),
        (([1.0], 1.0, [-1.0]), r"snr\[0\] must be at least 0 and finite, got -1.0"),
        (([1.0], 1.0, [math.nan]), r"snr\[0\] must be at least 0 and finite, got nan"),
        (([1.0], 1.0, [1.0, 2.0]), r"snr must have the shape of rate_bps \(1,\): \(2,\)"),
        (([], 1.0), "a trace needs n >= 1 rates"),
        (([[1.0, 2.0]], 1.0), "a trace needs n >= 1 rates"),
        ((1.0, 1.0), "a trace needs n >= 1 rates"),
        (([1.0], 0.0), r"step_s must be positive and finite, got 0\.0"),
        (([1.0], -1.0), "step_s must be positive and finite, got -1.0"),
        (([1.0], math.inf), "step_s must be positive and finite, got inf"),
        (([1.0], math.nan), "step_s must be positive and finite, got nan"),
    ],
)
def test_bad_uniform_traces_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinkTrace.uniform(*arguments)


@pytest.mark.parametrize(
    ("edges_s", "message"),
    [
        ([0.0, 1.0, 1.0], "edges_s must ascend strictly from 0"),
        ([0.0, 2.0, 1.0], "edges_s must ascend strictly from 0"),
        ([0.1, 1.0, 2.0], "edges_s must ascend strictly from 0"),
        ([0.0, 1.0, math.nan], "edges_s must ascend strictly from 0"),
        ([0.0, 1.0, math.inf], "edges_s must ascend strictly from 0 and be finite"),
        ([], "edges_s must ascend strictly from 0"),
        ([0.0, 1.0], r"a trace needs n >= 1 rates and n \+ 1 borders"),
        ([0.0, 1.0, 2.0, 3.0], r"a trace needs n >= 1 rates and n \+ 1 borders"),
    ],
)
def test_bad_borders_are_refused(edges_s, message):
    with pytest.raises(ValueError, match=message):
        LinkTrace.irregular(edges_s, [1.0, 2.0])


def test_a_numpy_number_is_one_look_up():
    trace = LinkTrace.uniform([1e6, 1e6], step_s=1.0)
    assert trace.finish_s(np.float64(0.5), np.int64(250_000)) == 0.75
    assert isinstance(trace.finish_s(np.float64(0.5), np.int64(250_000)), float)
