"""The card of the training data, and the warning for data of another kind."""

import json
import pickle
import re
import warnings

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations
from glassclf.estimators.card import TrainingCard, training_card, warn_of_other_kind
from glassclf.featurizers import GraphFeaturizer
from glassclf.testing import two_phases


def graphs_of(n_samples=4, *, n_neighbors=4, share=0.5, **info):
    rng = np.random.default_rng(0)
    types = (np.arange(20) >= share * 20).astype(int)
    X = Configurations(
        Configuration(rng.random((20, 2)) * 5, types, [5.0, 5.0]) for _ in range(n_samples)
    )
    X.info.update({name: np.resize(values, n_samples) for name, values in info.items()})
    return GraphFeaturizer(n_neighbors=n_neighbors).fit_transform(X)


def test_card_of_graphs_tells_what_they_are():
    graphs = graphs_of(
        state=["inherent"], temperature=[0.05, 0.635], run=["a", "a", "b", "b"], cooling_steps=200
    )
    y = np.array(["glass", "liquid"] * 2)
    card = training_card(graphs, y, graphs.info["run"])
    assert len(card.pop("hash")) == 12
    assert card == {
        "n_samples": 4,
        "classes": {"glass": 2, "liquid": 2},
        "n_groups": 2,
        "input": "Graphs",
        "n_dims": 2,
        "n_particles": {"20": 4},
        "composition": {"0": 0.5, "1": 0.5},
        "n_neighbors": 4,
        "state": {"inherent": 4},
        "temperature": {"0.05": 2, "0.635": 2},
        "run": {"a": 2, "b": 2},
        "cooling_steps": {"200": 4},
    }
    assert repr(card).splitlines()[:3] == [
        "trained on 4 samples",
        "  classes: glass (2), liquid (2)",
        "  n groups: 2",
    ]


def test_card_of_images_has_shape_and_range_of_targets():
    card = training_card(np.zeros((5, 2, 8, 8)), np.linspace(-1, 3, 5))
    assert card["shape"] == [2, 8, 8]
    assert card["target_range"] == [-1.0, 3.0]
    assert "classes" not in card
    assert "shape: 2 x 8 x 8" in repr(card)


def test_card_sums_up_many_values():
    graphs = graphs_of(40, energy=np.linspace(0, 1, 40), file=[f"{i}.dump" for i in range(40)])
    graphs.info["origin"] = np.zeros((40, 2))
    graphs.info["input"] = np.zeros(40)
    card = training_card(graphs, np.arange(40))
    assert card["energy"] == {"lowest": 0.0, "highest": 1.0, "different": 40}
    assert card["file"] == {"different": 40}
    assert card["info input"] == {"0.0": 40}
    assert "origin" not in card
    assert "energy: 0 to 1, 40 different\n" in repr(card)
    assert "file: 40 different\n" in repr(card)


@pytest.mark.parametrize("y", [[True, False], [1, 0], np.array(["b", "a"], dtype=object)])
def test_card_is_plain_data(y):
    card = training_card(graphs_of(2, temperature=[np.nan, 1.0]), y, groups=[1, 2])
    assert json.loads(json.dumps(card)) == card
    assert set(card["classes"].values()) == {1}
    again = pickle.loads(pickle.dumps(card))
    assert type(again) is TrainingCard
    assert again == card


def test_hash_tells_data_apart(monkeypatch):
    graphs = graphs_of(4)
    card = training_card(graphs, [0, 1, 0, 1])
    assert training_card(graphs_of(4), [0, 1, 0, 1])["hash"] == card["hash"]
    assert training_card(graphs[::-1], [0, 1, 0, 1])["hash"] != card["hash"]
    lazy = GraphFeaturizer(4, lazy=True).fit_transform(two_phases(n_runs=2)[0])
    assert lazy.fingerprint().startswith(training_card(lazy, [0, 1, 0, 1])["hash"])
    monkeypatch.setattr("glassclf.estimators.card.MANY_BYTES", 100)
    assert "hash" not in training_card(graphs, [0, 1, 0, 1])
    assert "hash" in training_card(np.zeros((4, 1)), [0, 1, 0, 1])


