"""FLOPs and bytes of networks, against numbers worked out by hand."""

import pytest
import torch
from torch import nn

from fadeline.models.hardware.network_cost import network_cost
from fadeline.models.hardware.reference_networks import network_call, reference_networks


def test_a_linear_layer():
    cost = network_cost(nn.Linear(8, 4), torch.zeros(2, 8))
    assert cost.flops == 2 * 2 * 8 * 4  # two per multiply-add, batch of 2
    assert cost.moved_bytes == 4 * ((8 * 4 + 4) + 2 * 8 + 2 * 4)  # weights, input, output


def test_a_convolution_and_what_follows_it():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()).eval()
    cost = network_cost(network, torch.zeros(1, 3, 10, 10))
    assert cost.flops == 2 * 100 * 8 * 27  # the activation is not counted
    weights, inside, out = 8 * 27 + 8, 300, 800
    assert cost.moved_bytes == 4 * (weights + inside + out + out + out)


def test_attention_is_counted():
    (transformer,) = (n for n in reference_networks() if n.name == "transformer")
    tokens, dim = transformer.shape
    cost = network_cost(transformer.build(), transformer.inputs(1))
    projections = 2 * tokens * dim * (3 * dim + dim + 8 * dim)
    attention = 2 * 2 * tokens * tokens * dim
    assert cost.flops == 6 * (projections + attention)


def test_flops_grow_with_the_batch_and_weights_do_not():
    layer = nn.Linear(64, 64)
    one, four = (network_cost(layer, torch.zeros(n, 64)) for n in (1, 4))
    assert four.flops == 4 * one.flops
    assert one.moved_bytes < four.moved_bytes < 2 * one.moved_bytes


def test_counting_leaves_no_hooks_behind():
    layer = nn.Linear(2, 2)
    network_cost(layer, torch.zeros(1, 2))
    assert not layer._forward_hooks


@pytest.mark.parametrize("reference", reference_networks(), ids=lambda reference: reference.name)
def test_reference_networks_run_and_cost_something(reference):
    network = reference.build()
    assert not network.training
    cost = network_cost(network, reference.inputs(1))
    assert cost.flops > 1e7
    assert cost.moved_bytes > 1e6
    answer = network_call(network, reference.inputs(2))()
    assert answer.shape[0] == 2
    assert not answer.requires_grad


def test_reference_networks_are_of_different_kinds():
    references = reference_networks()
    assert len({reference.name for reference in references}) == len(references) >= 4
    costs = [network_cost(each.build(), each.inputs(1)) for each in references]
    intensities = [cost.flops / cost.moved_bytes for cost in costs]
    assert min(intensities) < 1  # waits for memory on any machine
    assert max(intensities) > 50  # and for arithmetic
