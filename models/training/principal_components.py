"""The linear part of a codec, started as the principal components of its patches.

The Karhunen-Loeve transform packs the most of a patch into the fewest values (Hotelling, "Analysis
of a Complex of Statistical Variables Into Principal Components", 1933). Trained from there, a codec
restores recognisable clips from the first step on.

Letters: N clips, C channels.
"""

import torch
from torch import Tensor

from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.shape import GRID_PX
from fadeline.models.codecs.learned.stae import StaeEncoder


@torch.no_grad()
def start_from_components(codec: LearnedCodec, clips: Tensor) -> None:
    """Set both linear transforms, the gains and what a change weighs.

    Values come out with a variance of one. Gains and weights make up for it: a step of the
    quantiser is the same in pixels for all channels, and so is a change.

    Args:
        codec: Untrained, on the processor.
        clips: Some hundreds of training clips, shape (N, 3, T, H, W), in [0, 1].
    """
    mean, spread, components = _components(clips, codec.config.channels)
    analysis = components / spread[:, None]  # (C, 3 * GRID_PX**2)
    encoder, decoder = codec.encoder, codec.decoder
    # The encoder sees pixels as 2 x - 1.
    encoder.transform.weight.copy_(analysis.view_as(encoder.transform.weight) / 2.0)
    assert encoder.transform.bias is not None
    encoder.transform.bias.copy_(analysis @ (0.5 - mean))
    decoder.back.weight.copy_((components * spread[:, None]).T)
    decoder.back.bias.copy_(mean)
    codec.quantiser.turn_up_channels(spread.log())
    if isinstance(encoder, StaeEncoder):
        encoder.log_weights.copy_(spread.log())


def _components(clips: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean (P,), standard deviations (C,) and directions (C, P) of patches of P values."""
    N, colours, T, H, W = clips.shape
    rows, columns = H // GRID_PX, W // GRID_PX
    patches = clips.permute(0, 2, 1, 3, 4).reshape(N * T, colours, rows, GRID_PX, columns, GRID_PX)
    patches = patches.permute(0, 2, 4, 1, 3, 5).reshape(-1, colours * GRID_PX**2)
    mean = patches.mean(dim=0)
    variances, directions = torch.linalg.eigh(torch.cov((patches - mean).T.double()))
    spread = variances.flip(0)[:count].clamp(min=1e-12).sqrt()
    return mean, spread.float(), directions.flip(1)[:, :count].T.float()
