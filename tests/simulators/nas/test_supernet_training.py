"""The supernet is really trained, and what is compiled computes what was trained."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from archgym_simulators.nas.cell_hardware import Hardware  # noqa: E402
from archgym_simulators.nas.digits_task import validation_images  # noqa: E402
from archgym_simulators.nas.supernet_kernel import calibrated_scales, count_right  # noqa: E402
from archgym_simulators.nas.supernet_model import examination_of, slot_costs  # noqa: E402
from archgym_simulators.nas.supernet_network import Supernet, weights_of  # noqa: E402
from archgym_simulators.nas.supernet_shape import STEM, STRIDES, WIDTHS  # noqa: E402
from archgym_simulators.nas.supernet_training import (  # noqa: E402
    BIGGEST,
    SMALLEST,
    Recipe,
    random_subnet,
    train_subnet,
    train_supernet,
)
from archgym_simulators.nas.supernet_weights import read_supernet, write_supernet  # noqa: E402

ONE_EPOCH = Recipe(epochs=1, rate=0.2, sampled=1)
SHORT = Recipe(epochs=8, rate=0.2, sampled=1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture(scope="module")
def trained():
    return train_supernet(SHORT, seed=3)


def subnets_of(rng, count):
    return [BIGGEST, SMALLEST, *(random_subnet(rng) for _ in range(count))]


def test_training_gives_the_same_bits_again_and_another_seed_others():
    first = train_supernet(ONE_EPOCH, seed=3)
    for seed, same in ((3, True), (4, False)):
        again = train_supernet(ONE_EPOCH, seed=seed)
        equal = [torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)]
        assert all(equal) == same


def test_training_the_supernet_teaches_the_biggest_the_smallest_and_those_between(trained):
    before, rng = Supernet(3), np.random.default_rng(0)
    images = torch.from_numpy(np.array(validation_images().pixels))[:, None]
    classes = torch.from_numpy(np.array(validation_images().classes))
    for subnet in subnets_of(rng, 2):
        with torch.no_grad():
            first, last = (torch.nn.functional.cross_entropy(one(images, subnet), classes) for one in (before, trained))
        assert last < first - 0.1, subnet


def test_a_subnet_alone_leaves_the_rest_as_it_was():
    alone, untouched = train_subnet(SMALLEST, ONE_EPOCH, seed=5), Supernet(5)
    assert torch.equal(alone.layers[8].expand, untouched.layers[8].expand), "no gradient, and no decay"
    assert not torch.equal(alone.layers[0].expand[:8], untouched.layers[0].expand[:8])


def test_the_compiled_network_names_what_the_trained_one_names(trained):
    """With half-precision weights in both, and the validation images' own statistics."""
    weights, rng = weights_of(trained), np.random.default_rng(1)
    for parameter in trained.parameters():
        parameter.data = parameter.data.half().float()
    images = validation_images()
    pixels = np.ascontiguousarray(images.pixels.reshape(-1, 100).T)
    for subnet in subnets_of(rng, 4):
        network = (weights, np.array([STEM, *WIDTHS]), np.array(STRIDES), np.array(subnet))
        scales = calibrated_scales(*network, pixels)
        with torch.no_grad():
            named = trained(torch.from_numpy(np.array(images.pixels))[:, None], subnet).argmax(dim=1).numpy()
        agreed = count_right(*network, scales, pixels, named)
        assert agreed >= 1995, "of 2,000; sums in another order round otherwise"


def test_parameters_are_those_that_a_subnet_touches():
    costs, rng = slot_costs(Hardware()), np.random.default_rng(2)
    for subnet in subnets_of(rng, 4):
        network = Supernet(0)
        network(torch.randn(8, 1, 10, 10), subnet).square().sum().backward()
        slices = touched(network, subnet)
        assert costs.totals(np.array([subnet]))[0, 0] == slices


def touched(network, subnet):
    """Trained numbers of the slices, counted from the network's own tensors."""
    total = sum(one.numel() for one in (network.stem, network.stem_norm, *network.classifier.parameters()))
    for layer, (kernel, expansion) in zip(network.layers, subnet, strict=True):
        if kernel:
            inner = expansion * layer.expand.shape[1]
            total += layer.expand[:inner].numel() + inner * kernel**2 + layer.project[:, :inner].numel()
            total += 2 * inner + 2 * inner + layer.project_norm.numel()
    return total


def test_what_is_written_is_what_is_read(trained, tmp_path):
    weights = weights_of(trained)
    digest = write_supernet(tmp_path / "own.npz", weights, {"seed": 3})
    supernet = read_supernet(tmp_path / "own.npz")
    assert (supernet.digest, supernet.about) == (digest, {"seed": 3})
    for mine, read in zip(weights, supernet.weights, strict=True):
        np.testing.assert_array_equal(mine, read)
    right = examination_of(supernet, supernet.validation()).right(np.array([BIGGEST]))
    assert 0 < right[0] < 2000
