"""The spline of pairs: it finds pair potentials, and is a potential itself."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import glassclf
from glassclf.estimators import PairSplineRegressor
from glassclf.testing import labelled_lattices, noisy_lattice
from glassclf.testing.labelled_samples import R_MAX, pair_energy


@pytest.fixture(scope="module")
def fitted():
    X, energy, forces = labelled_lattices(30)
    return PairSplineRegressor(r_max=R_MAX).fit(X, energy, forces=forces)


@pytest.mark.filterwarnings("ignore:particles of types")
def test_it_finds_a_pair_potential(fitted):
    X, energy, forces = labelled_lattices(random_state=1)
    found = np.concatenate(fitted.predict_forces(X))
    assert fitted.score(X, energy) > 0.999
    expected = np.concatenate(forces)
    # Not the mean: a few pairs are closer than those of the training.
    assert np.median(np.abs(found - expected)) < 1e-3 * expected.std()
    r = np.linspace(0.9, 1.9, 20)
    for number, (a, b) in enumerate([(0, 0), (0, 1), (1, 1)]):
        np.testing.assert_allclose(
            fitted.pair_energy(r, number), pair_energy(r, a, b)[0], atol=5e-3
        )


def test_energies_alone_do_as_well():
    X, energy, _ = labelled_lattices(200)
    found = PairSplineRegressor(r_max=R_MAX, n_splines=12, smoothing=1e-6).fit(X, energy)
    assert found.score(X, energy) > 0.999


def test_forces_are_the_gradient(fitted):
    one = labelled_lattices(1)[0][0]
    step, direction = 1e-6, np.zeros_like(one.positions)
    direction[5, 1] = step
    ahead, behind = ((one.positions + sign * direction, one.types, one.box) for sign in (1, -1))
    energies = fitted.predict([ahead, behind])
    force = fitted.predict_forces([one])[0][5, 1]
    assert force == pytest.approx((energies[1] - energies[0]) / (2 * step), rel=1e-5)


def test_stress_is_the_derivative_by_the_strain(fitted):
    one = labelled_lattices(1)[0][0]
    step = 1e-6
    for a, b in ((0, 0), (0, 1), (1, 1)):
        energies = []
        for sign in (1, -1):
            strain = np.eye(2)
            strain[a, b] += sign * step
            energies.append(
                fitted.predict([(one.positions @ strain.T, one.types, one.cell @ strain.T)])[0]
            )
        slope = (energies[0] - energies[1]) / (2 * step * one.box.prod())
        assert fitted.predict_stress([one])[0, a, b] == pytest.approx(slope, abs=1e-6)


def test_it_ends_smoothly(fitted):
    r = np.array([R_MAX - 1e-4, R_MAX, R_MAX + 1e-4, R_MAX + 1.0])
    np.testing.assert_allclose(fitted.pair_energy(r), 0.0, atol=1e-9)


def test_closer_than_in_training_it_still_repels_and_warns(fitted):
    pair = [([[4.0, 5.0], [4.4, 5.0]], [0, 0], [10.0, 10.0])]
    text = r"types 0 and 0 are 0\.4 apart; the closest in the training were 0\.\d+ apart"
    with pytest.warns(UserWarning, match=text):
        forces = fitted.predict_forces(pair)[0]
    assert forces[0, 0] < -5


def test_pair_that_was_not_there_warns():
    X = [([[1.0, 1.0], [2.0, 1.0], [9.0, 9.0]], [0, 0, 1], [20.0, 20.0])]
    model = PairSplineRegressor().fit(X, [1.0])
    near = [([[1.0, 1.0], [2.0, 1.0]], [1, 1], [20.0, 20.0])]
    with pytest.warns(UserWarning, match="there was no such pair in the training"):
        model.predict(near)


def test_compositions_tell_the_energies_of_types():
    far = [[1.0, 1.0], [9.0, 9.0]]
    X = [(far, types, [20.0, 20.0]) for types in ([0, 0], [0, 1])]
    near = ([[1.0, 1.0], [1.0, 2.0]], [0, 0], [20.0, 20.0])
    model = PairSplineRegressor().fit([*X, near], [2.0, 5.0, 1.0])
    np.testing.assert_allclose(model.type_energies_, [1.0, 4.0], rtol=1e-6)


def test_forces_as_one_array(fitted):
    X, energy, forces = labelled_lattices(30)
    joined = PairSplineRegressor(r_max=R_MAX).fit(X, energy, forces=np.concatenate(forces))
    np.testing.assert_array_equal(joined.coefficients_, fitted.coefficients_)


def test_copies(fitted, tmp_path):
    X, *_ = labelled_lattices(2)
    expected = fitted.predict(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), expected)
    glassclf.save(fitted, tmp_path / "spline")
    np.testing.assert_array_equal(glassclf.load(tmp_path / "spline").predict(X), expected)
    with pytest.raises(NotFittedError):
        clone(fitted).predict(X)


BAD = [
    ({"energy": None}, "energy is missing: a potential is trained on the energy of each sample"),
    ({"energy": [1.0]}, r"energy must have one value for each of the 2 configurations, got shape"),
    ({"energy": [1.0, np.nan]}, "energy of sample 1 is missing: it is NaN or infinite"),
    ({"energy": ["a", "b"]}, "energy must be numbers: could not convert string to float: 'a'"),
    ({"energy": [1.0, 1j]}, "energy must be numbers: complex numbers would lose their imaginary"),
    ({"forces": [[["a"]], [["a"]]]}, r"forces\[0\] must be numbers: could not convert string"),
    ({"forces": [np.zeros((42, 2))]}, "forces must have one array for each of the 2 config"),
    (
        {"forces": [np.zeros((42, 2)), np.zeros((42, 3))]},
        r"forces\[1\] must have the shape of the positions, \(42, 2\), got \(42, 3\)",
    ),
    ({"forces": np.zeros((83, 2))}, r"must have the shape of their positions, \(84, 2\), got"),
    (
        {"forces": [np.zeros((42, 2)), np.where(np.arange(84).reshape(42, 2) == 7, np.nan, 0.0)]},
        "the force on particle 3 of sample 1 is missing: it is NaN or infinite",
    ),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_bad_targets(changed, message):
    X, *_ = labelled_lattices(2)
    targets = {"energy": [1.0, 2.0], "forces": None, **changed}
    with pytest.raises(ValueError, match=message):
        PairSplineRegressor().fit(X, targets["energy"], forces=targets["forces"])


def test_nothing_in_range():
    far = ([[1.0, 1.0], [4.0, 5.0]], [0, 0], [20.0, 20.0])
    alone = ([[1.0, 1.0]], [0], [20.0, 20.0])
    text = r"no two particles are within r_max=2.5 .*\(the closest are 5 apart\): are both in"
    with pytest.raises(ValueError, match=text):
        PairSplineRegressor().fit([far, alone], [1.0, 2.0])
    with pytest.raises(ValueError, match="in any configuration, each has a single particle: are"):
        PairSplineRegressor().fit([alone], [1.0])


def test_particles_at_the_same_place(fitted):
    X, energy, _ = labelled_lattices(3)
    X.positions[X.offsets[2] + 7] = X.positions[X.offsets[2] + 3] + X[2].box
    text = "particles 3 and 7 of configuration 2 are at the same place: remove one, or the config"
    for ask in (fitted.predict, fitted.predict_forces, fitted.predict_stress):
        with pytest.raises(ValueError, match=text):
            ask(X)
    for weights in (None, [1.0, 1.0, 0.0]):
        with pytest.raises(ValueError, match=text):
            PairSplineRegressor().fit(X, energy, sample_weight=weights)


def test_samples_of_no_weight_change_nothing():
    X, energy, forces = labelled_lattices(4)
    X.positions[X.offsets[3]] = X.positions[X.offsets[3] + 1] + [0.1, 0.0]
    energy[3], forces[3] = 1e6, 1e6 * forces[3]
    settings = {"r_max": R_MAX, "n_splines": 10}
    weights = [1.0, 2.0, 1.0, 0.0]
    model = PairSplineRegressor(**settings).fit(X, energy, forces=forces, sample_weight=weights)
    few = PairSplineRegressor(**settings).fit(
        X[:3], energy[:3], forces=forces[:3], sample_weight=weights[:3]
    )
    np.testing.assert_array_equal(model.closest_, few.closest_)
    np.testing.assert_allclose(model.coefficients_, few.coefficients_, atol=1e-8)


def test_no_sample_at_all():
    X, energy, forces = labelled_lattices(2)
    with pytest.raises(ValueError, match="X is empty: expected at least one configuration"):
        PairSplineRegressor().fit(X[:0], energy[:0], forces=forces[:0])


def test_bad_input_of_predict(fitted):
    with pytest.raises(ValueError, match="sample 1 has particles of type 7, which fit never saw"):
        fitted.predict([labelled_lattices(1)[0][0], ([[1.0, 1.0]], [7], [9.0, 9.0])])
    with pytest.raises(ValueError, match="X is 3-dimensional, PairSplineRegressor was fitted on 2"):
        fitted.predict([([[1.0, 1.0, 1.0]], [0], [9.0, 9.0, 9.0])])
    is_open = noisy_lattice(0.01, periodic=False)
    with pytest.raises(ValueError, match="sample 0 is open along a direction: it has no stress"):
        fitted.predict_stress([is_open])
