"""Which machine a measurement was made on."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """Fingerprint of a machine; holds no names of hosts, users or folders.

    Attributes:
        cpu: Model of the processor.
        cores: Logical cores that this process may use.
        memory_bytes: Installed memory, bytes.
        system: Operating system and version.
        python: Version of Python.
        torch: Version of torch.
        threads: Threads that torch used.
        date: Day of the measurement, UTC, YYYY-MM-DD.
    """

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    torch: str
    threads: int
    date: str


def this_machine(*, threads: int) -> Machine:
    """Return the fingerprint of this machine.

    Args:
        threads: Threads that the measurement lets torch use.
    """
    import torch

    return Machine(
        cpu=_cpu_model(),
        cores=usable_cores(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        torch=torch.__version__,
        threads=threads,
        date=datetime.now(UTC).date().isoformat(),
    )


def usable_cores() -> int:
    """Return how many logical cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quick_in_bfloat16() -> bool:
    """Return whether this machine computes in bfloat16 faster than in float32.

    On processors without instructions for it, it is emulated, many times slower.
    """
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _cpu_model() -> str:
    """Return the processor's name; on Arm Linux, which gives none, its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] else platform.processor() or platform.machine()
