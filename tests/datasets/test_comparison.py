import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from glassclf.datasets import compare_classes, match_energy, select_pair
from glassclf.featurizers import GraphFeaturizer
from glassclf.testing import two_phases

ROWS = [("a", 20, 0.05, -3.70), ("a", 20, 0.8, -3.6), ("b", 20, 0.05, -3.65), ("b", 20, 0.8, -3.68)]


def test_what_two_classes_share(make_set):
    X, y, groups = select_pair(make_set(ROWS), liquid=0.8)
    comparison = compare_classes(X, y, groups)
    assert comparison.labels == ("glass", "liquid")
    assert comparison.n_samples == comparison.n_runs == (2, 2)
    assert comparison.n_groups == 2
    assert comparison.temperatures == ((0.05,), (0.8,))
    assert comparison.cooling_steps == ((20,), (20,))
    assert comparison.states == (("inherent",), ("inherent",))
    assert comparison.n_particles == ((1,), (1,))
    assert comparison.equal == ("cooling steps", "state", "particles")
    assert comparison.different == ("temperature", "energy")
    assert comparison.energy_mean == pytest.approx((-3.675, -3.64))
    assert comparison.energy_spread == pytest.approx((0.025, 0.04))
    assert comparison.energy_auc == 0.75
    assert comparison.energy_auc_error == pytest.approx(np.sqrt(5 / 48))


def test_matched_energies_count_as_equal_up_to_the_tolerance(make_set):
    rows = [(f"g{i}", 20, 0.05, -3.6 - i / 100) for i in range(5)]
    rows += [(f"l{i}", 200, 0.8, -3.6015 - i / 100) for i in range(5)]
    X, y, groups = match_energy(make_set(rows), cooling_steps=(20, 200))
    assert compare_classes(X, y, groups).different == ("temperature", "cooling steps")
    assert "energy" in compare_classes(X, y, groups).equal
    assert "energy" in compare_classes(X, y, groups, tolerance=0.001).different
    # As many of each class are needed for pairs.
    assert "energy" in compare_classes(X[1:], y[1:], groups[1:]).different


def test_energy_auc_is_that_of_sklearn_in_the_better_direction(make_set):
    rng = np.random.default_rng(0)
    rows = [(f"r{i}", 20, 0.05, energy) for i, energy in enumerate(rng.normal(size=30))]
    y = rng.permutation(["a", "b", "b"] * 10)
    comparison = compare_classes(make_set(rows), y)
    auc = roc_auc_score(y, [row[3] for row in rows])
    assert comparison.energy_auc == pytest.approx(max(auc, 1 - auc))
    assert compare_classes(make_set(rows), np.where(y == "a", "b", "a")).energy_auc == (
        pytest.approx(comparison.energy_auc)
    )


def test_error_is_the_scatter_where_the_energy_tells_nothing(make_set):
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], (20, 30))
    X = make_set([(f"r{i}", 20, 0.05, energy) for i, energy in enumerate(rng.normal(size=50))])
    folded = [compare_classes(X, rng.permutation(y)) for _ in range(200)]
    scatter = np.sqrt(np.mean([(one.energy_auc - 0.5) ** 2 for one in folded]))
    assert scatter == pytest.approx(folded[0].energy_auc_error, rel=0.2)


def test_table(make_set):
    rows = [(f"r{i}", 20, t, -3.6 - i / 10) for i in range(2) for t in (0.05, 0.5, 0.8, 1.0)]
    X = make_set(rows)
    y = np.where(X.info["temperature"] == 0.05, "glass", "liquid")
    lines = str(compare_classes(X, y)).splitlines()
    assert lines[0].split() == (
        "class samples runs temperature cooling steps state particles inherent energy".split()
    )
    assert lines[1].split()[:4] == ["glass", "2", "2", "0.05"]
    assert "0.5 to 1.0 (3)" in lines[2]
    assert "-3.6500 +- 0.0500" in lines[2]
    assert lines[3] == "equal: cooling steps, state, particles"
    assert lines[4] == "different: temperature, energy"
    assert lines[5].startswith("energy alone: AUC 0.500, where 0.5 +- ")
    assert lines[6] == "groups: 2"


def test_table_where_nothing_or_everything_differs(make_set):
    X = make_set([("a", 20, 0.05, -3.6), ("b", 20, 0.05, -3.601)])
    text = str(compare_classes(X, ["x", "y"]))
    assert "particles, energy (energy: one to one within 0.002)" in text
    assert "different: nothing" in text


def test_graphs_will_do():
    X, y, _ = two_phases()
    for name, value in {"cooling_steps": 20, "state": "inherent", "inherent_energy": -3.0}.items():
        X.info[name] = np.full(len(X), value)
    X.info["temperature"] = np.full(len(X), 0.05)
    graphs = GraphFeaturizer(4).fit_transform(X)
    assert compare_classes(graphs, y).n_particles == compare_classes(X, y).n_particles


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (["a"] * 4, r"y must hold two classes, got \['a'\]"),
        (list("abca"), r"y must hold two classes, got \['a', 'b', 'c'\]"),
        (["a", "b"], "inconsistent numbers of samples"),
    ],
)
def test_bad_labels(make_set, y, words):
    with pytest.raises(ValueError, match=words):
        compare_classes(make_set(ROWS), y)


def test_missing_info(make_set):
    X = make_set(ROWS)
    X.info["inherent_energy"][2] = np.nan
    words = r"\['inherent_energy'\] must be known of every sample, it is nan for sample 2"
    with pytest.raises(ValueError, match=words):
        compare_classes(X, list("abab"))
    del X.info["inherent_energy"]
    with pytest.raises(ValueError, match=r"X.info must have .* it lacks \['inherent_energy'\]"):
        compare_classes(X, list("abab"))


def test_features_without_info():
    with pytest.raises(TypeError, match="X must carry info, .*got ndarray: compare before"):
        compare_classes(np.zeros((4, 2)), list("abab"))
