"""The `table` scheme: a codec of the user's own, from a file of what was measured."""

from pathlib import Path

import numpy as np

from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.scheme import TableScheme
from fadeline.simulator.schemes.codec_table import read_codec_table
from fadeline.simulator.schemes.draws import Draws, chosen
from fadeline.simulator.schemes.scheme import PreparedClips, PreparedScheme


def table_scheme(scheme: TableScheme, name: str) -> PreparedScheme:
    """Return a scheme whose clips are rows of a file.

    Raises:
        FadelineError: If the file is unusable.
    """
    rows = read_codec_table(Path(scheme.file))

    def prepare(_: DeviceGroup, draws: Draws) -> PreparedClips:
        taken = chosen(draws, len(rows["data_index"]))
        return PreparedClips.without_labels(
            encode_s=rows["encode_s"][taken],
            payload_bits=rows["payload_bits"][taken],
            infer_s=rows["infer_s"][taken],
            correct=rows["correct"][taken].astype(bool),
            data_index=rows["data_index"][taken].astype(np.int64),
        )

    return PreparedScheme(name, (-1,), prepare)
