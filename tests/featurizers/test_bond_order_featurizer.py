import numpy as np
import pytest
from scipy.special import sph_harm_y
from sklearn.exceptions import NotFittedError

from glassclf.configurations import nearest_neighbors
from glassclf.featurizers import BondOrderFeaturizer


def named(featurizer, X):
    """First row of the features, by name."""
    features = featurizer.fit_transform(X)[0]
    return dict(zip(featurizer.get_feature_names_out(), features))


def test_square_lattice_has_psi_4_of_one(square):
    order = named(BondOrderFeaturizer(orders=(4,)), [square])
    assert order == pytest.approx(
        {
            "psi4_0_mean": 1,
            "psi4_0_std": 0,
            "psi4_0_q10": 1,
            "psi4_0_q50": 1,
            "psi4_0_q90": 1,
        }
    )


def test_triangular_lattice_has_psi_6_of_one(triangular):
    assert named(BondOrderFeaturizer(), [triangular])["psi6_0_mean"] == pytest.approx(1)


def test_face_centred_cubic_has_the_published_q(face_centred_cubic):
    # Steinhardt, Nelson and Ronchetti (1983): Q_4 = 0.191, Q_6 = 0.575.
    order = named(BondOrderFeaturizer(orders=(4, 5, 6)), [face_centred_cubic])
    assert order["Q4_0_mean"] == pytest.approx(0.19094, abs=1e-5)
    assert order["Q6_0_mean"] == pytest.approx(0.57452, abs=1e-5)
    # Inversion symmetry leaves no odd order.
    assert order["Q5_0_mean"] == pytest.approx(0, abs=1e-6)


def test_random_neighbours_have_psi_of_a_random_walk(gas):
    # k unit vectors in random directions: mean square 1 / k. Nearest neighbours of an ideal gas.
    X = gas(4000, [60, 60], n_types=1)
    order = named(BondOrderFeaturizer(orders=(5,)), X)
    assert order["psi5_0_mean"] ** 2 + order["psi5_0_std"] ** 2 == pytest.approx(1 / 5, abs=0.01)


def test_agrees_with_spherical_harmonics(gas):
    X, orders = gas(40, [5, 6, 7], n_types=1, periodic=False), (1, 4, 6)
    pairs = nearest_neighbors(X[0], 12)
    polar = np.arccos(pairs.vectors[:, 2] / pairs.distances).reshape(40, 12)
    azimuth = np.arctan2(pairs.vectors[:, 1], pairs.vectors[:, 0]).reshape(40, 12)
    order = named(BondOrderFeaturizer(orders), X)
    for degree in orders:
        moments = [
            np.abs(sph_harm_y(degree, m, polar, azimuth).mean(axis=1)) ** 2
            for m in range(-degree, degree + 1)
        ]
        q = np.sqrt(4 * np.pi / (2 * degree + 1) * np.sum(moments, axis=0))
        assert order[f"Q{degree}_0_mean"] == pytest.approx(q.mean())
        assert order[f"Q{degree}_0_q90"] == pytest.approx(np.quantile(q, 0.9))


def test_agrees_with_freud(gas):
    freud = pytest.importorskip("freud")
    X = gas(200, [8, 8, 8], n_types=1)
    box = freud.box.Box.cube(8)
    system = (box, X[0].positions - 4.0)
    with freud.parallel.NumThreads(1):
        q = freud.order.Steinhardt(6).compute(system, {"num_neighbors": 12, "exclude_ii": True})
    order = named(BondOrderFeaturizer((6,)), X)
    assert order["Q6_0_mean"] == pytest.approx(q.particle_order.mean(), abs=1e-4)


def test_types_have_columns_of_their_own(square):
    types = (square.positions[:, 0] >= 3).astype(int)
    positions = square.positions + np.where(types == 1, 0.3, 0)[:, None] * np.random.default_rng(
        0
    ).normal(size=square.positions.shape)
    order = named(BondOrderFeaturizer(), [(positions, types, square.box)])
    assert list(order)[:6] == [
        "psi4_0_mean",
        "psi4_0_std",
        "psi4_0_q10",
        "psi4_0_q50",
        "psi4_0_q90",
        "psi4_1_mean",
    ]
    assert len(order) == 3 * 2 * 5
    assert order["psi4_0_mean"] > order["psi4_1_mean"]


def test_missing_type_gives_zero(gas):
    featurizer = BondOrderFeaturizer().fit(gas(20, [5, 5], n_types=2))
    with pytest.warns(UserWarning, match="type 1"):
        features = featurizer.transform(gas(20, [5, 5], n_types=1))
    by_type = features.reshape(3, 2, 5)
    assert (by_type[:, 1] == 0).all()
    assert (by_type[:, 0, 0] > 0).all()


def test_two_particles_at_one_place_stay_finite(gas):
    one = gas(20, [5, 5, 5])[0]
    positions = one.positions.copy()
    positions[1] = positions[0]
    features = BondOrderFeaturizer().fit_transform([(positions, one.types, one.box)])
    assert np.isfinite(features).all()


@pytest.mark.parametrize(("box", "needed"), [([5, 5], 6), ([5, 5, 5], 12)])
def test_too_few_particles_name_the_sample(gas, box, needed):
    X = [gas(needed + 1, box)[0], gas(needed, box)[0]]
    message = f"configuration 1: .* needs more than {needed} particles, got {needed}"
    with pytest.raises(ValueError, match=message):
        BondOrderFeaturizer().fit_transform(X)


@pytest.mark.parametrize("orders", [(4, 0), (4.5,), (True,), ("6",), (-1,)])
def test_bad_orders_are_named(gas, orders):
    featurizer = BondOrderFeaturizer(orders)
    with pytest.raises(ValueError, match="orders must be integers of at least 1, got"):
        featurizer.fit(gas(20, [5, 5]))
    assert not hasattr(featurizer, "types_")


def test_no_orders_are_refused(gas):
    with pytest.raises(ValueError, match="orders must hold at least one order"):
        BondOrderFeaturizer(()).fit(gas(20, [5, 5]))


@pytest.mark.parametrize("orders", [(6, 6), [4, 5, np.int64(4)], np.array([4, 4])])
def test_orders_given_twice_are_refused(gas, orders):
    with pytest.raises(ValueError, match=r"orders must differ from each other, got \([456, ]+\)$"):
        BondOrderFeaturizer(orders).fit(gas(20, [5, 5]))


def test_orders_set_after_fit_wait_for_the_next_fit(gas):
    X, orders = gas(20, [5, 5]), [4, 6]
    featurizer = BondOrderFeaturizer(orders).fit(X)
    before, names = featurizer.transform(X), featurizer.get_feature_names_out().tolist()
    orders.append(5)
    np.testing.assert_array_equal(featurizer.transform(X), before)
    assert featurizer.set_params(orders=(3,)).get_feature_names_out().tolist() == names
    np.testing.assert_array_equal(featurizer.transform(X), before)
    assert featurizer.fit(X).transform(X).shape == (1, 10)


@pytest.mark.parametrize("orders", [6, "456", None])
def test_orders_that_are_no_sequence_are_refused(gas, orders):
    with pytest.raises(ValueError, match="The 'orders' parameter of BondOrderFeaturizer must be"):
        BondOrderFeaturizer(orders).fit(gas(20, [5, 5]))


def test_names_need_a_fit():
    with pytest.raises(NotFittedError, match="BondOrderFeaturizer instance is not fitted"):
        BondOrderFeaturizer().get_feature_names_out()
