"""Errors of data sets, networks and measurements that are the user's to fix.

ModelsError
├── ClipError         a data set, folder, video or cache cannot be used
├── WeightsError      weights, card or checkpoint are missing, damaged or of something else
├── BitstreamError    bytes are no stream of this codec, or were damaged on the way
├── OutcomesError     an outcome table is missing, damaged or of something else
├── ProfileError      a compute profile cannot be used
├── PluginError       what another package adds cannot be used
└── WorkerError       a process that works for this one cannot take its work, or was killed
"""


class ModelsError(Exception):
    """Base of all errors of this package with a message for the user; commands exit with 2."""


class ClipError(ModelsError):
    """A data set cannot be used: an unknown name, a missing folder, a damaged video or cache."""


class WeightsError(ModelsError):
    """Weights, a card or a checkpoint are missing, damaged or belong to something else."""


class BitstreamError(ModelsError):
    """Bytes are no stream of this codec, or were damaged on the way."""


class OutcomesError(ModelsError):
    """An outcome table is missing, damaged, or was measured on something else."""


class ProfileError(ModelsError):
    """A compute profile cannot be read or does not hold what is asked of it."""


class PluginError(ModelsError):
    """What another package adds cannot be used."""


class WorkerError(ModelsError):
    """A process that works for this one cannot take its work, or was killed."""
