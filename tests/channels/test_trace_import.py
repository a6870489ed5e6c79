"""Recordings of other programs as traces: what is found, what is done, what is refused."""

import gzip
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.channels.trace_columns import ColumnError, parse_rate_unit, time_unit_in
from fadeline.channels.trace_import import Choices, import_trace
from fadeline.channels.tracefile import TraceFileError, read_mahimahi, read_trace

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "traces"


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table and gives its path."""

    def write(text):
        path = tmp_path / "drive.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def imported(path, **choices):
    """Import a table, and check that the trace is read as it is."""
    trace = import_trace(path, Choices(**choices))
    made = path.with_name("made.csv")
    made.write_text(trace.as_csv())
    link = read_trace(made)
    if trace.report.kind == "rate_bps":
        found = link.rate_bps
    else:
        assert link.snr is not None
        found = 10 * np.log10(link.snr)
    assert found is not None
    np.testing.assert_allclose(found, trace.values, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(link.edges_s[:-1], trace.time_s, atol=1e-9)
    return trace


DRIVE = """\
Timestamp,Longitude,RSRP,SNR,DL_bitrate,UL_bitrate
2021.03.04_23.59.54,-8.4,-95,1,0,100
2021.03.04_23.59.55,-8.4,-95,1,0,100
2021.03.04_23.59.56,-8.4,-95,1,0,100
2021.03.04_23.59.57,-8.4,-95,1,0,100
2021.03.04_23.59.58,-8.4,-95,2.0,0,100
2021.03.04_23.59.58,-8.4,-95,4.0,9,300
2021.03.04_23.59.59,-8.4,-95,-,9,-
2021.03.05_00.00.00,-8.4,-95,7.5,9,0
2021.03.05_00.00.05,-8.4,-95,-1,9,50
"""


def test_a_drive_test(table):
    trace = imported(table(DRIVE), snr_db="SNR")
    assert trace.time_s.tolist() == list(range(12))
    assert trace.values.tolist() == [1, 1, 1, 1, 3, 3, 7.5, 7.5, 7.5, 7.5, 7.5, -1]
    report = trace.report
    assert (report.rows_read, report.rows_missing, report.times_doubled) == (9, 1, 1)
    assert (report.gaps, report.longest_gap_s, report.longest_gap_at_s) == (2, 5.0, 6.0)


def test_the_uplink_is_taken_where_names_say_so(table):
    trace = imported(table(DRIVE), unit="kbit/s")
    assert (trace.report.value, trace.report.kind) == ("UL_bitrate", "rate_bps")
    assert trace.values[4] == 200e3
    assert imported(table(DRIVE), rate="dl_bitrate", unit="kbit/s").values[4] == 4.5e3


def test_the_report_in_two_lines(table):
    first, second = imported(table(DRIVE), snr_db="SNR").report.lines()
    assert first == (
        "snr_db from SNR (dB), time_s from Timestamp (dates and times) since 2021.03.04_23.59.54: "
        "12 rows, mostly 1 s apart, 12 s in all"
    )
    assert second == (
        "rows read: 9; without time or value, left out: 1; too late, put in order: 0; times with "
        "several rows, averaged: 1; gaps filled with the row before: 2 (the longest 5 s after "
        "time_s 6; 5 rows put in)"
    )


TIMES_0_1_3 = [
    ("2021-03-04T23:59:59Z", "2021-03-05T00:00:00Z", "2021-03-05T00:00:02Z"),
    ("2021-03-04 23:59:59.250", "2021-03-05 00:00:00.250", "2021-03-05 00:00:02.250"),
    ("2021-03-04T23:59:59+01:00", "2021-03-05T00:00:00+0100", "2021-03-05T01:00:02+02:00"),
    ("2021/3/4 9:59:59", "2021/3/4 10:00:00", "2021/3/4 10:00:02"),
    ("2021.03.04_23.59.59", "2021.03.05_00.00.00", "2021.03.05_00.00.02"),
    ("20210304_235959", "20210305_000000", "20210305_000002"),
    ("20210304T235959Z", "20210305T000000Z", "20210305T000002Z"),
    ("04.03.2021 23:59:59", "05.03.2021 00:00:00", "05.03.2021 00:00:02"),
    ("12/31/2021 23:59:59", "1/1/2022 00:00:00", "1/1/2022 00:00:02"),
    ("31/12/2021 23:59:59", "1/1/2022 00:00:00", "1/1/2022 00:00:02"),
    ("09:59:59", "10:00:00", "10:00:02"),
    ("1614902399", "1614902400", "1614902402"),
    ("1614902399000", "1614902400000", "1614902402000"),
    ("1614902399000000", "1614902400000000", "1614902402000000"),
    ("1614902399000000000", "1614902400000000000", "1614902402000000000"),
]


@pytest.mark.parametrize("stamps", TIMES_0_1_3, ids=[stamps[0] for stamps in TIMES_0_1_3])
def test_times_that_are_understood(table, stamps):
    rows = "".join(f"{stamp},{value}\n" for stamp, value in zip(stamps, (1, 2, 3), strict=True))
    trace = import_trace(table(f"Time,SNR\n{rows}"), Choices(gaps="hold"))
    assert trace.time_s[[0, 1, -1]].tolist() == [0.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("name", "choices", "step_s"),
    [
        ("time_s", {}, 5.0),
        ("Time [ms]", {}, 5e-3),
        ("pub_time(us)", {}, 5e-6),
        ("timestamp_ms", {}, 5e-3),
        ("t", {"time_unit": "s"}, 5.0),
        ("time_ms", {"time_unit": "us"}, 5e-6),
        ("number", {"time": "number", "time_unit": "ms"}, 5e-3),
    ],
)
def test_units_of_numbers(table, name, choices, step_s):
    trace = imported(table(f"{name},SNR\n100,1\n105,2\n110,3\n"), **choices)
    np.testing.assert_allclose(trace.time_s, [0, step_s, 2 * step_s], rtol=1e-9)


def test_a_time_format_of_ones_own(table):
    path = table("when,SNR\n4 Mar 21 11:59:59 PM,1\n5 Mar 21 12:00:00 AM,2\n")
    assert imported(path, time="when", time_format="%d %b %y %I:%M:%S %p").time_s[-1] == 1.0


@pytest.mark.parametrize(
    ("text", "choices", "values"),
    [
        ("time_s;UL (kbps)\n0;1,5\n1;2,5\n", {}, [1500, 2500]),
        ('time_s,ul_mbps\n0,"1,5"\n1,"2"\n', {"delimiter": ","}, None),
        ("time_s\tThroughput_Mbps\n0\t1.5\n1\t2\n", {}, [1.5e6, 2e6]),
        ("time_s,throughput_bps\n0,1.5\n1,2\n", {}, [1.5, 2]),
        ("time_s,rate\n0,1\n1,2\n", {"unit": "byte/s"}, [8, 16]),
        ("time_s,txThroughput\n0,1\n1,2\n", {"unit": "kbyte/s"}, [8e3, 16e3]),
        ("time_s,DL_Mbps,UL_Mbps\n0,9,1\n1,9,2\n", {}, [1e6, 2e6]),
        ("time_s,uplinkThroughput_kbps,downlinkThroughput_kbps\n0,1,9\n1,2,9\n", {}, [1e3, 2e3]),
        ("time_s rate_kbps\n0 1\n1 2\n", {}, [1e3, 2e3]),
        ("time_s:rate_kbps\n0:1\n1:2\n", {"delimiter": ":"}, [1e3, 2e3]),
        ("time_s,SS-SINR\n0,1\n1,-inf\n", {}, [1, -np.inf]),
        ("time_s,sinr(db),rsrp\n0,1,5\n1,2,5\n", {}, [1, 2]),
        ("time_s,SNR,SINR\n0,1,5\n1,2,6\n", {"snr_db": "SINR"}, [5, 6]),
    ],
)
def test_columns_and_units_that_are_found(table, text, choices, values):
    if values is None:  # a decimal comma where commas part the columns may be a thousand
        with pytest.raises(TraceFileError, match=r"line 2: ul_mbps is '1,5', no number"):
            imported(table(text), **choices)
        return
    with np.errstate(divide="ignore"):
        assert imported(table(text), **choices).values.tolist() == values


MISSING_ROWS = "time_s,SNR\n0,1\n1,-\n2,\n3,NA\n4,n/a\n5,NaN\n6,null\n,9\n-,9\n7,2\n"


def test_missing_values_are_left_out(table):
    text = MISSING_ROWS + "8,3\n9,2147483647\n10,4\n11,5\n12,5\n13,5\n14,5\n"
    trace = imported(table(text), missing=["2147483647"])
    assert trace.report.rows_missing == 9
    assert trace.values.tolist() == [1] * 7 + [2, 3, 3, 4, 5, 5, 5, 5]


def test_samples_of_one_time_are_averaged(table):
    trace = imported(table("time_s,rate_kbps\n0,1\n0,2\n0,6\n1,5\n1,-\n2,1\n2,0\n"))
    assert trace.values.tolist() == [3e3, 5e3, 500]
    assert trace.report.times_doubled == 2
    with np.errstate(divide="ignore"):
        outage = imported(table("time_s,SNR\n0,1\n0,-inf\n1,5\n"))
    assert outage.values.tolist() == [-np.inf, 5]


def test_rows_a_little_late_are_put_in_order(table):
    times = [0, 1, 3, 2, *range(4, 12)]
    trace = imported(table("time_s,SNR\n" + "".join(f"{time},{time}\n" for time in times)))
    assert trace.values.tolist() == sorted(times)
    assert trace.report.rows_moved == 1
    for other in ([0, 1, 2, 0, 1, 2], [*range(12), 8], [*range(12), 0]):
        rows = "".join(f"{time},1\n" for time in other)
        with pytest.raises(TraceFileError, match="if the file holds several recordings"):
            imported(table("time_s,SNR\n" + rows))


GAPPY = "time_s,{name}\n0,5\n1,6\n2,7\n6.5,8\n7.5,9\n"


@pytest.mark.parametrize(
    ("name", "gaps", "filler"),
    [("SNR", "hold", 7), ("SNR", "outage", -np.inf), ("rate_bps", "outage", 0)],
)
def test_gaps_are_filled_as_asked(table, name, gaps, filler):
    with np.errstate(divide="ignore"):
        trace = imported(table(GAPPY.format(name=name)), gaps=gaps)
    assert trace.time_s.tolist() == [0, 1, 2, 3, 4, 5, 6, 6.5, 7.5]
    assert trace.values.tolist() == [5, 6, 7, filler, filler, filler, filler, 8, 9]
    report = trace.report
    assert (report.gaps, report.longest_gap_s, report.longest_gap_at_s) == (1, 4.5, 2.0)
    assert (report.rows_filled, report.filled_with, report.duration_s) == (4, gaps, 8.5)


@given(st.lists(st.floats(1e-3, 50.0), min_size=2, max_size=40))
def test_any_times_give_a_trace_that_is_read(tmp_path_factory, lengths_s):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    times = np.cumsum([0.0, *lengths_s]).round(6)
    rows = "".join(f"{time:.6f},{number}\n" for number, time in enumerate(times))
    path.write_text(f"time_s,SNR\n{rows}")
    trace = imported(path)
    assert set(np.arange(len(times))) == set(trace.values)
    first = [int(np.argmax(trace.values == number)) for number in range(len(times))]
    np.testing.assert_allclose(trace.time_s[first], times, atol=1e-8)


def test_rows_are_chosen_by_other_columns(table):
    text = "run,cell,time_s,SNR\n1,a,0,1\n1,a,1,2\n2,a,0,3\n2,b,0,9\n2,a,1,4\n"
    trace = imported(table(text), where={"run": "2", "Cell": "a"})
    assert trace.values.tolist() == [3, 4]
    with pytest.raises(TraceFileError, match=r"--where run=7: no such row; run is 1, 2"):
        imported(table(text), where={"run": "7"})
    with pytest.raises(TraceFileError, match="line 4: time_s falls from 1 to 0"):
        imported(table(text))


BOTH = "time_s,SNR,DL_kbps,UL_kbps\n0,1,2,3\n1,1,2,3\n"


@pytest.mark.parametrize(
    ("text", "choices", "message"),
    [
        ("", {}, "the trace file is empty"),
        ("0,1\n1,2\n", {}, "has no header line"),
        (BOTH, {}, r"holds SNR \(SNR\) and rates \(DL_kbps, UL_kbps\); say which with --snr-db SNR "
         "or --rate UL_kbps"),
        (BOTH, {"snr_db": "SNR", "rate": "UL_kbps"}, "--snr-db and --rate: give one of them"),
        (BOTH, {"snr_db": "SNR", "unit": "kbit/s"}, "--unit kbit/s: is for rates; an SNR is in dB"),
        (BOTH, {"snr_db": "SNRR"}, "--snr-db SNRR: no such column; there are time_s, SNR, .*; did "
         r"you mean SNR\?"),
        (BOTH, {"rate": "UL_kbps", "unit": "furlong/s"}, "--unit furlong/s: must be one of bit/s"),
        (BOTH, {"snr_db": "SNR", "time": "zeit"}, "--time zeit: no such column"),
        (BOTH.replace("time_s", "n"), {"snr_db": "SNR"}, "no column is named as a time; there are"),
        (BOTH.replace("time_s,SNR", "time,Time"), {"unit": "kbit/s"},
         "several columns may hold the time: time, Time"),
        ("time_s,a\n0,1\n1,2\n", {}, "no column is named as SNR or rate; there are time_s, a"),
        ("time_s,frame_rate\n0,1\n1,2\n", {}, "no column is named as SNR or rate"),
        ("time_s,SNR,SINR\n0,1,1\n1,2,1\n", {}, "several columns may hold SNR: SNR, SINR"),
        ("time_s,DL_kbps\n0,1\n1,2\n", {}, "DL_kbps is of the downlink; say which rate a device"),
        ("time_s,a_kbps,b_kbps\n0,1,1\n1,2,1\n", {}, "a_kbps, b_kbps may be meant; say which rate"),
        ("time_s,bitrate\n0,1\n1,2\n", {}, "bitrate: its name does not say in which unit it is"),
        ("time_s,rate MB/s\n0,1\n1,2\n", {}, "rate MB/s: its name does not say in which unit"),
        ("time_s,x,x\n0,1,1\n1,2,1\n", {"snr_db": "x"}, "--snr-db x: 2 columns have this name"),
        ("time,SNR\n0,1\n1,2\n", {}, "time: holds numbers, and its name does not say in"),
        ("time,SNR\n0,1\n1,2\n", {"time_unit": "min"}, "--time-unit min: must be one of s, ms, us"),
        ("time,SNR\n0,1\nnow,2\n", {"time_unit": "s"}, "line 3: time is 'now', no number"),
        ("time,SNR\nnoon,1\nnow,2\n", {}, "time: 'noon' is a time in no form that is known"),
        ("time,SNR\n10:00:00,1\nnow,2\n", {}, "line 3: time is 'now', not a time like the others"),
        ("time,SNR\n1/2/2021 10:00,1\n1/2/2021 10:01,2\n", {}, "may have the day or the month"),
        ("time,SNR\n2021-13-01 10:00,1\n2021-13-01 10:01,2\n", {}, "line 2: time is '2021-13-01 "),
        ("time,SNR\n10:00:00,1\n10:00:01,2\n", {"time_format": "%H:%M"}, "line 2: time is '10:00"),
        ("time,SNR\n10:00:00,1\n10:00:01,2\n", {"time_format": "%Q"}, "--time-format %Q: 'Q' is "),
        ("time,SNR\n1,1\n2,2\n", {"time_format": "%H", "time_unit": "s"}, "give one of them"),
        ("time,SNR\n23:59:59,1\n00:00:00,2\n", {}, "line 3: time falls from 23:59:59 to 00:00:00"),
        ("time_s,SNR\n5,1\n5,2\n", {}, "time_s: is 5 in all rows, so the trace has no length"),
        ("time_s,SNR\n5,1\n6,-\n", {}, "1 of 2 rows have both time_s and SNR; a trace needs two"),
        ("time_s,SNR\n0,1\n1,good\n", {}, "line 3: SNR is 'good', no number; if it stands where"),
        ("time_s,SNR\n0,1\n1,255\n", {}, "line 3: SNR is '255', no SNR in dB; if it stands where"),
        ("time_s,SNR\n0,1\n1,inf\n", {}, "line 3: SNR is 'inf', no SNR in dB"),
        ("time_s,a_bps\n0,1\n1,-1\n", {}, "line 3: a_bps is '-1', no rate; if it stands where"),
        ("time_s,SNR\n0,1\n1\n", {}, "line 3: has 1 cells where the header has 2"),
        (GAPPY.format(name="SNR"), {"gaps": "refuse"}, r"a gap of 4\.5 s after time_s 2, and 1 in"),
        ("time_s,SNR\n0,1\n0.000001,1\n0.000002,1\n99,1\n", {}, "more than 20000000 rows; cut the"),
        (BOTH, {"delimiter": "::"}, "--delimiter ::: must be one character, or comma, semicolon"),
        (b"PK\x03\x04", {}, "is a spreadsheet or archive; save the sheet as CSV"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_refused_by_name(table, text, choices, message):
    path = table(text)
    with pytest.raises(TraceFileError, match=message) as refusal:
        imported(path, **choices)
    assert str(refusal.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9), ("byte/s", 8.0),
        ("kbyte/s", 8e3), ("Mbyte/s", 8e6), ("bps", 1.0), ("kbps", 1e3), ("Mbps", 1e6),
        ("mbps", 1e6), ("kB/s", 8e3), ("MBps", 8e6), ("Bps", 8.0), ("Mb/s", 1e6),
    ],
)  # fmt: skip
def test_units_of_rates(text, factor):
    assert parse_rate_unit(text) == factor


def test_words_that_are_no_units():
    for text in ("", "kilobit", "dB", "bit"):
        with pytest.raises(ColumnError, match="must be one of bit/s"):
            parse_rate_unit(text)
    assert [time_unit_in(name) for name in ("time", "", "Time (sec)", "t_us")] == [
        None, None, "s", "us",
    ]  # fmt: skip


# Recordings of others, where they are at hand.

needs_recordings = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings here")


def copied(path, tmp_path):
    """Return a copy, since `imported` writes beside what it reads."""
    return Path(tmp_path / "in.csv").write_bytes(path.read_bytes()) and tmp_path / "in.csv"


def lasts_s(path, **choices):
    """Import a table and return how long it lasts, or why it was refused."""
    try:
        return imported(path, **choices).report.duration_s
    except TraceFileError as error:
        return str(error)


@needs_recordings
@pytest.mark.parametrize(
    "choices",
    [{"snr_db": "SNR"}, {"unit": "kbit/s"}, {"rate": "DL_bitrate", "unit": "kbit/s"}],
    ids=["snr", "uplink", "downlink"],
)
def test_a_production_networks_drives(tmp_path, choices):
    found = []
    with zipfile.ZipFile(RECORDINGS / "5g_cork/5G-production-dataset.zip") as archive:
        names = [n for n in archive.namelist() if n.endswith(".csv") and "__MACOSX" not in n]
        for name in names[::6]:
            path = tmp_path / "in.csv"
            path.write_bytes(archive.read(name))
            found.append(lasts_s(path, **choices))
    refused = [why for why in found if isinstance(why, str)]
    assert all("have both Timestamp and SNR" in why for why in refused)  # a silent modem
    assert len(found) - len(refused) >= 10
    assert min(duration_s for duration_s in found if not isinstance(duration_s, str)) > 60


@needs_recordings
def test_a_test_tracks_runs(tmp_path):
    found = []
    with tarfile.open(RECORDINGS / "cicv5g_delay/cicv5g_runs.tar.xz") as archive:
        for member in filter(tarfile.TarInfo.isfile, archive):
            path = tmp_path / "in.csv"
            content = archive.extractfile(member)
            assert content is not None
            path.write_bytes(content.read())
            found.append(lasts_s(path, time="pub_time(ms)"))
    refused = [why for why in found if isinstance(why, str)]
    # Headers of ten names over twelve columns, and several runs in one file
    assert all("where the header has 10" in why or "falls from" in why for why in refused)
    assert len(refused) <= 22
    assert len(found) - len(refused) >= 100


ONE_RUN = {"time": "seq_num", "time_unit": "s"}


@needs_recordings
@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("All-Carriers/03-User-Mobility/walking-trace.csv", ONE_RUN),
        (
            "All-Carriers/03-User-Mobility/car-driving-trace-2.csv",
            ONE_RUN | {"rate": "Verizon_throughput_mbps"},
        ),
        (
            "All-Carriers/01-Throughput/data.csv",
            ONE_RUN | {"where": {"carrier": "SPRINT", "run_num": "1", "num_tcp_conn": "1"}},
        ),
        (
            "mmWave-only/07-UE-Panel (Distance Tests)/data.csv",
            ONE_RUN | {"where": {"distance_in_meters": "25.0", "run_num": "1"}},
        ),
        (
            "mmWave-only/03-UE-Panel (LoS Tests)/data.csv",
            ONE_RUN | {"where": {"protocol": "TCP", "run_num": "1"}},
        ),
    ],
)
def test_a_first_look_at_millimetre_waves(tmp_path, name, choices):
    trace = imported(copied(RECORDINGS / "5gophers" / name, tmp_path), **choices)
    assert trace.report.unit == "Mbit/s"
    assert trace.report.duration_s >= 40
    assert 1e5 < trace.values.mean() < 5e9


@needs_recordings
def test_packet_deliveries_are_read_as_they_are(tmp_path):
    files = sorted((RECORDINGS / "mahimahi_uplink").glob("*.gz"))
    assert files
    for file in files:
        path = tmp_path / "trace.up"
        path.write_bytes(gzip.decompress(file.read_bytes()))
        assert read_mahimahi(path, bin_s=0.1).end_s > 10
        with pytest.raises(TraceFileError, match="no header line"):
            imported(path)
