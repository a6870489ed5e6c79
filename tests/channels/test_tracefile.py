"""Trace files: what is read, what is refused and why, and repeating without a seam."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from fadeline.channels.trace import LinkTrace
from fadeline.channels.tracefile import (
    MAX_FILE_BYTES,
    RecordedLink,
    TraceFileError,
    read_mahimahi,
    read_trace,
)


@pytest.fixture
def csv(tmp_path):
    """Return a function that writes a CSV file and gives its path."""

    def write(text, name="trace.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def mahimahi(csv):
    """Return a function that writes the stamps of a Mahimahi trace and gives its path."""
    return lambda stamps: csv("".join(f"{stamp}\n" for stamp in stamps), "trace.up")


def recording(edges_s, *, rate_bps=None, snr=None):
    return RecordedLink(
        edges_s=np.array(edges_s, float),
        rate_bps=None if rate_bps is None else np.array(rate_bps, float),
        snr=None if snr is None else np.array(snr, float),
    )


def rates(recorded):
    """Return the rates of a recording that has no SNR."""
    assert recorded.snr is None
    return recorded.rate_bps


def snrs(recorded):
    """Return the SNRs of a recording that has no rates."""
    assert recorded.rate_bps is None
    return recorded.snr


# -- CSV --------------------------------------------------------------------------------------


def test_a_csv_of_snr(csv):
    link = read_trace(csv("time_s,snr_db\n0,0\n0.1,10\n0.2,-inf\n0.3,20\n"))
    np.testing.assert_allclose(link.edges_s, [0.0, 0.1, 0.2, 0.3, 0.4], rtol=1e-15)
    np.testing.assert_allclose(snrs(link), [1.0, 10.0, 0.0, 100.0], rtol=1e-15)
    assert link.end_s == pytest.approx(0.4)


def test_a_csv_of_rates(csv):
    link = read_trace(csv("rate_bps,time_s\n1000000,0\n0,1\n2.5e6,2\n"))
    assert link.edges_s.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert rates(link).tolist() == [1e6, 0.0, 2.5e6]
    assert rates(link).dtype == np.float64


@pytest.mark.parametrize("outage", ["-inf", "-Inf", "-INF", "-Infinity"])
def test_an_outage_is_an_snr_of_minus_infinity(csv, outage):
    assert snrs(read_trace(csv(f"time_s,snr_db\n0,3\n1,{outage}\n")))[1] == 0.0


def test_times_may_start_anywhere(csv):
    link = read_trace(csv("time_s,rate_bps\n1700000000.5,1\n1700000000.75,2\n1700000001.0,3\n"))
    assert link.edges_s.tolist() == [0.0, 0.25, 0.5, 0.75]
    early = read_trace(csv("time_s,rate_bps\n-2,1\n-1,2\n0,3\n"))
    assert early.edges_s.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_the_last_row_holds_as_long_as_the_typical_one(csv):
    # Lengths 1, 1, 1, 1.5 and 0.25: median 1
    rows = "0,1\n1,1\n2,1\n3,1\n4.5,1\n4.75,1\n"
    assert read_trace(csv("time_s,rate_bps\n" + rows)).end_s == 5.75


def test_a_byte_order_mark_extra_columns_and_other_line_ends_do_not_matter(csv):
    text = b'\xef\xbb\xbftime_s,cell,snr_db,note\r\n0,a,10,\r\n1,b,20,"x, y"\r\n'
    link = read_trace(csv(text, "TRACE.CSV"))
    np.testing.assert_allclose(snrs(link), [10.0, 100.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the trace file is empty"),
        ("\n\n", "not readable as CSV"),
        ("time_s,snr_db\n0,1\n1\n", "not readable as CSV"),
        (b"\x00\x01\x02", "not readable as CSV: is a binary file"),
        (b"PK\x03\x04 sheet", "not readable as CSV: is a spreadsheet or archive; save the sheet"),
        ("time_s,snr_db\n", "column time_s holds null, not numbers"),
        ("time_s,snr_db\n0,1\n", "needs at least two rows, has 1"),
        ("time_s\n0\n1\n", r"needs the column time_s and one of .* has \['time_s'\]"),
        (
            "Time,snr_db\n0,1\n1,1\n",
            r"needs the column time_s and one of .* has \['Time', 'snr_db'\] "
            r"\(nearest are 'Time' to time_s\); fadeline trace import FILE --out walk\.csv maps",
        ),
        (
            "Times,SNR,ul kbit\n0,1,1\n1,1,1\n",
            r"has \['Times', 'SNR', 'ul kbit'\] "
            r"\(nearest are 'Times' to time_s, 'SNR' to snr_db\); f",
        ),
        ("a,b\n0,1\n1,1\n", r"has \['a', 'b'\]; fadeline trace import"),
        ("0,1\n1,1\n", "not readable as CSV: has no header line with the names of the columns"),
        ("Time_s, time_s ,snr_db\n0,0,1\n1,1,1\n", "has more than one column time_s"),
        ("time_s,snr_db,rate_bps\n0,1,1\n1,1,1\n", "and one of snr_db or rate_bps; has"),
        ("time_s,time_s,snr_db\n0,0,1\n1,1,1\n", "has more than one column time_s"),
        ("time_s,snr_db,snr_db\n0,0,1\n1,1,1\n", "has more than one column snr_db"),
        ("time_s,snr_db\n0,1\n1,good\n", "column snr_db holds string, not numbers"),
        ("time_s,snr_db\n0,true\n1,false\n", "column snr_db holds bool, not numbers"),
        ("time_s,snr_db\n2026-01-01,1\n2026-01-02,1\n", r"column time_s holds date32\[day\]"),
        ("time_s,snr_db\n0,1\n1,\n2,1\n", r"data row 2 \(time_s 1, snr_db nan\): .* missing"),
        ("time_s,snr_db\n0,1\n1,NaN\n", r"data row 2 .* write an outage out as rate 0 or SNR -inf"),
        ("time_s,snr_db\n0,1\n1,inf\n", r"data row 2 \(time_s 1, snr_db inf\)"),
        ("time_s,rate_bps\n0,1\n1,-inf\n", r"data row 2 \(time_s 1, rate_bps -inf\)"),
        ("time_s,rate_bps\n0,1\n1,-0.1\n", r"data row 2 \(time_s 1, rate_bps -0\.1\)"),
        ("time_s,snr_db\n0,1\n,1\n2,1\n", r"data row 2 \(time_s nan, .* missing or not finite"),
        ("time_s,snr_db\n0,1\ninf,1\ninf,1\n", r"data row 2 .* time_s is missing or not finite"),
        ("time_s,snr_db\n0,1\n2,1\n1,1\n", r"data row 3 \(time_s 1, .* must ascend"),
        ("time_s,snr_db\n0,1\n1,1\n1,2\n", r"data row 3 \(time_s 1, .* must ascend"),
    ],
)
def test_unusable_csv_files_are_refused_and_named(csv, text, message):
    path = csv(text)
    with pytest.raises(TraceFileError, match=message) as refusal:
        read_trace(path)
    assert str(refusal.value).startswith(f"{path}: ")


SNR_ROWS = [(0.0, 10.0), (0.1, 10.5), (0.2, -3.25)]


@pytest.mark.parametrize(
    "text",
    [
        "# time_s,snr_db\n0,10\n0.1,10.5\n0.2,-3.25\n",
        "#time_s,snr_db\n0,10\n0.1,10.5\n0.2,-3.25\n",
        "# a walk, device 3\n\n# time_s,snr_db\n0,10\n0.1,10.5\n0.2,-3.25\n",
        "# a walk, device 3\ntime_s,snr_db\n0,10\n# a note\n0.1,10.5\n0.2,-3.25\n# end\n",
        "time_s, snr_db\n0, 10\n0.1, 10.5\n0.2, -3.25\n",
        " time_s ,snr_db \n0,10\n0.1,10.5\n0.2,-3.25\n",
        "Time_S,SNR_dB\n0,10\n0.1,10.5\n0.2,-3.25\n",
        '"Time_s","cell, name","SNR_dB"\n0,"a, b",10\n0.1,c,10.5\n0.2,d,-3.25\n',
        "time_s;snr_db\n0;10\n0,1;10,5\n0,2;-3,25\n",
        "time_s\tsnr_db\n0\t10\n0.1\t10.5\n0.2\t-3.25\n",
        "# time_s snr_db\n0 10\n0.1 10.5\n0.2 -3.25\n",
        "time_s   snr_db\n  0    10\n  0.1  10.5 \r\n  0.2 -3.25",
        "time_s,snr_db\r0,10\r0.1,10.5\r0.2,-3.25\r",
        "time_s,snr_db\n0,10\n0.1,10.5\n0.2,-3.25\n".encode("utf-16"),
        "time_s,snr_db,Stra\xdfe\n0,10,\xdf\n0.1,10.5,\xdf\n0.2,-3.25,\xdf\n".encode("cp1252"),
    ],
)
def test_headers_as_people_and_programs_write_them(csv, text):
    link = read_trace(csv(text))
    np.testing.assert_allclose(link.edges_s[:-1], [time_s for time_s, _ in SNR_ROWS], rtol=1e-12)
    np.testing.assert_allclose(10 * np.log10(snrs(link)), [snr for _, snr in SNR_ROWS], atol=1e-12)


@pytest.mark.parametrize("delimiter", [",", " ", ";", "\t"])
def test_what_numpy_writes_is_read(tmp_path, delimiter):
    path = tmp_path / "trace.csv"
    rows = np.c_[np.arange(5) * 0.1, np.linspace(-5.0, 5.0, 5)]
    np.savetxt(path, rows, delimiter=delimiter, header=delimiter.join(("time_s", "snr_db")))
    np.testing.assert_allclose(10 * np.log10(snrs(read_trace(path))), rows[:, 1], atol=1e-12)


def test_a_long_file_is_read_to_its_end(csv):
    rows = "".join(f"{row / 100:.2f},{row % 7}\n" for row in range(40_000))
    link = read_trace(csv("# Stra\xdfe\n" * 9 + "Time_s,Rate_bps\n" + rows))
    assert rates(link).tolist() == [row % 7 for row in range(40_000)]


def test_gaps(csv):
    path = csv("time_s,snr_db\n0,1\n1,1\n2,1\n4.5,1\n5.5,1\n")
    with pytest.raises(TraceFileError, match=r"a gap of 2\.5 s after time_s 2 \(data row 3\)"):
        read_trace(path)
    with pytest.raises(TraceFileError, match=r"longer than 2\.4 s; fill it in, or set max_gap_s"):
        read_trace(path, max_gap_s=2.4)
    assert read_trace(path, max_gap_s=2.5).edges_s.tolist() == [0.0, 1.0, 2.0, 4.5, 5.5, 6.5]


def test_a_row_twice_as_long_as_the_typical_one_is_no_gap(csv):
    # Times in decimal: 0.3 - 0.1 is 0.19999999999999998 and 0.5 - 0.3 a little more than 0.2.
    path = csv("time_s,snr_db\n0,1\n0.1,1\n0.3,1\n0.4,1\n0.5,1\n0.7,1\n0.8,1\n")
    assert read_trace(path).end_s == pytest.approx(0.9)


# -- Parquet ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int32(), pa.uint64()])
def test_a_parquet_file(tmp_path, kind):
    path = tmp_path / "trace.parquet"
    columns = {"time_s": pa.array([0, 2, 4], kind), "rate_bps": pa.array([5, 0, 7], kind)}
    parquet.write_table(pa.table(columns | {"cell": ["a", "b", "c"]}), path, row_group_size=1)
    link = read_trace(path)
    assert link.edges_s.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert rates(link).tolist() == [5.0, 0.0, 7.0]
    assert rates(link).dtype == link.edges_s.dtype == np.float64


def test_a_parquet_file_and_a_csv_file_agree(tmp_path, csv):
    time_s, snr_db = np.arange(50) * 0.02, np.random.default_rng(1).normal(10.0, 5.0, 50)
    rows = "".join(f"{t!r},{s!r}\n" for t, s in zip(time_s.tolist(), snr_db.tolist(), strict=True))
    path = tmp_path / "trace.parquet"
    parquet.write_table(pa.table({"time_s": time_s, "snr_db": snr_db}), path)
    from_csv, from_parquet = read_trace(csv("time_s,snr_db\n" + rows)), read_trace(path)
    np.testing.assert_array_equal(from_parquet.edges_s, from_csv.edges_s)
    np.testing.assert_array_equal(snrs(from_parquet), snrs(from_csv))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"time_s": [0, 1], "snr_db": [1, None]}, r"data row 2 \(time_s 1, snr_db nan\)"),
        ({"time_s": [0, None], "snr_db": [1, 2]}, "time_s is missing or not finite"),
        ({"time_s": ["0", "1"], "snr_db": [1, 2]}, "column time_s holds string, not numbers"),
        (
            {"time_s": [0, 1], "snr": [1, 2]},
            r"needs the column time_s .* has \['time_s', 'snr'\] \(nearest are 'snr' to snr_db\)$",
        ),
        ({"time_s": [0.0], "snr_db": [1.0]}, "needs at least two rows, has 1"),
        ({"time_s": [1.0, 0.0], "snr_db": [1.0, 1.0]}, "time_s must ascend"),
    ],
)
def test_unusable_parquet_files_are_refused_and_named(tmp_path, columns, message):
    path = tmp_path / "trace.parquet"
    parquet.write_table(pa.table(columns), path)
    with pytest.raises(TraceFileError, match=message) as refusal:
        read_trace(path)
    assert str(refusal.value).startswith(f"{path}: ")


def test_a_broken_parquet_file_is_refused(tmp_path):
    path = tmp_path / "trace.parquet"
    parquet.write_table(pa.table({"time_s": np.arange(1e3), "snr_db": np.zeros(1_000)}), path)
    whole = path.read_bytes()
    for broken in (b"PAR1", b"not parquet at all", whole[: len(whole) // 2], whole[1:]):
        path.write_bytes(broken)
        with pytest.raises(TraceFileError, match="not readable as Parquet"):
            read_trace(path)


# -- Files ------------------------------------------------------------------------------------


def test_missing_and_unfit_files_are_refused(tmp_path, csv):
    for read in (read_trace, lambda path: read_mahimahi(path, bin_s=0.1)):
        with pytest.raises(TraceFileError, match=r"gone\.csv: no such trace file"):
            read(tmp_path / "gone.csv")
        with pytest.raises(TraceFileError, match="is a folder, not a trace file"):
            read(tmp_path)
        with pytest.raises(TraceFileError, match="the trace file is empty"):
            read(csv(""))
    with pytest.raises(TraceFileError, match=r"must end in \.csv or \.parquet; for a Mahimahi"):
        read_trace(csv("time_s,snr_db\n0,1\n1,1\n", "trace.txt"))


def test_a_file_too_large_is_refused_unread(tmp_path):
    path = tmp_path / "trace.csv"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no space
    for read in (read_trace, lambda path: read_mahimahi(path, bin_s=0.1)):
        with pytest.raises(TraceFileError, match="256 MiB; the largest allowed is 256 MiB"):
            read(path)


# -- Covering a run ---------------------------------------------------------------------------


def test_a_recording_long_enough_is_taken_as_it_is():
    link = recording([0.0, 0.5, 2.0], rate_bps=[1.0, 2.0])
    for duration_s in (1.0, 2.0):
        assert link.covering(duration_s, "error") is link
        assert link.covering(duration_s, "loop") is link


def test_a_recording_too_short_is_refused_unless_it_may_loop():
    link = recording([0.0, 0.5, 2.0], rate_bps=[1.0, 2.0])
    with pytest.raises(TraceFileError, match="ends after 2 s and the run needs 60 s; shorten the"):
        link.covering(60.0, "error")


@pytest.mark.parametrize(("duration_s", "times"), [(2.1, 2), (4.0, 2), (4.1, 3), (6.0, 3)])
def test_a_loop_is_tiled_by_hand(duration_s, times):
    link = recording([0.0, 0.5, 2.0], rate_bps=[1.0, 2.0])
    looped = link.covering(duration_s, "loop")
    assert looped.edges_s.tolist() == [0.0, 0.5, 2.0, 2.5, 4.0, 4.5, 6.0][: 2 * times + 1]
    assert rates(looped).tolist() == [1.0, 2.0] * times
    of_snr = recording([0.0, 0.5, 2.0], snr=[3.0, 4.0]).covering(duration_s, "loop")
    assert snrs(of_snr).tolist() == [3.0, 4.0] * times


@given(st.floats(1e-3, 1e3), st.integers(1, 200), st.sampled_from([-1, 0, 1]))
def test_a_loop_covers_the_run_to_the_last_digit(end_s, times, ulps):
    # Durations at, just above and just below a whole number of loops; one more does no harm.
    link = recording([0.0, 0.3 * end_s, end_s], rate_bps=[1.0, 2.0])
    duration_s = times * end_s
    if ulps:
        duration_s = math.nextafter(duration_s, ulps * math.inf)
    looped = link.covering(duration_s, "loop")
    assert duration_s <= looped.end_s <= (times + 1) * end_s
    LinkTrace.irregular(looped.edges_s, rates(looped))  # the borders ascend


def test_a_transfer_in_a_later_loop_takes_as_long_as_in_the_first():
    rng = np.random.default_rng(1)
    edges_s = np.cumsum([0.0, *rng.uniform(0.01, 1.0, 40)])
    link = recording(edges_s, rate_bps=rng.exponential(1e6, 40) * (rng.random(40) > 0.2))
    looped = link.covering(5.0 * link.end_s, "loop")
    trace = LinkTrace.irregular(looped.edges_s, rates(looped))
    assert trace.bits[-1] == pytest.approx(5.0 * trace.bits[40], rel=1e-12)
    starts, bits = rng.uniform(0.0, link.end_s, 200), rng.exponential(1e6, 200)
    first, third = trace.finish_s(starts, bits), trace.finish_s(starts + 2.0 * link.end_s, bits)
    np.testing.assert_allclose(third - 2.0 * link.end_s, first, rtol=1e-9)


@pytest.mark.parametrize(
    ("step_s", "rows"), [(1e-3, 60_000), (0.1, 600), (0.02, 3_000), (0.05, 1_200), (1.0, 60)]
)
@pytest.mark.parametrize("first_s", [0.0, 0.3, 1_700_000_000.0])
def test_a_regular_recording_of_a_minute_covers_a_minute(tmp_path, step_s, rows, first_s):
    path = tmp_path / "trace.parquet"
    columns = {"time_s": first_s + np.arange(rows) * step_s, "snr_db": np.zeros(rows)}
    parquet.write_table(pa.table(columns), path)
    link = read_trace(path)
    assert link.covering(60.0, "error") is link
    assert link.end_s == pytest.approx(60.0, rel=1e-6)


# -- Mahimahi ---------------------------------------------------------------------------------


def test_mahimahi_bins_by_hand(mahimahi):
    # Packets at 1, 5, 10 | 11, 12 | 25: 3, 2 and 1 of 12 kbit in 10, 10 and 5 ms.
    link = read_mahimahi(mahimahi([1, 5, 10, 11, 12, 25]), bin_s=0.01)
    np.testing.assert_allclose(link.edges_s, [0.0, 0.010, 0.020, 0.025], rtol=1e-15)
    np.testing.assert_allclose(rates(link), [3.6e6, 2.4e6, 2.4e6], rtol=1e-12)


@pytest.mark.parametrize(
    ("stamps", "bin_s", "edges_ms", "packets"),
    [
        ([10, 10, 10, 20], 0.01, [0, 10, 20], [3, 1]),  # repeated; the end closes a whole bin
        ([0, 0, 3, 10], 0.01, [0, 10], [4]),  # stamps at 0 open the first bin
        ([0, 1], 0.001, [0, 1], [2]),
        ([7], 1.0, [0, 7], [1]),  # a bin longer than the trace
        ([1, 40, 41], 0.02, [0, 20, 40, 41], [1, 1, 1]),  # the short bin is a single millisecond
        ([35], 0.01, [0, 10, 20, 30, 35], [0, 0, 0, 1]),  # outages before the first packet
    ],
)
def test_mahimahi_borders(mahimahi, stamps, bin_s, edges_ms, packets):
    link = read_mahimahi(mahimahi(stamps), bin_s=bin_s)
    np.testing.assert_allclose(link.edges_s, np.array(edges_ms) / 1e3, rtol=1e-15)
    expected_bps = np.array(packets) * 12_000 / (np.diff(edges_ms) / 1e3)
    np.testing.assert_allclose(rates(link), expected_bps, rtol=1e-12)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60), st.integers(1, 120))
def test_every_packet_is_counted_once_in_its_bin(tmp_path_factory, stamps, bin_ms):
    stamps = sorted(stamps)
    if stamps[-1] == 0:
        return
    path = tmp_path_factory.getbasetemp() / "trace.up"
    path.write_text("\n".join(map(str, stamps)))
    link = read_mahimahi(path, bin_s=bin_ms / 1e3)
    counted = np.zeros(rates(link).size)
    for stamp in stamps:  # a packet at t ms leaves within millisecond t, (t - 1, t]
        counted[max(0, math.ceil(stamp / bin_ms) - 1)] += 1
    packets = rates(link) * np.diff(link.edges_s) / 12_000
    np.testing.assert_allclose(packets, counted, rtol=1e-9)
    assert link.end_s == pytest.approx(stamps[-1] / 1e3, rel=1e-15)
    trace = LinkTrace.irregular(link.edges_s, rates(link))
    assert trace.bits[-1] == pytest.approx(12_000 * len(stamps), rel=1e-12)


def test_a_looped_mahimahi_trace_starts_over_at_its_last_stamp(mahimahi):
    # As Mahimahi does: the second round's stamps are shifted by the last one, 25 ms.
    stamps = np.array([1, 5, 10, 11, 12, 25])
    looped = read_mahimahi(mahimahi(stamps), bin_s=0.025).covering(0.1, "loop")
    longer = read_mahimahi(mahimahi((stamps + np.c_[:4] * 25).ravel()), bin_s=0.025)
    np.testing.assert_allclose(looped.edges_s, longer.edges_s, rtol=1e-14)
    np.testing.assert_allclose(rates(looped), rates(longer), rtol=1e-12)


def test_mahimahi_with_windows_line_ends_and_none_at_the_end(csv):
    link = read_mahimahi(csv("1\r\n2\r\n3", "trace.down"), bin_s=0.001)
    np.testing.assert_allclose(rates(link), [12e6, 12e6, 12e6], rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n \n", "the trace file is empty"),
        ("1\n2.5\n", "a Mahimahi trace has one integer per line"),
        ("1\n2e3\n", "a Mahimahi trace has one integer per line"),
        ("time_s,rate_bps\n0,1\n", "a Mahimahi trace has one integer per line"),
        ("99999999999999999999\n", "a Mahimahi trace has one integer per line"),
        (b"\xff\xfe1\n", "a Mahimahi trace has one integer per line"),
        ("5\n4\n", r"line 2 \(4 ms\): times must not fall or be negative"),
        ("-1\n4\n", r"line 1 \(-1 ms\): times must not fall or be negative"),
        ("0\n0\n", "all packets are at 0 ms, so the trace has no length"),
    ],
)
def test_unusable_mahimahi_files_are_refused_and_named(csv, text, message):
    path = csv(text, "trace.up")
    with pytest.raises(TraceFileError, match=message) as refusal:
        read_mahimahi(path, bin_s=0.01)
    assert str(refusal.value).startswith(f"{path}: ")


@pytest.mark.parametrize("bin_s", [0.0, -0.01, 0.0015, 1e-4])
def test_a_bin_is_a_whole_number_of_milliseconds(mahimahi, bin_s):
    with pytest.raises(TraceFileError, match=f"whole number of milliseconds, got {bin_s:g} s"):
        read_mahimahi(mahimahi([1, 2]), bin_s=bin_s)
