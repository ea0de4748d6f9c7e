"""The compiled training computes what torch's automatic differentiation computes in double precision."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from archgym_simulators.nas.cell_network import CellNetwork  # noqa: E402
from archgym_simulators.nas.digits_task import training_epoch  # noqa: E402
from archgym_simulators.nas.skeleton import DIGITS  # noqa: E402
from archgym_simulators.nas.training_network import TrainingNetwork  # noqa: E402

CELLS = [
    (3, 1, 2, 4, 0, 1),
    (3, 3, 3, 3, 3, 3),
    (2, 2, 4, 1, 3, 2),
    (4, 4, 4, 4, 4, 4),
    (1, 3, 3, 2, 1, 4),
    (0, 3, 3, 0, 3, 0),
]


@pytest.fixture(params=CELLS, ids=str)
def networks(request):
    """A network and torch's with the same weights, which both give out in the same order."""
    compiled = TrainingNetwork(request.param, np.random.default_rng(5))
    reference = CellNetwork(request.param, DIGITS, 0).double()
    parameters = list(reference.parameters())
    assert sum(parameter.numel() for parameter in parameters) == len(compiled.supplies.weights)
    start = 0
    with torch.no_grad():
        for parameter in parameters:
            part = compiled.supplies.weights[start : start + parameter.numel()]
            parameter.copy_(torch.from_numpy(part.astype(np.float64)).reshape(parameter.shape))
            start += parameter.numel()
    return compiled, reference


def _batches(count):
    drawn = training_epoch(np.random.default_rng(3))
    return [(drawn.pixels[100 * i : 100 * i + 100], drawn.classes[100 * i : 100 * i + 100]) for i in range(count)]


def _loss(reference, pixels, classes):
    logits = reference(torch.from_numpy(pixels[:, None]).double())
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(classes))


def test_gradients_are_those_of_automatic_differentiation(networks):
    compiled, reference = networks
    [(pixels, classes)] = _batches(1)
    _loss(reference, pixels, classes).backward()
    compiled.learn(pixels, classes)
    expected = np.concatenate(
        [(p.grad if p.grad is not None else torch.zeros_like(p)).numpy().ravel() for p in reference.parameters()]
    )
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(compiled.supplies.gradients, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def test_steps_and_running_moments_are_those_of_torch(networks):
    compiled, reference = networks
    optimiser = torch.optim.SGD(reference.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for pixels, classes in _batches(3):
        optimiser.zero_grad()
        _loss(reference, pixels, classes).backward()
        optimiser.step()
        compiled.learn(pixels, classes)
        compiled.step(0.02)
    reference.eval()
    [(pixels, _)] = _batches(1)
    with torch.no_grad():
        expected = reference(torch.from_numpy(pixels[:, None]).double()).numpy()
    np.testing.assert_allclose(compiled.logits(pixels), expected, rtol=1e-3, atol=2e-3 * np.abs(expected).max())


def test_a_batch_of_evaluation_changes_nothing(networks):
    compiled, _ = networks
    (first, _), (second, _) = _batches(2)
    before = compiled.logits(first)
    compiled.logits(second)
    np.testing.assert_array_equal(compiled.logits(first), before)
