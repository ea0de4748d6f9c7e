"""The mixed cell: seeds independent of each other, one-hot mixtures are cells, partial channels go round."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from archgym_simulators import InputError  # noqa: E402
from archgym_simulators.nas.cell_network import CellNetwork  # noqa: E402
from archgym_simulators.nas.mixed_cell import MixedCellNetwork, one_hot_mixture  # noqa: E402
from archgym_simulators.nas.skeleton import DIGITS  # noqa: E402

CELL = (3, 1, 2, 4, 0, 1)
SKIPS = (1, 1, 1, 1, 1, 1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def images(seeds, n=8, seed=0):
    pixels = np.random.default_rng(seed).normal(size=(n, seeds, 10, 10)).astype(np.float32)
    return torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)


def mixture(seeds, seed=0):
    return torch.softmax(torch.randn(seeds, 6, 5, generator=torch.Generator().manual_seed(seed)), dim=2)


@pytest.mark.parametrize("partial", [1, 2])
def test_a_seed_computes_what_it_would_compute_alone(partial):
    together = MixedCellNetwork(DIGITS, [3, 5], partial=partial)
    pixels, weights, edges = images(2), mixture(2), torch.tensor([[1.0, 0.3, 0.7, 0.2, 0.3, 0.5]] * 2)
    logits = together(pixels, weights, edges=edges)
    for s, seed in enumerate((3, 5)):
        alone = MixedCellNetwork(DIGITS, [seed], partial=partial)
        mine = alone(pixels[:, [s]], weights[[s]], edges=edges[[s]])
        assert torch.allclose(logits[:, [s]], mine, atol=1e-5)


def test_gradients_of_a_mixture_stay_with_its_seed():
    network, weights = MixedCellNetwork(DIGITS, [0, 1]), mixture(2).requires_grad_()
    network(images(2), weights)[:, 0].square().sum().backward()
    assert weights.grad[0].abs().max() > 0
    assert weights.grad[1].abs().max() == 0


def test_a_one_hot_mixture_is_the_cell():
    mixed = MixedCellNetwork(DIGITS, [0]).train()
    cell = CellNetwork(CELL, DIGITS, 0).train()
    convolutions = [m for m in cell.modules() if isinstance(m, torch.nn.Conv2d)]
    weights = one_hot_mixture(CELL, 1)
    used = [
        *_convolutions(mixed.stem),
        *(_of_cell(mixed.blocks[0])),
        *_convolutions(mixed.blocks[1]),
        *(_of_cell(mixed.blocks[2])),
        mixed.classifier,
    ]
    assert [m.weight.shape for m in used] == [m.weight.shape for m in convolutions]
    for mine, its in zip(used, convolutions, strict=True):
        mine.load_state_dict(its.state_dict())
    pixels = images(1)
    assert torch.allclose(mixed(pixels, weights)[:, 0], cell(pixels), atol=1e-4)


def _convolutions(module):
    return [m for m in module.modules() if isinstance(m, torch.nn.Conv2d)]


def _of_cell(block):
    """Convolutions of `CELL`, which are on the edges 0 and 2."""
    return [*_convolutions(block.edges[0].operations["3"]), *_convolutions(block.edges[2].operations["2"])]


def test_operations_without_weight_need_not_be_computed():
    network, pixels = MixedCellNetwork(DIGITS, [0, 1]), images(2)
    weights = one_hot_mixture(CELL, 2)
    short = network(pixels, weights, operations=[(operation,) for operation in CELL])
    assert torch.allclose(network(pixels, weights), short, atol=1e-6)


def test_an_edge_of_no_weight_brings_nothing():
    network, pixels, weights = MixedCellNetwork(DIGITS, [0]), images(1), mixture(1)
    edges = torch.ones(1, 6)
    edges[0, 3] = 0.0
    without = weights.clone()
    without[0, 3] = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
    assert torch.allclose(network(pixels, weights, edges=edges), network(pixels, without), atol=1e-5)


def test_channels_that_operations_do_not_see_go_round_them():
    x = images(4, seed=1).repeat(1, 8, 1, 1)  # (N, 2 seeds * 16, 10, 10)
    edge = MixedCellNetwork(DIGITS, [0, 1], partial=2).blocks[2].edges[0]
    nothing = torch.zeros(2, 5)
    passed = edge(x, nothing, range(5)).reshape(8, 2, 8, 2, 10, 10)
    assert torch.equal(passed[:, :, :, 1], x.reshape(8, 2, 2, 8, 10, 10)[:, :, 1])
    assert passed[:, :, :, 0].abs().max() == 0


def test_partial_must_divide_the_channels():
    with pytest.raises(InputError, match="partial must divide the 8 channels"):
        MixedCellNetwork(DIGITS, [0], partial=3)
