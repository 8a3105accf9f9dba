"""What fitted potentials do with particles that are closer than any in their training."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone

import glassclf
from glassclf.configurations import Configuration, Configurations, pairs_one_way
from glassclf.estimators import PairSplineRegressor, PotentialRegressor
from glassclf.testing import labelled_lattices
from glassclf.testing.labelled_samples import pair_energy

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:particles of types"
)
QUICK = {"r_max": 2.0, "hidden_size": 8, "n_radial": 10, "random_state": 0}
TYPES = [(0, 0), (0, 1), (1, 1)]


def fit(model, **changed):
    X, energy, forces = labelled_lattices(**changed)
    return model.fit(X, energy, forces=forces)


@pytest.fixture(scope="module")
def spline():
    return fit(PairSplineRegressor(r_max=2.0), n_samples=30)


@pytest.fixture(scope="module")
def network():
    return fit(PotentialRegressor(**QUICK, max_epochs=20))


@pytest.fixture(scope="module")
def with_prior():
    return fit(PotentialRegressor(**QUICK, max_epochs=5, pair_prior=True))


@pytest.fixture(params=["spline", "network", "with_prior"])
def potential(request):
    return request.getfixturevalue(request.param)


def pairs_of(distances, a, b):
    return [([[4.0, 5.0], [4.0 + r, 5.0]], [a, b], [10.0, 10.0]) for r in distances]


@pytest.mark.parametrize(("a", "b"), TYPES)
def test_particles_pushed_together_repel_more_and_more(potential, a, b):
    closest = potential.closest_[a, b]
    X = pairs_of(closest * np.linspace(0.9, 0.05, 30), a, b)
    forces = np.array(potential.predict_forces(X))[:, 1, 0]
    assert forces[0] > 0
    assert (np.diff(forces) > 0).all()
    assert forces[-1] > 50 * forces[0]
    energies = potential.predict(X)
    assert (np.diff(energies) > 0).all()
    assert np.isfinite(energies).all()


def test_core_goes_on_as_the_true_potential_does(spline, network):
    for model, tolerance in ((spline, 0.02), (network, 0.1)):
        for a, b in TYPES:
            begin, force, length = model.core_[:, a, b]
            assert begin == model.closest_[a, b]
            slope = [pair_energy(r, a, b)[1] for r in (begin, begin + 1e-4)]
            assert force == pytest.approx(-slope[0], rel=tolerance)
            growth = (slope[1] - slope[0]) / 1e-4 / -slope[0]
            assert length == pytest.approx(1 / growth, rel=0.3)


def test_spline_has_two_derivatives_where_its_core_begins():
    spline = fit(PairSplineRegressor(r_max=2.0, n_splines=12), n_samples=30)
    for number, (a, b) in enumerate(TYPES):
        begin, force, length = spline.core_[:, a, b]
        step = 1e-4
        for edge in (begin, begin - length / 2):
            ahead, behind = (
                spline.pair_energy(edge + sign * step * np.arange(4), number) for sign in (1, -1)
            )
            curvatures = [
                (2 * e[0] - 5 * e[1] + 4 * e[2] - e[3]) / step**2 for e in (ahead, behind)
            ]
            assert curvatures[0] == pytest.approx(curvatures[1], rel=0.02)


def test_forces_of_a_spline_are_the_gradient_inside(spline):
    for r in spline.closest_[0, 1] * np.array([0.2, 0.7, 0.95, 0.999, 1.0, 1.001]):
        step = 1e-6
        ahead, behind = spline.predict(pairs_of([r + step, r - step], 0, 1))
        force = spline.predict_forces(pairs_of([r], 0, 1))[0][1, 0]
        assert force == pytest.approx((behind - ahead) / (2 * step), rel=1e-5)


def test_training_data_do_not_feel_it(network):
    X, *_ = labelled_lattices()
    harder, none = (copy.deepcopy(network) for _ in range(2))
    harder.core_ = network.core_ * np.reshape([1.0, 3.0, 1.0], (3, 1, 1))
    none.core_ = network.core_ * np.reshape([1e-3, 1.0, 1.0], (3, 1, 1))
    for other in (harder, none):
        np.testing.assert_allclose(network.predict(X), other.predict(X), rtol=1e-6)
        for one, two in zip(network.predict_forces(X), other.predict_forces(X)):
            np.testing.assert_allclose(one, two, atol=1e-5 * network.force_scale_)


def test_core_is_kept(network, with_prior, tmp_path):
    X = pairs_of([0.4, 0.5], 0, 1)
    for number, model in enumerate((network, with_prior)):
        glassclf.save(model, tmp_path / str(number))
        copies = glassclf.load(tmp_path / str(number)), pickle.loads(pickle.dumps(model))
        for other in copies:
            np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_types_that_never_met():
    X, energy, _ = labelled_lattices()
    apart = Configurations(
        Configuration([*one.positions, [99.0, 1.0]], [*one.types, 2], [200.0, 9.0], periodic=False)
        for one in X
    )
    for model in (PairSplineRegressor(r_max=2.0), PotentialRegressor(**QUICK, max_epochs=1)):
        model.fit(apart, energy)
        assert np.isinf(model.closest_[2]).all()
        smallest = model.closest_.min()
        assert (model.core_[0, 2] == smallest).all()
        assert (model.core_[1] > 0).all()
        near = pairs_of(smallest * np.linspace(0.9, 0.1, 9), 0, 2)
        pushes = np.array(model.predict_forces(near))[:, 1, 0]
        assert (np.diff(pushes) > 0).all()
        assert pushes[-1] > 0


def test_a_fit_that_goes_on_moves_the_core(network):
    model = clone(network).set_params(max_epochs=2, warm_start=True)
    fit(model)
    before, known = model.core_, model.closest_
    X, energy, forces = labelled_lattices(noise=0.11, random_state=3)
    model.fit(X, energy, forces=forces)
    closest = np.full((2, 2), np.inf)
    for one in X:
        pairs = pairs_one_way(one, 2.0)
        kinds = one.types[pairs.sources], one.types[pairs.targets]
        for a, b in (kinds, kinds[::-1]):
            np.minimum.at(closest, (a, b), pairs.distances)
    assert (closest < known).any()
    np.testing.assert_array_equal(model.closest_, np.minimum(known, closest))
    np.testing.assert_array_equal(model.core_[0], model.closest_)
    # A third fit without closer pairs leaves it.
    kept = model.core_
    assert (kept[1] > before[1])[closest < known].all()
    fit(model)
    np.testing.assert_array_equal(model.core_, kept)


def test_data_without_a_scale_still_repel():
    X = [([[4.0, 5.0], [5.0, 5.0]], [0, 0], [10.0, 10.0])]
    model = PairSplineRegressor(r_max=2.0).fit(X, [0.0])
    assert model.core_[1, 0, 0] == 1.0
    distances = np.linspace(1.0, 1.9, 40)
    energy = -((2.0 - distances) ** 3)
    model = PairSplineRegressor(r_max=2.0, n_splines=10).fit(pairs_of(distances, 0, 0), energy)
    begin, force, length = model.core_[:, 0, 0]
    assert (begin, length) == pytest.approx((1.0, 1 / 12))
    assert force == pytest.approx((energy / 2).std())
    assert model.predict_forces(pairs_of([0.5], 0, 0))[0][1, 0] > 10 * force


def test_force_goes_on_where_the_core_begins():
    """Of the closest types too, the network follows the rise of the force as far as it is asked."""
    distances = np.linspace(1.0, 2.0, 40)
    push = 12 * distances**-13
    forces = [[[-one, 0.0], [one, 0.0]] for one in push]
    model = PotentialRegressor(max_epochs=100, random_state=0)
    model.fit(pairs_of(distances, 0, 0), distances**-12, forces=forces)
    inside = model.predict_forces(pairs_of([1.0, 0.99, 0.98, 0.96, 0.93], 0, 0))
    inside = np.array(inside)[:, 1, 0]
    assert inside[0] == pytest.approx(12, rel=0.05)
    assert inside.min() > 0.9 * 12
    assert inside[-1] == pytest.approx(12 * 0.93**-13, rel=0.1)
