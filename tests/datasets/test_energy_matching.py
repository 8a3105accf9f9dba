import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from glassclf.configurations import Configuration, Configurations
from glassclf.datasets import match_energy
from glassclf.datasets.energy_matching import pair_within

# A grid of sixteenths, which differences do not round.
NUMBERS = st.lists(st.integers(0, 32).map(lambda i: i / 16), min_size=1, max_size=5).map(np.array)


def _all_matchings(first, second, tolerance):
    """Every set of pairs within the tolerance, by trying them all: (number, sum of differences)."""
    if not first:
        yield 0, 0.0
        return
    head, rest = first[0], first[1:]
    yield from _all_matchings(rest, second, tolerance)
    for index, partner in enumerate(second):
        if abs(head - partner) <= tolerance:
            others = second[:index] + second[index + 1 :]
            for number, total in _all_matchings(rest, others, tolerance):
                yield number + 1, total + abs(head - partner)


@given(NUMBERS, NUMBERS, st.sampled_from([0.0, 0.125, 0.5, 2.0]))
def test_matching_is_the_best_of_all(first, second, tolerance):
    pairs = pair_within(first, second, tolerance)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (np.diff(pairs[:, 0]) > 0).all()
    differences = np.abs(first[pairs[:, 0]] - second[pairs[:, 1]])
    assert (differences <= tolerance).all()
    found = _all_matchings(first.tolist(), second.tolist(), tolerance)
    number, negative = max((number, -total) for number, total in found)
    assert len(pairs) == number
    assert differences.sum() == pytest.approx(-negative)


@given(
    st.lists(st.floats(-4, -3), min_size=1, max_size=40).map(np.array),
    st.lists(st.floats(-4, -3), min_size=1, max_size=40).map(np.array),
    st.floats(0, 0.1),
)
def test_any_numbers_are_paired_within_the_tolerance_and_once(first, second, tolerance):
    pairs = pair_within(first, second, tolerance)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (np.abs(first[pairs[:, 0]] - second[pairs[:, 1]]) <= tolerance).all()
    # The other way round the pairs are as many, and as close.
    turned = pair_within(second, first, tolerance)
    assert len(turned) == len(pairs)
    sums = [np.abs(first[i] - second[j]).sum() for i, j in (pairs.T, turned[:, ::-1].T)]
    assert sums[0] == pytest.approx(sums[1])


GLASSES = [("g1", 20, 0.05, -3.660), ("g2", 20, 0.05, -3.670), ("g3", 20, 0.05, -3.600)]
LIQUIDS = [("l1", 200, 0.8, -3.6685), ("l2", 200, 0.8, -3.661), ("l3", 200, 0.8, -3.500)]
OTHERS = [("g1", 20, 0.8, -3.66), ("l1", 200, 0.05, -3.70)]
STEPS = {"cooling_steps": (20, 200)}


def test_pair_by_pair_first_class_first(make_set):
    X, y, groups = match_energy(Bunch(data=make_set(LIQUIDS + OTHERS + GLASSES)), **STEPS)
    assert y.tolist() == ["glass", "liquid"] * 2
    assert X.info["run"].tolist() == ["g1", "l2", "g2", "l1"]
    assert groups.tolist() == ["g1", "g1", "g2", "g2"]


def test_tolerance_and_labels(make_set):
    X, y, _ = match_energy(
        make_set(GLASSES + LIQUIDS), **STEPS, tolerance=0.0012, labels=("fast", "slow")
    )
    assert y.tolist() == ["fast", "slow"]
    assert X.info["run"].tolist() == ["g1", "l2"]
    assert len(match_energy(make_set(GLASSES + LIQUIDS), **STEPS, tolerance=0.2)[0]) == 6


def test_equal_calls_give_equal_pairs(make_set):
    rng = np.random.default_rng(0)
    rows = [(f"g{i}", 20, 0.05, rng.normal(0, 0.007)) for i in range(60)]
    rows += [(f"l{i}", 200, 0.8, rng.normal(0.003, 0.007)) for i in range(40)]
    one, other = (match_energy(make_set(rows), **STEPS) for _ in range(2))
    assert one[0].info["run"].tolist() == other[0].info["run"].tolist()
    assert len(one[0]) > 60


def test_thermal_snapshots_by_the_energy_of_their_inherent_structures(make_set):
    X, _, _ = match_energy(make_set(GLASSES + LIQUIDS, "thermal"), **STEPS, state="thermal")
    assert set(X.info["state"]) == {"thermal"}
    assert len(X) == 4


def test_two_glasses_of_one_rate_are_matched_within_runs_where_that_is_best(make_set):
    rows = [(f"r{i}", 20, t, -3.6 - i / 10 + t / 1000) for i in range(4) for t in (0.05, 0.2)]
    labels = ("cold", "warm")
    X, _, groups = match_energy(make_set(rows), (0.05, 0.2), (20, 20), labels=labels)
    assert groups.tolist() == np.repeat(["r0", "r1", "r2", "r3"], 2).tolist()
    assert X.info["run"].tolist() == groups.tolist()


