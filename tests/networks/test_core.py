"""The core of potentials in float64: smooth where it begins, repulsive inside, absent outside."""

import numpy as np
import pytest
import torch

from glassclf.configurations import Configuration, pairs_within
from glassclf.estimators.potential_samples import batch_of_pairs
from glassclf.networks import EnergyNetwork, PotentialNetwork, stopped_depth

BEGIN = np.array([[0.8, 0.7], [0.7, 0.9]])
CORE = torch.tensor(np.stack([BEGIN, np.full((2, 2), 20.0), BEGIN / 12]))


def batch_of(one):
    pairs = pairs_within(one, 1.6)
    member = {"types": one.types, "sources": pairs.sources, "neighbors": pairs.targets}
    return batch_of_pairs([{**member, "vectors": pairs.vectors, "forces": None}])


def trio(r):
    """Types 0 and 1 at a distance r, with another particle close to both."""
    positions = [[3.0, 3.0], [3.0 + r * 0.8, 3.0 + r * 0.6], [4.1, 2.5]]
    return Configuration(positions, [0, 1, 1], [12.0, 12.0])


@pytest.fixture(params=[0, 2])
def network(request):
    torch.manual_seed(0)
    settings = {"hidden_size": 8, "n_radial": 6, "angular_order": request.param}
    return PotentialNetwork(n_types=2, n_dims=2, r_min=0.7, r_max=1.6, **settings).double()


def energies_of(network, distances):
    return np.array([float(network.respond(batch_of(trio(r)), CORE).energies) for r in distances])


def test_forces_and_virial_are_derivatives_across_the_core(network):
    step = 1e-6
    for r in (0.3, 0.62, 0.66, 0.6999, 0.7, 0.7001, 0.75):
        found, one = network.respond(batch_of(trio(r)), CORE), trio(r)
        strain = np.eye(2)
        strain[0, 1] = step

        def energy(positions, cell=one.cell):
            moved = Configuration(positions, [0, 1, 1], cell)
            return float(network.respond(batch_of(moved), CORE).energies)

        for particle, axis in ((0, 0), (1, 1), (2, 0)):
            move = np.zeros((3, 2))
            move[particle, axis] = step
            slope = energy(one.positions + move) - energy(one.positions - move)
            expected = -slope / (2 * step) * network.length
            assert float(found.forces[particle, axis]) == pytest.approx(expected, rel=1e-5)
        back = 2 * np.eye(2) - strain
        slope = energy(one.positions @ strain.T, one.cell @ strain.T)
        slope -= energy(one.positions @ back.T, one.cell @ back.T)
        assert float(found.virials[0, 0, 1]) == pytest.approx(slope / (2 * step), rel=1e-5)


def test_two_derivatives_are_continuous(network):
    """Also where the network stops, half a length inside."""
    step = 1e-4
    for edge in (0.7, 0.7 - 0.7 / 24):
        before, after = (
            energies_of(network, edge + sign * step * np.arange(4)) for sign in (1, -1)
        )
        assert before[0] == after[0]
        # One-sided second derivatives, of second order in the step.
        curvatures = [(2 * e[0] - 5 * e[1] + 4 * e[2] - e[3]) / step**2 for e in (before, after)]
        assert curvatures[0] == pytest.approx(curvatures[1], rel=0.02, abs=2.0)


def test_inside_the_repulsion_grows(network):
    energies = energies_of(network, np.linspace(0.66, 0.02, 60))
    rises = np.diff(energies)
    assert (rises > 0).all()
    assert (np.diff(rises) > 0).all()
    # The network itself stays where it has stopped.
    bare = network.respond(batch_of(trio(0.7 - 0.7 / 48))).energies
    depth, length = 0.7 - 0.02, 0.7 / 12
    of_core = 20 * length * (np.exp(depth / length) - np.exp(0.25))
    assert energies[-1] - of_core == pytest.approx(float(bare), abs=0.5)


def test_outside_nothing_changes(network):
    for r in (0.7, 0.75, 1.2):
        with_core = network.respond(batch_of(trio(r)), CORE)
        without = network.respond(batch_of(trio(r)))
        for one, other in zip(with_core, without):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-13, atol=1e-13)


def test_own_networks_have_it_too():
    class Nothing(EnergyNetwork):
        def node_energies(self, batch):
            return batch.sum_edges(0 * batch.distances)

    pair = batch_of(Configuration([[3.0, 3.0], [3.5, 3.0]], [0, 0], [12.0, 12.0]))
    forces = Nothing().respond(pair, CORE).forces.numpy()
    np.testing.assert_allclose(forces[:, 0], np.array([-20, 20]) * np.exp(0.3 / (0.8 / 12)))


def test_depth_stops_with_three_derivatives():
    depth = torch.tensor([1e-3, 0.05 - 1e-3], dtype=torch.float64, requires_grad=True)
    derivative = stopped_depth(depth, 0.1)
    expected = [[1e-3, 0.025], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    for values, tolerance in zip(expected, (1e-6, 5e-3, 1.0, 600.0)):
        np.testing.assert_allclose(derivative.detach().numpy(), values, atol=tolerance)
        (derivative,) = torch.autograd.grad(derivative.sum(), depth, create_graph=True)
