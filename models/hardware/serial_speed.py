"""How fast one core does work that cannot be spread: entropy coding of a fixed message."""

import numpy as np

from fadeline.models.hardware.latency import Effort, time_call

SYMBOLS = 100_000
LEVELS = 16
"""Size of the message and of its alphabet (our choice): some milliseconds of work, that of a clip
or two."""


def serial_symbols_per_s(effort: Effort) -> float:
    """Return how many symbols per second a range coder encodes and decodes again on one core.

    The message is the same on every machine; it repeats the 16 symbols in the shares that a
    quantised normal distribution gives them.

    Args:
        effort: How long to measure.
    """
    from constriction import stream

    levels = np.arange(LEVELS) - (LEVELS - 1) / 2
    shares = np.exp(-0.5 * (levels / 2) ** 2)
    shares /= shares.sum()
    model = stream.model.Categorical(shares, perfect=False)
    generator = np.random.default_rng(0)
    message = generator.choice(LEVELS, size=SYMBOLS, p=shares).astype(np.int32)

    def there_and_back() -> object:
        encoder = stream.queue.RangeEncoder()
        encoder.encode(message, model)
        return stream.queue.RangeDecoder(encoder.get_compressed()).decode(model, SYMBOLS)

    return SYMBOLS / time_call(there_and_back, effort).median_s
