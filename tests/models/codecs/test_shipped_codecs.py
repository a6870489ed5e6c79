"""The shipped codecs and their outcome tables: of one version, and telling the same."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.codecs.stored_codec import load_codec
from fadeline.models.data.opening import open_clips
from fadeline.models.measurement.measuring import measure_outcomes
from fadeline.models.measurement.outcomes import (
    UNCOMPRESSED,
    read_outcomes,
    refuse_other_outcomes,
    shipped_checksums,
    shipped_outcomes,
)
from fadeline.models.measurement.rate_accuracy import rate_accuracy

CODECS = ("stae", "deepisc", "deepisc-task")
KEYS = ["codec", "classifier", "operating_point", "packets", "data_index"]


@pytest.mark.parametrize("data", ["actions/val", "actions/test"])
def test_tables_are_of_these_weights_and_clips(data):
    outcomes = read_outcomes(shipped_outcomes()[data])
    assert tuple(outcomes.codecs) == CODECS
    clips = open_clips(data, frames=16, size=64)
    refuse_other_outcomes(
        outcomes, "the table", data_version=clips.version, weights=shipped_checksums(CODECS)
    )
    assert sorted(outcomes.rows[outcomes.rows.codec == UNCOMPRESSED].data_index) == [
        *range(len(clips))
    ]


@pytest.mark.slow
def test_tables_tell_what_the_networks_do_with_any_number_of_workers():
    classifier, card = load_vit("vit-tiny-actions")
    clips = SomeClips(open_clips("actions/val", frames=16, size=64), 12)
    one, two = (
        measure_outcomes(
            [load_codec("stae-actions")], classifier, card, clips, checksum="x", workers=workers
        ).rows
        for workers in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)
    shipped = read_outcomes(shipped_outcomes()["actions/val"]).rows
    both = one.merge(shipped, on=KEYS, suffixes=("", "_then"))
    assert len(both) == len(one)
    # Another processor may round a value the other way, and then a few bytes and answers differ.
    assert (both.predicted == both.predicted_then).mean() > 0.97
    assert both.bytes.sum() == pytest.approx(both.bytes_then.sum(), rel=0.005)


def test_stae_is_right_more_often_than_deepisc_where_ratios_are_high():
    rows = rate_accuracy(read_outcomes(shipped_outcomes()["actions/test"]))
    stae = rows[(rows.codec == "stae") & (rows.classifier == "own") & (rows.packets == 1)]
    assert len(stae) == 9
    high = stae[stae.aimed_ratio >= 52]
    assert (high.deepisc_difference_lo > 0).all()
    assert (high.deepisc_task_difference_lo > 0).all()
    assert (stae.deepisc_ratio / stae.ratio - 1.0).abs().max() < 0.05


@pytest.mark.slow
def test_frame_scores_decide_nothing_where_all_frames_are_kept():
    """Positions compete with their own scores alone, so a stream is the same without the others."""
    clips = open_clips("actions/val")
    trained, plain = (load_codec("stae-actions") for _ in range(2))
    plain.codec.encoder.register_forward_hook(
        lambda _, __, output: replace(output, frame_scores=torch.zeros_like(output.frame_scores))
    )
    frames = trained.codec.config.frames
    assert {point.frames for point in trained.codec.points} == {frames}
    for index in range(6):
        clip = np.asarray(clips.clip(97 * index))
        for point in (2, 6):
            assert trained.encode(clip, point).stream == plain.encode(clip, point).stream
