import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.configurations import minimum_image, pairs_one_way, pairs_within
from glassclf.datasets import make_patterned
from glassclf.datasets.filling import NoRoomError, fill_box
from glassclf.featurizers import BondOrderFeaturizer
from glassclf.simulation.potentials import get_potential

SIGMA = get_potential("kob-andersen-2d").sigma
SMALL = {"n_particles": 300, "n_clusters": 6, "random_state": 3, "verbose": 0}
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"


def _clusters(configuration):
    """Vectors from the centres of clusters to their rings, (n_clusters, symmetry, 2)."""
    n_clusters, size = (int(configuration.info[name]) for name in ("n_clusters", "symmetry"))
    members = np.arange(n_clusters * (size + 1)).reshape(n_clusters, size + 1)
    vectors = configuration.positions[members[:, 1:]] - configuration.positions[members[:, :1]]
    return minimum_image(vectors, configuration.cell, configuration.periodic)


def _psi(vectors):
    """|psi_k| of k neighbours along the second-last axis."""
    angles = np.arctan2(vectors[..., 1], vectors[..., 0])
    return np.abs(np.exp(1j * vectors.shape[-2] * angles).mean(axis=-1))


def _psi_of_nearest(configuration, particles, order):
    pairs = pairs_within(configuration, 3.0)
    return [_psi(pairs.vectors[pairs.sources == i][:order]) for i in particles]


def _n_small_pairs(configuration):
    pairs = pairs_one_way(configuration, 1.2)
    return int((configuration.types[pairs.sources] + configuration.types[pairs.targets] == 2).sum())


def _assert_packed(configuration):
    pairs = pairs_one_way(configuration, 1.0)
    sigma = SIGMA[configuration.types[pairs.sources], configuration.types[pairs.targets]]
    # What it promises is the limit itself; rounding of periodic images comes on top.
    assert (pairs.distances >= 0.9 * sigma - 1e-9).all()


@settings(max_examples=5 if QUICK else 20)
@given(
    symmetry=st.sampled_from([5, 3, None]),
    n_particles=st.integers(150, 400),
    n_clusters=st.integers(0, 4),
    separation=st.floats(0.8, 1.15),
    fill_clusters=st.booleans(),
    clumping=st.floats(0, 1),
    density=st.floats(0.6, 1.15),
    share=st.floats(0.5, 0.9),
    seed=st.integers(0, 100),
)
def test_number_composition_density_distances_and_clusters(
    symmetry,
    n_particles,
    n_clusters,
    separation,
    fill_clusters,
    clumping,
    density,
    share,
    seed,
):
    (configuration,) = make_patterned(
        1,
        symmetry=symmetry,
        n_particles=n_particles,
        n_clusters=n_clusters,
        separation=separation,
        fill_clusters=fill_clusters,
        clumping=clumping,
        density=density,
        fractions=(share, 1 - share),
        random_state=seed,
        verbose=0,
    )
    n_0 = round(share * n_particles)
    assert np.bincount(configuration.types, minlength=2).tolist() == [n_0, n_particles - n_0]
    lengths = np.diag(configuration.cell)
    assert configuration.periodic.all()
    assert lengths[0] == lengths[1]
    assert n_particles / lengths.prod() == pytest.approx(density)
    assert (configuration.positions >= 0).all()
    assert (configuration.positions < lengths).all()
    _assert_packed(configuration)
    vectors = _clusters(configuration)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), separation)
    if vectors.size:
        np.testing.assert_allclose(_psi(vectors), 1)
        types = configuration.types[: len(vectors) * (symmetry + 1)].reshape(len(vectors), -1)
        assert (types == [1] + symmetry * [0]).all()


@pytest.mark.parametrize("symmetry", [5, 3])
def test_the_nearest_of_a_centre_are_its_ring(symmetry):
    for fill_clusters in (True, False)[symmetry == 3 :]:
        data = make_patterned(1, **SMALL, symmetry=symmetry, fill_clusters=fill_clusters)
        centers = np.arange(6) * (symmetry + 1)
        np.testing.assert_allclose(_psi_of_nearest(data[0], centers, symmetry), 1)