def warnings_of(card, X):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_other_kind(card, X)
    return [str(one.message) for one in caught]


def test_one_warning_names_both_sides_of_all_differences():
    known = graphs_of(state=["inherent"], cooling_steps=200_000, temperature=[0.05, 0.6])
    card = training_card(known, [0, 1, 0, 1])
    other = graphs_of(
        n_neighbors=6, share=0.0, state=["thermal"], cooling_steps=20_000, temperature=[0.3, 0.2]
    )
    (text,) = warnings_of(card, other)
    assert "state thermal instead of inherent; cooling_steps 20000 instead of 200000" in text
    assert "composition 1 (1.0) instead of 0 (0.5), 1 (0.5); n_neighbors 6 instead of 4" in text


def test_no_warning_for_the_same_kind_or_where_nothing_is_known():
    known = graphs_of(state=["inherent"], temperature=[0.05])
    card = training_card(known, [0, 1, 0, 1])
    assert warnings_of(card, known[:1]) == []
    assert warnings_of(card, graphs_of(temperature=[0.4])) == []
    assert warnings_of(card, np.zeros((2, 3))) == []
    assert warnings_of(None, known) == []
    assert warnings_of(training_card(np.zeros((2, 3)), [0, 1]), known) == []


def phases_as_graphs(**settings):
    X = two_phases(n_runs=2)[0]
    return GraphFeaturizer(**settings).fit_transform(X)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("trained", "asked", "words"),
    [
        ({"r_max": 1.5}, {"r_max": 2.5}, "longest bond 2.* instead of 1[.]"),
        ({"r_max": 2.5}, {"r_max": 1.5}, "longest bond 1.* instead of 2[.]"),
        ({"n_neighbors": 4}, {"r_max": 1.5}, "n_neighbors varying instead of 4[.]"),
        ({"r_max": 1.5}, {"n_neighbors": 4}, "n_neighbors 4 instead of varying[.]"),
        ({"n_neighbors": 4}, {"n_neighbors": 6}, "n_neighbors 6 instead of 4[.]"),
    ],
)
def test_graphs_with_other_bonds_are_of_another_kind(trained, asked, words, lazy):
    card = training_card(phases_as_graphs(**trained, lazy=lazy), [0, 1, 0, 1])
    assert ("longest_bond" in card) == ("r_max" in trained)
    for lazily in (False, True):
        (text,) = warnings_of(card, phases_as_graphs(**asked, lazy=lazily))
        assert re.search(words, text)
        assert warnings_of(card, phases_as_graphs(**trained, lazy=lazily)[1:2]) == []
        assert warnings_of(card, phases_as_graphs(**trained, lazy=lazily)[:0]) == []


def test_the_longest_bond_is_on_the_card():
    card = training_card(phases_as_graphs(r_max=1.5), [0, 1, 0, 1])
    assert 1.4 < card["longest_bond"] <= 1.5
    assert "longest bond: 1." in repr(card)
    without = training_card(phases_as_graphs(r_max=1e-9), [0, 1, 0, 1])
    assert "longest_bond" not in without
    assert warnings_of(without, phases_as_graphs(n_neighbors=4)) == []


def test_windows_of_few_particles_are_of_the_same_composition():
    X, y, _ = two_phases()
    graphs = GraphFeaturizer(n_neighbors=4).fit_transform(X)
    card = training_card(graphs, y)
    rng = np.random.default_rng(0)
    small = Configurations(
        Configuration(one.positions[chosen], one.types[chosen], one.box)
        for one in X
        for chosen in [rng.permutation(one.n_particles)[:12]]
    )
    windows = GraphFeaturizer(n_neighbors=4).fit(X).transform(small)
    assert warnings_of(card, windows) == []
