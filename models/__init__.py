"""Learning: data sets, the video classifier, the codecs, their bitstreams and measured tables.

Knows nothing of time or radio. What is here is loaded when it is first used: importing this loads
no torch.

Example:
    >>> from fadeline.models import load_codec, encode, decode
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if __name__ != "fadeline.models":
    raise ImportError("import fadeline.models, not models")

if TYPE_CHECKING:
    from fadeline.models.classifiers.huggingface import load_huggingface
    from fadeline.models.classifiers.stored_vit import load_vit
    from fadeline.models.codecs.loading import load_codec
    from fadeline.models.codecs.stream import decode, encode
    from fadeline.models.errors import (
        BitstreamError,
        ClipError,
        ModelsError,
        OutcomesError,
        PluginError,
        ProfileError,
        WeightsError,
        WorkerError,
    )
    from fadeline.models.measurement.measuring import measure_outcomes
    from fadeline.models.training.train_codec import train_codec
    from fadeline.models.training.train_vit import train_vit

_MODULES = {
    "decode": "codecs.stream",
    "encode": "codecs.stream",
    "load_codec": "codecs.loading",
    "load_huggingface": "classifiers.huggingface",
    "load_vit": "classifiers.stored_vit",
    "measure_outcomes": "measurement.measuring",
    "train_codec": "training.train_codec",
    "train_vit": "training.train_vit",
}

__all__ = [
    "BitstreamError",
    "ClipError",
    "ModelsError",
    "OutcomesError",
    "PluginError",
    "ProfileError",
    "WeightsError",
    "WorkerError",
    "decode",
    "encode",
    "load_codec",
    "load_huggingface",
    "load_vit",
    "measure_outcomes",
    "train_codec",
    "train_vit",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