def test_bond_order_of_type_1_rises_with_clusters():
    # Not by as much as the centres alone would raise it: rings take type 0 from the filling.
    many = {**SMALL, "n_particles": 1080, "n_clusters": 40}
    plain = make_patterned(3, **many, symmetry=None)
    for symmetry in (5, 3):
        order = BondOrderFeaturizer(orders=(symmetry,)).fit(plain)
        mean = order.get_feature_names_out().tolist().index(f"psi{symmetry}_1_mean")
        patterned = order.transform(make_patterned(3, **many, symmetry=symmetry))[:, mean]
        assert patterned.mean() > order.transform(plain)[:, mean].mean() + 0.01


def test_no_clusters_are_the_same_filling_without_them():
    plain = make_patterned(2, **SMALL, symmetry=None)
    none = make_patterned(2, **{**SMALL, "n_clusters": 0}, separation=1.3, fill_clusters=False)
    np.testing.assert_array_equal(plain.positions, none.positions)
    np.testing.assert_array_equal(plain.types, none.types)
    assert plain.info["symmetry"].tolist() == none.info["symmetry"].tolist() == [0, 0]
    assert plain.info["n_clusters"].tolist() == [0, 0]
    assert np.isnan(plain.info["separation"]).all()


def test_filling_far_from_clusters_is_one_of_its_composition():
    # Radial distribution: share of the distances below 1.6 in bins, around filling particles.
    def histogram(data, n_first):
        total = 0
        for configuration in data:
            pairs = pairs_within(configuration, 1.6)
            near_cluster = np.zeros(configuration.n_particles, dtype=bool)
            near_cluster[:n_first] = True
            near_cluster[pairs.targets[pairs.sources < n_first]] = True
            chosen = ~near_cluster[pairs.sources] & (configuration.types[pairs.sources] == 0)
            total = total + np.histogram(pairs.distances[chosen], np.linspace(0.7, 1.6, 10))[0]
        return total / total.sum()

    many = {**SMALL, "n_particles": 1080, "n_clusters": 15}
    patterned = histogram(make_patterned(3, **many), 15 * 6)
    share = (702 - 15 * 5) / (1080 - 15 * 6)
    left = {**many, "fractions": (share, 1 - share)}
    plain = histogram(make_patterned(3, **left, symmetry=None), 0)
    np.testing.assert_allclose(patterned, plain, atol=0.015)


def test_nothing_else_in_the_area_of_a_cluster():
    wide = {**SMALL, "n_clusters": 2, "separation": 1.8, "density": 1.1}
    counts = []
    for fill_clusters in (True, False):
        (configuration,) = make_patterned(1, **wide, fill_clusters=fill_clusters)
        pairs = pairs_within(configuration, 1.8 + 0.5)
        counts.append(np.bincount(pairs.sources)[[0, 6]])
    assert (counts[0] > 5).all()
    assert (counts[1] == 5).all()


def test_areas_of_clusters_do_not_overlap():
    data = make_patterned(3, **{**SMALL, "n_clusters": 14})
    for configuration in data:
        centers = configuration.positions[np.arange(14) * 6]
        between = centers[:, None] - centers
        distances = np.linalg.norm(
            minimum_image(between, configuration.cell, configuration.periodic), axis=-1
        )
        assert (distances[~np.eye(14, dtype=bool)] >= 2 * (0.9 + 0.5)).all()


def test_rings_are_turned_at_random():
    vectors = _clusters(make_patterned(1, **{**SMALL, "n_clusters": 14})[0])
    phases = np.angle(np.exp(5j * np.arctan2(vectors[:, 0, 1], vectors[:, 0, 0])))
    assert len(set(phases.round(6))) == 14
    assert np.ptp(phases) > 3


@pytest.mark.parametrize("symmetry", [5, None])
def test_clumping_moves_type_1_together(symmetry):
    several = {**SMALL, "symmetry": symmetry}
    means = [
        np.mean([_n_small_pairs(one) for one in make_patterned(3, **several, clumping=clumping)])
        for clumping in (0.0, 0.3, 0.6, 1.0)
    ]
    assert (np.diff(means) > 0).all()
    assert means[-1] > 1.5 * means[0]


