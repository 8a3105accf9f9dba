"""Energies of networks: what must not change them, and forces as their gradient, in float64."""

import itertools

import numpy as np
import pytest
import torch

from glassclf.configurations import Configuration, Configurations, pairs_within
from glassclf.estimators.potential_samples import batch_of_pairs
from glassclf.networks import EnergyNetwork, InverseBasis, PotentialNetwork
from glassclf.testing import noisy_lattice

R_MAX = 1.6
CASES = list(itertools.product((2, 3), (0, 1, 2)))


def batch_of(*configurations, r_max=R_MAX):
    members = []
    for one in configurations:
        pairs = pairs_within(one, r_max)
        members.append(
            {
                "types": one.types,
                "sources": pairs.sources,
                "neighbors": pairs.targets,
                "vectors": pairs.vectors,
                "forces": None,
            }
        )
    return batch_of_pairs(members)


def make_network(n_dims, angular_order, n_layers=2):
    torch.manual_seed(0)
    return PotentialNetwork(
        n_types=2,
        n_dims=n_dims,
        r_min=0.7,
        r_max=R_MAX,
        hidden_size=8,
        n_layers=n_layers,
        n_radial=6,
        angular_order=angular_order,
    ).double()


def sample(n_dims, seed=0):
    n_cells = (4, 5) if n_dims == 2 else (4, 4, 4)
    return noisy_lattice(0.08, n_cells=n_cells, random_state=seed)


def energy_of(network, *configurations):
    return network.respond(batch_of(*configurations)).energies.numpy()


@pytest.mark.parametrize(("n_dims", "order"), CASES)
def test_energy_does_not_change_under_motions(n_dims, order):
    network, one = make_network(n_dims, order), sample(n_dims)
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.standard_normal((n_dims, n_dims)))
    mirror = np.diag([-1.0] + [1.0] * (n_dims - 1))
    new = rng.permutation(one.n_particles)
    others = [
        Configuration(one.positions + 0.7, one.types, one.cell),
        Configuration(one.positions @ turn, one.types, one.cell @ turn),
        Configuration(one.positions @ mirror, one.types, one.cell),
        Configuration(one.positions[new], one.types[new], one.cell),
    ]
    np.testing.assert_allclose(
        energy_of(network, *others), energy_of(network, one)[0], rtol=1e-10, atol=1e-10
    )
    forces = network.respond(batch_of(one)).forces.numpy()
    for motion, other in ((turn, others[1]), (mirror, others[2])):
        found = network.respond(batch_of(other)).forces.numpy()
        np.testing.assert_allclose(found, forces @ motion, atol=1e-9)


@pytest.mark.parametrize(("n_dims", "order"), CASES)
def test_energy_is_extensive(n_dims, order):
    network, one = make_network(n_dims, order), sample(n_dims)
    cell = one.cell.copy()
    cell[0] *= 2
    twice = Configuration(
        np.concatenate([one.positions, one.positions + one.cell[0]]), np.tile(one.types, 2), cell
    )
    single, double = energy_of(network, one, twice)
    assert double == pytest.approx(2 * single, rel=1e-10)


@pytest.mark.parametrize(("n_dims", "order"), CASES)
def test_forces_are_minus_the_gradient(n_dims, order):
    network, one = make_network(n_dims, order), sample(n_dims)
    forces = network.respond(batch_of(one)).forces.numpy()
    step = 1e-5
    for particle in range(one.n_particles):
        for axis in range(n_dims):
            moved = []
            for sign in (1, -1):
                positions = one.positions.copy()
                positions[particle, axis] += sign * step
                moved.append(Configuration(positions, one.types, one.cell))
            ahead, behind = energy_of(network, *moved)
            # Forces have the unit of the energy by the network's own length.
            slope = (behind - ahead) / (2 * step) * network.length
            assert forces[particle, axis] == pytest.approx(slope, rel=1e-6, abs=1e-7)
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-10)


@pytest.mark.parametrize(("n_dims", "order"), CASES)
def test_virial_is_the_derivative_by_the_strain(n_dims, order):
    network, one = make_network(n_dims, order), sample(n_dims)
    virial = network.respond(batch_of(one)).virials.numpy()[0]
    np.testing.assert_allclose(virial, virial.T, atol=1e-10)
    step = 1e-6
    for a, b in itertools.product(range(n_dims), repeat=2):
        strained = []
        for sign in (1, -1):
            strain = np.eye(n_dims)
            strain[a, b] += sign * step
            strained.append(Configuration(one.positions @ strain.T, one.types, one.cell @ strain.T))
        ahead, behind = energy_of(network, *strained)
        assert virial[a, b] == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_energy_and_forces_are_smooth_at_the_cutoff(order):
    """A third particle comes into range of a pair: two derivatives are continuous."""
    network = make_network(2, order)

    def respond(x):
        trio = [[3.0, 3.0], [3.9, 3.0], [3.0 + x, 3.0]]
        batch = batch_of(Configuration(trio, [0, 1, 1], [12.0, 12.0]))
        found = network.respond(batch)
        return float(found.energies[0]), float(found.forces[2, 0])

    # Below that it is in range of the second particle.
    edge = 0.9 + R_MAX
    inside, outside = (respond(edge + sign * 1e-5) for sign in (-1, 1))
    assert inside[0] == pytest.approx(outside[0], abs=1e-10)
    # The force grows with the square of the way behind the edge.
    assert inside[1] == pytest.approx(0.0, abs=1e-7)
    assert outside[1] == 0.0


def test_basis_has_two_derivatives_where_it_ends():
    basis = InverseBasis(5, 0.8, R_MAX).double()
    r = torch.tensor([R_MAX - 1e-4, R_MAX, R_MAX + 0.1], dtype=torch.float64, requires_grad=True)
    values = basis(r).sum(1)
    (slope,) = torch.autograd.grad(values.sum(), r, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), r)
    for derivative, small in ((values, 1e-10), (slope, 1e-6), (curvature, 1e-2)):
        assert derivative[0].abs() < small
        assert derivative[1:].abs().max() < 1e-12


def test_training_output_has_the_error_of_the_forces():
    network = make_network(2, 0).train()
    X = Configurations([sample(2), sample(2, seed=1)])
    batch = batch_of(*X)
    known = network.respond(batch)
    batch.forces = known.forces + 0.5
    outputs = network(batch)
    np.testing.assert_allclose(outputs[:, 1].detach().numpy(), 0.25, rtol=1e-10)
    np.testing.assert_allclose(
        outputs[:, 0].detach().numpy(), known.energies.numpy() / 20, rtol=1e-10
    )
    outputs.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    with torch.no_grad():
        np.testing.assert_allclose(network.eval()(batch).numpy(), outputs.detach().numpy())


def test_own_network_needs_energies():
    with pytest.raises(NotImplementedError, match=r"a potential needs node_energies\(batch\)"):
        EnergyNetwork().respond(batch_of(sample(2)))


def test_particle_alone_has_no_force():
    network = make_network(3, 2)
    alone = Configuration([[1.0, 1.0, 1.0]], [1], [9.0, 9.0, 9.0])
    assert network.respond(batch_of(alone)).forces.tolist() == [[0.0, 0.0, 0.0]]