def test_pairs_that_share_runs_are_one_group(make_set):
    # r1 with r2, r2 with r3; r4 with r5; r6 with itself.
    cold = [("r1", -3.1), ("r2", -3.2), ("r4", -3.3), ("r6", -3.4), ("r7", -3.5)]
    warm = [("r2", -3.1), ("r3", -3.2), ("r5", -3.3), ("r6", -3.4), ("r8", -3.5)]
    rows = [(run, 20, 0.05, energy) for run, energy in cold]
    rows += [(run, 20, 0.2, energy) for run, energy in warm]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X, y, groups = match_energy(make_set(rows), (0.05, 0.2), (20, 20), labels=("a", "b"))
    assert groups.tolist() == np.repeat(["r1", "r1", "r4", "r6", "r7"], 2).tolist()
    for train, test in GroupKFold(4).split(X, y, groups):
        assert not set(X.info["run"][train]) & set(X.info["run"][test])


def test_several_snapshots_of_a_run_are_one_group(make_set):
    rows = [("g1", 20, 0.05, -3.1), ("g1", 20, 0.05, -3.2), ("g2", 20, 0.05, -3.3)]
    rows += [("l1", 200, 0.8, -3.1), ("l2", 200, 0.8, -3.2), ("l3", 200, 0.8, -3.3)]
    with pytest.warns(UserWarning, match="shared runs join 2 of 3 pairs to one group"):
        _, _, groups = match_energy(make_set(rows), **STEPS)
    assert groups.tolist() == ["g1"] * 4 + ["g2"] * 2


@given(st.data())
def test_no_run_stands_on_both_sides_of_a_split(data):
    runs = st.sampled_from("abcdefgh")
    drawn = data.draw(st.lists(st.tuples(runs, st.booleans(), st.integers(0, 3)), max_size=12))
    rows = [("x", False, 0), ("y", True, 0), *drawn]
    X = Configurations(
        Configuration(
            [[0.5, 0.5]],
            [0],
            [1.0, 1.0],
            info={
                "run": run,
                "cooling_steps": 20,
                "state": "inherent",
                "temperature": 0.8 if warm else 0.05,
                "inherent_energy": energy,
            },
        )
        for run, warm, energy in rows
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y, groups = match_energy(X, cooling_steps=(20, 20))
    assert (y[::2] == "glass").all()
    assert (y[1::2] == "liquid").all()
    assert (groups[::2] == groups[1::2]).all()
    for run in set(X.info["run"]):
        assert len(set(groups[X.info["run"] == run])) == 1
    for group in set(groups):
        assert group in X.info["run"][groups == group]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"tolerance": 0.0005},
            r"no pair has inherent energies within tolerance=0.0005: the closest differ by 0.001, "
            r"the means are -3.6433 \(glass\) and -3.6098 \(liquid\)",
        ),
        ({"tolerance": -1}, "tolerance must be a number of at least 0, got -1"),
        ({"tolerance": "x"}, "tolerance must be a number of at least 0, got 'x'"),
        ({"tolerance": float("nan")}, "tolerance must be a number of at least 0, got nan"),
        ({"tolerance": True}, "tolerance must be a number of at least 0, got True"),
        ({"temperatures": 0.05}, "temperatures must be two values, .* got 0.05"),
        ({"temperatures": (0.05, 0.5)}, r"temperatures\[1\]=0.5 is not a .* has \[0.05, 0.8\]"),
        ({"cooling_steps": 20}, "cooling_steps must be two values, .* got 20"),
        ({"cooling_steps": (20, 9)}, r"cooling_steps\[1\]=9 is not in data, which has \[20, 200\]"),
        ({"labels": ("glass", "glass")}, "labels must be two different strings"),
        ({"state": "thermal"}, r"state must be one of those in data, \['inherent'\]"),
        (
            {"temperatures": (0.8, 0.8), "cooling_steps": (20, 20)},
            r"both classes are the same: temperatures=\(0.8, 0.8\), cooling_steps=\(20, 20\)",
        ),
    ],
)
def test_bad_input(make_set, parameters, words):
    with pytest.raises(ValueError, match=words):
        match_energy(make_set(GLASSES + LIQUIDS + OTHERS), **{**STEPS, **parameters})


def test_missing_energies(make_set):
    data = make_set(GLASSES + LIQUIDS)
    data.info["inherent_energy"][4] = np.nan
    words = r"\['inherent_energy'\] must be known of every liquid, it is nan for configuration 4"
    with pytest.raises(ValueError, match=words):
        match_energy(data, **STEPS)
    del data.info["inherent_energy"]
    with pytest.raises(ValueError, match=r"data.info must have .* lacks \['inherent_energy'\]"):
        match_energy(data, **STEPS)


def test_data_of_another_kind():
    with pytest.raises(TypeError, match="data must be a Configurations"):
        match_energy([1, 2])
