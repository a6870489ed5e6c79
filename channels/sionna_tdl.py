"""Tapped delay lines from Sionna: the reference for ours, and an optional backend.

The only module that imports sionna, and only when called. Sionna draws from global generators and
seeds torch's default ones along the way; all of them are put back as they were.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fadeline.channels.clarke import Gains
from fadeline.channels.units import SPEED_OF_LIGHT_M_S

_CARRIER_HZ = 3.5e9
"""Any carrier will do: the speed is derived from it and from the Doppler frequency."""


def sionna_tdl_gains(
    rng: np.random.Generator,
    profile: str,
    *,
    delay_spread_s: float | None,
    doppler_hz: float,
    step_s: float,
    steps: int,
    links: int = 1,
) -> Gains:
    """Return the complex gain of each tap over time from Sionna's sum of 20 sinusoids.

    Args:
        rng: Generator that Sionna's seed is drawn from.
        profile: Name of the profile, such as "TDL-A" or "TDLA30".
        delay_spread_s: Delay spread of TDL-A to TDL-E, seconds; None for a fixed profile.
        doppler_hz: Maximum Doppler frequency, Hz.
        step_s: Time between samples, seconds.
        steps: Number of samples N.
        links: Number of links L. A tap takes about 200 bytes per link and sample meanwhile.

    Returns:
        Gains, shape (L, T, N), complex64.
    """
    import torch

    speed_m_s = doppler_hz * SPEED_OF_LIGHT_M_S / _CARRIER_HZ
    with _seeded(int(rng.integers(2**63))), torch.no_grad():
        from sionna.phy.channel.tr38901 import TDL

        tdl = TDL(
            profile.removeprefix("TDL").removeprefix("-"),
            delay_spread=delay_spread_s,
            carrier_frequency=_CARRIER_HZ,
            min_speed=speed_m_s,
            max_speed=speed_m_s,
            device="cpu",
        )
        coefficients, _ = tdl(links, steps, 1.0 / step_s)  # (L, 1, 1, 1, 1, T, N)
    gains: Gains = coefficients[:, 0, 0, 0, 0].numpy().astype(np.complex64)
    return gains


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed Sionna's generators, and put them and torch's default one back afterwards."""
    import torch

    # Sionna's mere import seeds torch anew, so torch's state is kept from before it.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        from sionna.phy import config

        names = ("_seed", "_py_rng", "_np_rng", "_torch_rngs")
        saved = {name: getattr(config, name) for name in names}
        try:
            config.seed = seed
            yield
        finally:
            for name, value in saved.items():
                setattr(config, name, value)
