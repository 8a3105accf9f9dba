from itertools import product

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from glassclf.configurations import Configuration
from glassclf.featurizers import RDFFeaturizer

BOXES = {
    "periodic-2d": ([5, 6], True, 2.4),
    "periodic-2d-beyond-the-box": ([5, 6], True, 8.0),
    "periodic-3d": ([4, 5, 6], True, 1.9),
    "periodic-3d-beyond-half-the-box": ([4, 5, 6], True, 4.5),
    "window-2d": ([5, 6], False, 3.0),
    "window-2d-beyond-its-side": ([5, 6], False, 7.0),
    "window-3d": ([4, 5, 6], False, 3.0),
    "mixed-2d": ([5, 6], [True, False], 6.5),
    "mixed-3d": ([4, 5, 6], [True, False, False], 3.0),
    "triclinic-periodic": ([[5, 0], [2, 6]], True, 4.0),
    "triclinic-window": ([[5, 0], [2, 6]], False, 3.0),
    "triclinic-3d-mixed": ([[4, 0, 0], [1, 5, 0], [1, 2, 6]], [False, True, False], 3.0),
}


@pytest.mark.parametrize(("box", "periodic", "r_max"), BOXES.values(), ids=BOXES)
def test_ideal_gas_is_one(gas, box, periodic, r_max):
    X = gas(60, box, periodic=periodic, n_configurations=100)
    rdf = RDFFeaturizer(r_max, n_bins=8).fit_transform(X)
    mean, error = rdf.mean(axis=0), rdf.std(axis=0) / np.sqrt(len(X))
    assert (np.abs(mean - 1) < 4 * error).all()
    # All bins together, so that a bias of a few percent cannot hide in the errors of each.
    weights = 1 / np.clip(error, 1e-3, None) ** 2
    assert np.average(mean, weights=weights) == pytest.approx(1, abs=0.02)


def test_window_normalisation_agrees_with_the_closed_form():
    # Isotropised set covariance of a rectangle, r below its sides (Stoyan, Kendall and Mecke).
    a, b, r_max, n_bins = 5.0, 6.0, 4.0, 10
    two = Configuration([[1.0, 1.0], [2.1, 1.0]], [0, 0], [a, b], periodic=False)
    rdf = RDFFeaturizer(r_max, n_bins).fit_transform([two])[0]
    inner, outer = 0.8, 1.2

    def integral(r):
        return np.pi * r**2 - 4 / 3 * (1 / a + 1 / b) * r**3 + r**4 / (2 * a * b)

    expected = 2 / (a * b) * (integral(outer) - integral(inner))
    assert rdf[2] == pytest.approx(2 / expected, rel=1e-12)
    assert np.count_nonzero(rdf) == 1


@pytest.mark.parametrize(
    ("box", "periodic", "r_max"),
    [([4, 5], True, 2.0), ([4, 5], True, 6.0), ([3, 3, 4], True, 3.5), ([[4, 0], [1, 5]], True, 3)],
)
def test_agrees_with_a_plain_count(gas, box, periodic, r_max):
    X, n_bins = gas(12, box, periodic=periodic), 7
    rdf = RDFFeaturizer(r_max, n_bins).fit_transform(X).reshape(3, n_bins)
    assert rdf == pytest.approx(_plain_rdf(X[0], [(0, 0), (0, 1), (1, 1)], r_max, n_bins))


def _plain_rdf(one, pairs, r_max, n_bins):
    edges = np.linspace(0, r_max, n_bins + 1)
    shells = np.pi * np.diff(edges**2) if one.n_dims == 2 else 4 / 3 * np.pi * np.diff(edges**3)
    density = 1 / abs(np.linalg.det(one.cell))
    rows = []
    for a, b in pairs:
        counts, n_pairs = np.zeros(n_bins), 0
        for i, j in product(range(one.n_particles), repeat=2):
            if i == j or (one.types[i], one.types[j]) != (a, b):
                continue
            n_pairs += 1
            for shift in product(range(-4, 5), repeat=one.n_dims):
                r = np.linalg.norm(one.positions[j] - one.positions[i] + shift @ one.cell)
                counts += np.histogram(r, edges)[0]
        rows.append(counts / (n_pairs * density * shells))
    return np.array(rows)


def test_columns_are_pair_major_in_the_order_of_types(gas):
    X = gas(30, [5, 5], n_types=3)
    rdf = RDFFeaturizer(r_max=2.0, n_bins=4).fit(X)
    names = rdf.get_feature_names_out().tolist()
    starts = ["rdf_0_0", "rdf_0_1", "rdf_0_2", "rdf_1_1", "rdf_1_2", "rdf_2_2"]
    assert names == [f"{start}_{r}" for start in starts for r in ("0.25", "0.75", "1.25", "1.75")]
    assert rdf.transform(X).shape == (1, 24)
    assert rdf.transform(X).dtype == np.float64
    assert rdf.r_.tolist() == [0.25, 0.75, 1.25, 1.75]


