"""Vapour-deposited against liquid-cooled, and what they can be told apart by without structure."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from glassclf.configurations import Configurations
from glassclf.datasets import composition_control, select_films
from glassclf.testing import noisy_lattice, toy_films


@pytest.fixture(scope="module")
def films():
    return toy_films(3)


def two_temperatures():
    colder = toy_films(1, substrate_temperature=0.147, random_state=1)
    colder.info["run"] = np.full(4, "cold")
    return Configurations.concatenate([toy_films(2), colder])


def test_rows_run_by_run_and_exact_numbers(films):
    X, y, groups = select_films(films, n_particles=100, n_type_1=36)
    assert y.tolist() == ["vapor-deposited", "liquid-cooled"] * 3
    assert groups.tolist() == np.repeat(["toy-000", "toy-001", "toy-002"], 2).tolist()
    assert X.info["material"].tolist() == y.tolist()
    assert X.info["run"].tolist() == groups.tolist()
    assert set(X.info["state"]) == {"inherent"}
    assert set(X.n_particles) == {100}
    assert {int(sample.types.sum()) for sample in X} == {36}


def test_bunch_thermal_and_any_order(films):
    turned = films[np.arange(len(films))[::-1]]
    X, y, groups = select_films(Bunch(data=turned), 0.191, state="thermal", n_particles=90)
    assert groups.tolist() == np.repeat(["toy-002", "toy-001", "toy-000"], 2).tolist()
    assert y.tolist() == ["vapor-deposited", "liquid-cooled"] * 3
    assert set(X.info["state"]) == {"thermal"}


def test_one_of_two_substrate_temperatures():
    X, _, groups = select_films(two_temperatures(), 0.147, n_particles=100)
    assert groups.tolist() == ["cold", "cold"]
    with pytest.raises(ValueError, match=r"substrate_temperature=\[0.147, 0.189\]: choose one by"):
        select_films(two_temperatures())


def with_info(films, **info):
    new = Configurations(list(films))
    new.info.update(info)
    return new


def test_films_of_two_fluxes_are_refused(films):
    mixed = with_info(films, flux=np.repeat([0.0067, 0.0007], [4, 8]))
    words = r'films of flux=\[0.0007, 0.0067\]: choose one, such as data\[data.info\["flux"\]'
    with pytest.raises(ValueError, match=words):
        select_films(mixed)
    words = r'choose one, .* of a Bunch data.data\[data.data.info\["flux"\] == 0.0007\]$'
    with pytest.raises(ValueError, match=words):
        select_films(Bunch(data=mixed))
    select_films(with_info(films, flux=np.full(12, 0.0067)), n_particles=50)


def test_runs_without_both_materials_are_named(films):
    words = "run 'toy-001' must have exactly one inherent film that is liquid-cooled, it has 0"
    with pytest.raises(ValueError, match=words):
        select_films(films[:6])
    twice = with_info(films, run=np.repeat(["a", "b"], [8, 4]))
    with pytest.raises(ValueError, match="run 'a' .* film that is vapor-deposited, it has 2"):
        select_films(twice)


def test_an_empty_set(films):
    with pytest.raises(ValueError, match="^data is empty: there is no film to choose from$"):
        select_films(films[:0])


def test_films_that_cannot_be_cut_are_named(films):
    with pytest.raises(ValueError, match=r"cannot be cut out of 6 of 6 films: film 0 \(toy-000, v"):
        select_films(films, n_particles=1000)


def test_bad_input(films):
    with pytest.raises(ValueError, match=r"state must be one of those .*\['inherent', 'thermal'\]"):
        select_films(films, state="frozen")
    with pytest.raises(ValueError, match=r"substrate_temperature=0.3 is not one of .*\[0.189\]"):
        select_films(films, 0.3)
    for value in ("cold", True):
        with pytest.raises(ValueError, match="substrate_temperature must be a number or None"):
            select_films(films, value)
    lacking = Configurations(list(films))
    del lacking.info["material"]
    with pytest.raises(ValueError, match=r"data.info must have .* it lacks \['material'\]"):
        select_films(lacking)
    with pytest.raises(TypeError, match="data must be a Configurations or the Bunch of load_films"):
        select_films(list(films))


def samples(n_runs, densities=(1.0, 1.0), shares=(0.35, 0.35), n_cells=((8, 8), (8, 8))):
    """Samples of two classes with a density, a composition and a number of their own each."""
    rng = np.random.default_rng(0)
    X, y, groups = [], [], []
    for run in range(n_runs):
        for label in (0, 1):
            one = noisy_lattice(0.1, n_cells=n_cells[label], random_state=rng.integers(1000))
            types = (np.arange(one.n_particles) < shares[label] * one.n_particles).astype(int)
            scale = np.sqrt(densities[label] * (1 + 0.001 * rng.normal()))
            X.append((one.positions / scale, types, one.box / scale))
            y.append("ab"[label])
            groups.append(str(run))
    return X, np.array(y), np.array(groups)


def test_control_is_chance_where_nothing_differs():
    control = composition_control(*samples(12), n_shuffles=20)
    assert control.names == ("number", "composition", "density", "together")
    assert control.auc[:2].tolist() == [0.5, 0.5]
    assert control.error[:2].tolist() == [0.0, 0.0]
    assert 0.05 < control.error[2] < 0.3
    assert control.is_chance is True


@pytest.mark.parametrize(
    ("difference", "column"),
    [
        ({"densities": (1.0, 1.05)}, 2),
        ({"shares": (0.35, 0.36)}, 1),
        ({"n_cells": ((8, 8), (8, 9))}, 0),
    ],
)
def test_control_finds_each_difference(difference, column):
    control = composition_control(*samples(12, **difference), n_shuffles=3)
    assert control.auc[column] > 0.95
    assert control.auc[3] > 0.95
    assert control.is_chance is False


def test_control_is_seeded_and_takes_another_split(films):
    from sklearn.model_selection import GroupKFold

    X, y, groups = samples(4)
    one = composition_control(X, y, groups, n_shuffles=3)
    np.testing.assert_array_equal(one.error, composition_control(X, y, groups, n_shuffles=3).error)
    other = composition_control(X, y, groups, n_shuffles=5, random_state=1)
    assert (other.auc[2], other.error[2]) != (one.auc[2], one.error[2])
    two = composition_control(X, y, groups, cv=GroupKFold(2), n_shuffles=3)
    assert two.auc[2] != one.auc[2] or two.error[2] != one.error[2]
    composition_control(*select_films(films, n_particles=50), n_shuffles=2)


def test_bad_input_of_the_control():
    X, y, groups = samples(2)
    with pytest.raises(ValueError, match=r"y must hold two classes, got \['a'\]"):
        composition_control(X, np.full(4, "a"), groups)
    with pytest.raises(ValueError, match="n_shuffles must be an integer of at least 2, got 1"):
        composition_control(X, y, groups, n_shuffles=1)
    with pytest.raises(ValueError, match="needs at least two groups"):
        composition_control(X, y, np.zeros(4))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        composition_control(X, y[:3], groups)