def test_samples_are_those_of_a_larger_set_and_of_two_processes():
    few = make_patterned(2, **SMALL)
    for more in (make_patterned(3, **SMALL), make_patterned(3, **SMALL, n_jobs=2)):
        for one, same in zip(few, more):
            np.testing.assert_array_equal(one.positions, same.positions)
            np.testing.assert_array_equal(one.types, same.types)
        assert more.info["run"].tolist() == [f"patterned-s3-00{i}" for i in range(3)]
    assert not (few[0].positions == few[1].positions).any()
    other = make_patterned(1, **{**SMALL, "random_state": 4})
    assert not (few[0].positions == other[0].positions).any()


def test_sets_without_a_seed_differ_in_runs():
    unseeded = {**SMALL, "random_state": None}
    sets = [make_patterned(1, **unseeded) for _ in range(2)]
    assert sets[0].info["run"][0] != sets[1].info["run"][0]
    generator = np.random.RandomState(0)
    assert make_patterned(1, **{**SMALL, "random_state": generator})[0].n_particles == 300


def test_info():
    info = make_patterned(2, **SMALL, symmetry=3, clumping=0.5, fill_clusters=False).info
    assert info["symmetry"].tolist() == [3, 3]
    assert info["n_clusters"].tolist() == [6, 6]
    assert info["separation"].tolist() == [0.9, 0.9]
    assert info["clumping"].tolist() == [0.5, 0.5]
    assert info["fill_clusters"].tolist() == [False, False]


def test_progress_bar(capsys):
    make_patterned(1, **{**SMALL, "verbose": 1})
    assert "patterned films" in capsys.readouterr().err
    make_patterned(1, **SMALL)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"density": 1.8},
            r"density=1.8 cannot be packed around .* sample 0, where 0.9 is the limit",
        ),
        ({"density": 1.8, "symmetry": None}, r"density=1.8 cannot be packed: .*lower the density$"),
        (
            {"n_clusters": 40, "fractions": (0.85, 0.15)},
            r"n_clusters=40 of separation=0.9 do not f",
        ),
        ({"separation": 7.0}, r"separation=7 do not fit"),
        ({"n_clusters": 100}, r"n_clusters=100 with symmetry=5 need 500 .* are 195 and 105"),
        ({"n_particles": 10}, r"n_particles must be at least 12 at density=1.2, got 10"),
        ({"separation": 0.7}, r"separation must be a number of at least 0.766, got 0.7"),
        ({"separation": 0.7, "symmetry": 3}, r"separation must be a number of at least 0.72, "),
        ({"separation": np.inf}, r"separation must be a number"),
        ({"symmetry": 4}, r"symmetry must be 5, 3 or None, got 4"),
        ({"symmetry": "five"}, r"symmetry must be 5, 3 or None, got 'five'"),
        ({"clumping": 1.1}, r"clumping must be a number from 0 to 1, got 1.1"),
        ({"clumping": float("nan")}, r"clumping must be a number from 0 to 1, got nan"),
        ({"density": -1.0}, r"density must be a number of at least 0.01, got -1.0"),
        ({"density": "high"}, r"density must be a number of at least 0.01, got 'high'"),
        ({"fractions": (0.6, 0.3)}, r"fractions must be two shares that add up to 1"),
        ({"fractions": (1.2, -0.2)}, r"fractions must be two shares that add up to 1"),
        ({"fill_clusters": "no"}, r"fill_clusters must be True or False, got 'no'"),
        ({"n_clusters": -1}, r"n_clusters must be an integer of at least 0, got -1"),
        ({"n_particles": 99.5}, r"n_particles must be an integer"),
        ({"random_state": -2}, r"random_state must be 0 or larger"),
    ],
)
def test_refusals(changed, words):
    with pytest.raises(ValueError, match=words):
        make_patterned(1, **{**SMALL, **changed})


def test_no_samples():
    with pytest.raises(ValueError, match="n must be an integer of at least 1, got 0"):
        make_patterned(0, **SMALL)


def test_clusters_that_leave_no_room():
    cluster = np.zeros((1, 6, 2))
    potential = get_potential("kob-andersen-2d")
    random = np.random.default_rng(0)
    with pytest.raises(NoRoomError, match="the clusters leave no room"):
        fill_box(cluster, (5, 5), 8.0, potential, keep_out=6.0, clumping=0.0, random=random)
