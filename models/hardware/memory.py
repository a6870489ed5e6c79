"""Memory that a training step frees, kept for the next step."""

import ctypes

# Parameters of mallopt and their values (glibc's malloc.h; mallopt(3)).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Let the C library keep large blocks that are freed; does nothing where it cannot.

    By default each large tensor is mapped anew and its pages are cleared when first touched, which
    takes a quarter of a training step on a processor.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_TOP_PAD, 2**28)