def test_names_follow_the_documented_form(gas):
    names = RDFFeaturizer(r_max=2.5, n_bins=50).fit(gas(9, [5, 5])).get_feature_names_out()
    assert names[50 + 20] == "rdf_0_1_1.025"
    total = RDFFeaturizer(r_max=2.5, n_bins=50, partial=False).fit(gas(9, [5, 5]))
    assert total.get_feature_names_out()[20] == "rdf_1.025"
    assert len(set(names)) == 150


def test_total_is_the_average_over_pairs_of_types(gas):
    X = gas(20, [5, 5])
    partial = RDFFeaturizer(r_max=2.0, n_bins=5).fit_transform(X).reshape(3, 5)
    total = RDFFeaturizer(r_max=2.0, n_bins=5, partial=False).fit_transform(X)[0]
    assert total == pytest.approx((90 * partial[0] + 200 * partial[1] + 90 * partial[2]) / 380)


def test_types_without_a_pair_give_zero():
    one_a = Configuration([[1.0, 1.0], [2.0, 1.0], [1.0, 2.0]], [0, 1, 1], [8.0, 8.0])
    only_b = Configuration([[1.0, 1.0], [2.0, 1.0]], [1, 1], [8.0, 8.0])
    with pytest.warns(UserWarning, match="type 0"):
        rdf = RDFFeaturizer(2.0, n_bins=4).fit([one_a]).transform([only_b, only_b, one_a])
    rdf = rdf.reshape(3, 3, 4)
    assert (rdf[0, :2] == 0).all()
    assert rdf[0, 2, 2] > 0
    assert (rdf[2, 0] == 0).all()
    assert np.isfinite(rdf).all()


def test_images_of_a_particle_itself_are_not_counted():
    rdf = RDFFeaturizer(r_max=5.0, n_bins=10)
    assert (rdf.fit_transform([Configuration([[0.5, 0.5]], [0], [2.0, 2.0])]) == 0).all()


def test_square_lattice_peaks_at_its_spacings(square):
    rdf = RDFFeaturizer(r_max=1.6, n_bins=16).fit_transform([square])[0]
    # 4 neighbours at 1 and 4 at the square root of 2; the shell from 1.0 to 1.1 expects
    # 35 / 36 * 0.21 pi.
    assert np.flatnonzero(rdf).tolist() == [10, 14]
    assert rdf[10] == pytest.approx(4 / (35 / 36 * np.pi * 0.21))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("r_max", 0.0),
        ("r_max", -1.0),
        ("r_max", np.nan),
        ("r_max", np.inf),
        ("r_max", True),
        ("r_max", "2.5"),
        ("r_max", None),
        ("n_bins", 0),
        ("n_bins", 2.5),
        ("n_bins", True),
        ("partial", "yes"),
        ("n_jobs", 1.5),
    ],
)
def test_bad_parameters_are_named(gas, name, value):
    featurizer = RDFFeaturizer(**{name: value})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of RDFFeaturizer must be"):
        featurizer.fit(gas(9, [5, 5]))
    assert not hasattr(featurizer, "types_")


def test_parameters_set_after_fit_wait_for_the_next_fit(gas):
    X = gas(20, [5, 5])
    rdf = RDFFeaturizer(r_max=2.0, n_bins=10).fit(X)
    before, names = rdf.transform(X), rdf.get_feature_names_out().tolist()
    rdf.set_params(n_bins=5, r_max=1.0, partial=False)
    np.testing.assert_array_equal(rdf.transform(X), before)
    assert rdf.get_feature_names_out().tolist() == names
    assert rdf.fit(X).get_feature_names_out().tolist()[-1] == "rdf_0.9"
    assert rdf.transform(X).shape == (1, 5)


def test_names_need_a_fit():
    with pytest.raises(NotFittedError, match="RDFFeaturizer instance is not fitted"):
        RDFFeaturizer().get_feature_names_out()


def test_no_pair_within_reach_warns(gas):
    # Positions in Angstrom or nanometres, say.
    far = Configuration([[5.0, 5.0], [15.0, 5.0]], [0, 0], [40.0, 40.0])
    message = r"no two particles of X are within r_max=2\.5: are the positions in other units\?"
    with pytest.warns(UserWarning, match=message) as caught:
        RDFFeaturizer().fit_transform([far, far])
    assert len(caught) == 1


@pytest.mark.filterwarnings("error")
def test_one_pair_within_reach_or_single_particles_do_not_warn():
    far = Configuration([[5.0, 5.0], [15.0, 5.0]], [0, 0], [40.0, 40.0])
    near = Configuration([[5.0, 5.0], [7.0, 5.0]], [0, 0], [40.0, 40.0])
    single = Configuration([[5.0, 5.0]], [0], [40.0, 40.0])
    RDFFeaturizer().fit_transform([far, near])
    RDFFeaturizer().fit_transform([single, single])
