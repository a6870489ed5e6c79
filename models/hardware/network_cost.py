"""What a network costs, whatever the machine: floating-point operations and bytes moved."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from fadeline.models.hardware.network_work import NetworkWork


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """Cost of one call.

    Attributes:
        flops: Floating-point operations of convolutions and matrix products, two for a
            multiply-add; activations, norms and sums are not counted.
        moved_bytes: Bytes of every parameter and buffer once, plus of the input and output of every
            module without children: what moves if nothing stays in a cache between layers.
            Operations that are no modules, such as attention itself or residual sums, are left out.
    """

    flops: int
    moved_bytes: int


def network_cost(network: nn.Module, batch: Tensor) -> NetworkCost:
    """Return the cost of a network for a batch.

    Args:
        network: In evaluation mode.
        batch: Its input.
    """
    return NetworkCost(_flops(network, batch), _moved_bytes(network, batch))


def network_work(network: nn.Module, batch: Tensor) -> NetworkWork:
    """Return what a network does for a clip and for a call.

    Args:
        network: Put into evaluation mode.
        batch: Input of two clips, shape (2, ...).
    """
    one, two = (network_cost(network.eval(), batch[:clips]) for clips in (1, 2))
    each = two.moved_bytes - one.moved_bytes
    return NetworkWork(one.flops, each, one.moved_bytes - each)


def _flops(network: nn.Module, batch: Tensor) -> int:
    # The counter does not know the fused attention of CPUs, but the products it is made of.
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), counter:
        network(batch)
    return int(counter.get_total_flops())


def _moved_bytes(network: nn.Module, batch: Tensor) -> int:
    moved = sum(map(_bytes, (*network.parameters(), *network.buffers())))

    def count(_: nn.Module, inputs: object, output: object) -> None:
        nonlocal moved
        moved += _bytes(inputs) + _bytes(output)

    leaves = [module for module in network.modules() if not any(module.children())]
    handles = [leaf.register_forward_hook(count) for leaf in leaves]
    try:
        with torch.inference_mode():
            network(batch)
    finally:
        for handle in handles:
            handle.remove()
    return moved


def _bytes(value: object) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    return sum(map(_bytes, value)) if isinstance(value, tuple | list) else 0
