"""`fadeline trace import`: a recording in, a trace that a scenario takes out."""

import json
from pathlib import Path

import pytest

DRIVE = """\
Timestamp;SNR;UL_bitrate
04.03.2021 23:59:58;2,5;100
04.03.2021 23:59:59;-;200
05.03.2021 00:00:00;4,5;300
05.03.2021 00:00:01;5;400
05.03.2021 00:00:01;6;600
"""


@pytest.fixture
def drive(in_tmp):
    """A drive test in the current folder."""
    Path("drive.csv").write_text(DRIVE)
    return "drive.csv"


def test_a_drive_becomes_a_trace_that_a_scenario_takes(drive, fadeline):
    answer = fadeline("trace", "import", drive, "--rate", "UL_bitrate", "--unit", "kbit/s",
                      "--out", "walk.csv")  # fmt: skip
    assert answer.code == 0, answer.err
    first, second, last = answer.out.splitlines()
    assert "rate_bps from UL_bitrate (kbit/s)" in first
    assert "the day first" in first
    assert "averaged: 1" in second
    assert last == "trace: walk.csv"
    assert (
        Path("walk.csv").read_text() == "time_s,rate_bps\n0,100000\n1,200000\n2,300000\n3,500000\n"
    )
    Path("mine.yaml").write_text(
        "extends: rayleigh\nname: mine\n"
        "channel:\n  fading: {kind: trace, file: walk.csv, at_end: loop}\n"
    )
    answer = fadeline("check", "mine.yaml", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["scenario"]["channel"]["fading"]["kind"] == "trace"


def test_json_says_what_was_done(drive, fadeline):
    answer = fadeline("trace", "import", drive, "--snr-db", "snr", "--out", "walk.csv", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["trace"], found["kind"], found["rows_missing"]) == ("walk.csv", "snr_db", 1)
    assert (found["times_doubled"], found["gaps"], found["rows"]) == (1, 0, 3)


def test_quiet_says_nothing(drive, fadeline):
    answer = fadeline("trace", "import", drive, "--snr-db", "SNR", "--out", "walk.csv", "-q")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_rows_missing_marks_and_gaps_can_be_chosen(in_tmp, fadeline):
    Path("runs.tsv").write_text(
        "run\tn\tMbps\n1\t0\t1\n2\t0\t5\n2\t1\t6\n2\t2\tx\n2\t3\t7\n2\t4\t8\n2\t9\t9\n"
    )
    answer = fadeline("trace", "import", "runs.tsv", "--time", "n", "--time-unit", "s",
                      "--where", "run=2", "--missing", "x", "--gaps", "outage",
                      "--delimiter", "tab", "--out", "walk.csv")  # fmt: skip
    assert answer.code == 0, answer.err
    rates = [line.split(",")[1] for line in Path("walk.csv").read_text().splitlines()[1:]]
    assert rates == ["5000000", "6000000", "7000000", "8000000", "0", "0", "0", "9000000"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drive.csv"], "error: drive.csv: holds SNR (SNR) and rates (UL_bitrate); say which with"),
        (
            ["drive.csv", "--unit", "kg"],
            "error: drive.csv: --unit kg: must be one of bit/s, kbit/s",
        ),
        (["drive.csv", "--where", "x"], "error: --where x: must look like COLUMN=TEXT"),
        (["no.csv"], "error: no.csv: no such trace file"),
        (["."], "error: .: is a folder, not a trace file"),
    ],
)
def test_what_cannot_be_known_is_refused_and_nothing_is_left(drive, fadeline, arguments, message):
    answer = fadeline("trace", "import", *arguments, "--out", "walk.csv")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(message)
    assert [path.name for path in Path().iterdir()] == ["drive.csv"]


def test_an_older_file_is_kept_unless_forced(drive, fadeline):
    Path("walk.csv").write_text("older")
    command = ["trace", "import", drive, "--snr-db", "SNR", "--out", "walk.csv"]
    answer = fadeline(*command)
    assert answer.code == 2
    assert "walk.csv: exists already; use --force" in answer.err
    assert Path("walk.csv").read_text() == "older"
    assert fadeline(*command, "--force").code == 0
    assert Path("walk.csv").read_text().startswith("time_s,snr_db\n0,2.5\n")


def test_out_is_a_csv_file(drive, fadeline):
    answer = fadeline("trace", "import", drive, "--out", "walk.parquet")
    assert "--out walk.parquet: must end in .csv" in answer.err


def test_a_wrong_trace_file_points_here(drive, fadeline):
    Path("mine.yaml").write_text(
        "extends: rayleigh\nname: mine\nchannel: {fading: {kind: trace, file: drive.csv}}\n"
    )
    (message,) = fadeline("check", "mine.yaml").err.splitlines()
    assert message.startswith("error: mine.yaml:3: channel.fading.file: ")
    assert "has ['Timestamp', 'SNR', 'UL_bitrate']" in message
    assert "fadeline trace import FILE --out walk.csv" in message
