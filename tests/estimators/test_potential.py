"""A potential as an estimator: it learns, is kept, and refuses what it cannot take."""

import copy
import pickle

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_validate

import glassclf
from glassclf.estimators import CNNRegressor, PairSplineRegressor, PotentialRegressor
from glassclf.networks import EnergyNetwork
from glassclf.testing import labelled_lattices, noisy_lattice

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:particles of types"
)
QUICK = {
    "r_max": 2.0,
    "hidden_size": 8,
    "n_radial": 10,
    "lr": 1e-2,
    "random_state": 0,
    "average_weights": 0.9,
}


@pytest.fixture(scope="module")
def task():
    return labelled_lattices(noise=0.06, n_cells=(5, 6))


@pytest.fixture(scope="module")
def X(task):
    return task[0]


@pytest.fixture(scope="module")
def labels(task):
    return task[1:]


@pytest.fixture(scope="module")
def fitted(X, labels):
    energy, forces = labels
    return PotentialRegressor(**QUICK, max_epochs=150).fit(X, energy, forces=forces)


def test_it_learns_energies_and_forces(fitted, X, labels):
    energy, forces = labels
    found = fitted.predict_forces(X)
    assert [part.shape for part in found] == [(30, 2)] * 12
    error = np.concatenate(found) - np.concatenate(forces)
    assert np.sqrt(np.mean(error**2)) < 0.2 * np.concatenate(forces).std()
    assert fitted.score(X, energy) > 0.9
    assert is_regressor(fitted)
    assert fitted.history_["train_loss"][-1] < 0.2 * fitted.history_["train_loss"][0]


def test_forces_and_stress_of_an_estimator_are_gradients(fitted, X):
    one = X[0]
    step = 1e-2  # in float32 a smaller one would drown
    ahead, behind = (
        (one.positions + step * sign * np.eye(30, 2), one.types, one.box) for sign in (1, -1)
    )
    energies = fitted.predict([ahead, behind])
    forces = fitted.predict_forces([one])[0]
    slope = (energies[1] - energies[0]) / (2 * step)
    assert forces[0, 0] + forces[1, 1] == pytest.approx(slope, rel=5e-2, abs=0.1)
    strain = np.diag([1 + 1e-3, 1.0]), np.diag([1 - 1e-3, 1.0])
    energies = fitted.predict([(one.positions @ s, one.types, one.cell @ s) for s in strain])
    stress = fitted.predict_stress([one])[0]
    expected = (energies[0] - energies[1]) / 2e-3 / one.box.prod()
    assert stress[0, 0] == pytest.approx(expected, rel=2e-2, abs=0.05)


def test_prior_leaves_little_to_learn(fitted, X, labels):
    energy, forces = labels
    model = PotentialRegressor(**QUICK, max_epochs=3, pair_prior=True)
    model.fit(X, energy, forces=forces)
    error = np.concatenate(model.predict_forces(X)) - np.concatenate(forces)
    assert np.sqrt(np.mean(error**2)) < 0.01 * np.concatenate(forces).std()
    assert fitted.prior_ is None
    stress, of_prior = model.predict_stress(X[:1]), model.prior_.predict_stress(X[:1])
    np.testing.assert_allclose(stress, of_prior, atol=0.1)


def test_energies_alone(X, labels):
    energy, _ = labels
    model = PotentialRegressor(**QUICK, max_epochs=60).fit(X, energy)
    assert model.score(X, energy) > 0.5
    assert model.force_scale_ == 1.0


def test_energies_are_extensive(fitted, X):
    one = X[0]
    positions = np.concatenate([one.positions, one.positions + [one.box[0], 0.0]])
    twice = (positions, np.tile(one.types, 2), one.box * [2, 1])
    single, double = fitted.predict([one])[0], fitted.predict([twice])[0]
    assert double == pytest.approx(2 * single, rel=1e-5)


def test_open_boxes_and_other_sizes(fitted):
    cluster = noisy_lattice(0.02, n_cells=(3, 3), periodic=False)
    assert np.isfinite(fitted.predict([cluster])).all()
    with pytest.raises(ValueError, match="sample 0 is open along a direction"):
        fitted.predict_stress([cluster])


def test_copies(fitted, X, tmp_path):
    expected = fitted.predict(X)
    for back in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(back.predict(X), expected)
    glassclf.save(fitted, tmp_path / "potential")
    back = glassclf.load(tmp_path / "potential")
    np.testing.assert_array_equal(back.predict(X), expected)
    np.testing.assert_array_equal(back.closest_, fitted.closest_)
    with pytest.raises(NotFittedError):
        clone(fitted).predict(X)


def test_prior_is_saved(X, labels, tmp_path):
    energy, forces = labels
    model = PotentialRegressor(**QUICK, max_epochs=1, pair_prior=True)
    model.fit(X, energy, forces=forces)
    glassclf.save(model, tmp_path / "potential")
    back = glassclf.load(tmp_path / "potential")
    np.testing.assert_array_equal(back.predict(X), model.predict(X))


def test_equal_seeds_and_warm_start(X, labels):
    energy, forces = labels
    model = PotentialRegressor(**QUICK, max_epochs=2)
    one, two = (clone(model).fit(X, energy, forces=forces) for _ in range(2))
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    one.set_params(warm_start=True, max_epochs=4).fit(X, energy, forces=forces)
    assert one.n_iter_ == 6


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"r_max": 1.5}, "r_max=1.5 differs from r_max=2.0 of the first fit: use warm_start=False"),
        ({"pair_prior": True}, "pair_prior=True differs from pair_prior=False"),
        ({"angular_order": 1}, "angular_order=1 differs"),
        ({"hidden_size": 4}, "hidden_size=4 differs"),
    ],
)
def test_warm_start_keeps_the_network(X, labels, setting, message):
    energy, forces = labels
    model = PotentialRegressor(**QUICK, max_epochs=1).fit(X, energy, forces=forces)
    model.set_params(warm_start=True, **setting)
    with pytest.raises(ValueError, match=message):
        model.fit(X, energy, forces=forces)


@pytest.mark.parametrize("pair_prior", [False, True])
def test_samples_of_no_weight_set_no_scale(X, labels, pair_prior):
    energy, forces = np.append(labels[0], 1e6), [*labels[1], 1e6 * labels[1][0]]
    weights = np.append(np.linspace(1.0, 2.0, 12), 0.0)
    last = X[0]
    last.positions = last.positions.copy()
    last.positions[0] = last.positions[1] + [0.1, 0.0]
    model = PotentialRegressor(**QUICK, max_epochs=1, pair_prior=pair_prior)
    with_it = clone(model).fit([*X, last], energy, forces=forces, sample_weight=weights)
    without = clone(model).fit(X, labels[0], forces=labels[1], sample_weight=weights[:12])
    for name in ("force_scale_", "type_energies_", "closest_", "_energy_unit", "_energy_spread"):
        np.testing.assert_allclose(getattr(with_it, name), getattr(without, name), rtol=1e-9)


def test_scales_are_weighted_as_repeated_samples_would(X, labels):
    weights = np.arange(1, 13)
    rows = np.repeat(np.arange(12), weights)
    model = PotentialRegressor(**QUICK, max_epochs=1)
    one = clone(model).fit(X, labels[0], forces=labels[1], sample_weight=weights)
    two = clone(model).fit(X[rows], labels[0][rows], forces=[labels[1][row] for row in rows])
    for name in ("force_scale_", "_energy_unit", "_energy_spread"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-9)


def test_equal_energies_have_no_spread(X, labels):
    model = PotentialRegressor(**QUICK, max_epochs=1)
    model.fit(X, np.full(12, 0.1), sample_weight=np.linspace(0.1, 0.7, 12))
    assert model._energy_unit == 1.0


def test_checkpoint_goes_on(X, labels, tmp_path):
    energy, forces = labels
    settings = {**QUICK, "max_epochs": 3, "checkpoint": tmp_path / "kept"}
    model = PotentialRegressor(**settings).fit(X, energy, forces=forces)
    again = PotentialRegressor(**settings).fit(X, energy, forces=forces)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    with pytest.raises(ValueError, match="another training, which differs in forces:"):
        PotentialRegressor(**settings).fit(X, energy, forces=[2 * part for part in forces])
    with pytest.raises(ValueError, match="another training, which differs in energy, forces:"):
        PotentialRegressor(**settings).fit(X, 2 * energy)
    with pytest.raises(ValueError, match="which differs in .*class"):
        CNNRegressor(checkpoint=tmp_path / "kept").fit(np.zeros((4, 1, 8, 8)), np.arange(4.0))


def test_validation_keeps_runs_together(X, labels):
    energy, forces = labels
    model = PotentialRegressor(**QUICK, max_epochs=2, validation_fraction=0.3)
    model.fit(X, energy, forces=forces)
    assert np.isfinite(model.history_["valid_score"]).all()
    train, valid = model._split(energy, X.info["run"])
    assert not set(X.info["run"][train]) & set(X.info["run"][valid])


def test_cross_validation_hands_the_forces_on(X, labels):
    energy, forces = labels
    found = cross_validate(
        PotentialRegressor(**QUICK, max_epochs=1),
        X,
        energy,
        groups=X.info["run"],
        cv=GroupKFold(2),
        params={"forces": forces},
        scoring="neg_mean_absolute_error",
    )
    assert np.isfinite(found["test_score"]).all()


@pytest.mark.parametrize(
    "model", [PairSplineRegressor(r_max=2.0), PotentialRegressor(**QUICK, max_epochs=1)]
)
def test_metadata_routing_hands_the_forces_on(X, labels, model):
    energy, forces = labels
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(
            model,
            X,
            energy,
            cv=GroupKFold(2),
            params={"forces": forces, "groups": X.info["run"]},
            return_estimator=True,
        )
    alone = clone(model).fit(X, energy)
    for one in found["estimator"]:
        assert not np.array_equal(one.predict(X), alone.predict(X))
    assert np.isfinite(found["test_score"]).all()


def test_embedding(fitted, X):
    embedding = fitted.transform(X)
    assert embedding.shape == (12, len(fitted.get_feature_names_out()))
    assert embedding.dtype == np.float32


class Springs(EnergyNetwork):
    def __init__(self, r_min):
        super().__init__(length=r_min)
        self.stiffness = torch.nn.Parameter(torch.ones(1))

    def node_energies(self, batch):
        near = (batch.distances < 1.4) * (1.4 - batch.distances) ** 3
        return self.stiffness * batch.sum_edges(near)


def test_own_network(X, labels):
    energy, forces = labels
    model = PotentialRegressor(**QUICK, module=Springs, max_epochs=2)
    model.fit(X, energy, forces=forces)
    assert np.isfinite(np.concatenate(model.predict_forces(X))).all()
    with pytest.raises(AttributeError, match="module Springs has no method embed"):
        model.transform(X)


UNSUPPORTED = [
    ({"augment": "shifts"}, "augment must be None in PotentialRegressor: the energy does not"),
    ({"compile": True}, "compile must be False .* no second derivatives"),
    ({"data_device": "cpu"}, "data_device must be None"),
    ({"data_parallel": True}, "data_parallel must be False"),
    ({"dropout": 0.1}, "dropout must be 0.0 .* has no forces"),
    ({"freeze_encoder": True}, "freeze_encoder"),
    ({"precision": "bf16"}, "precision must be '32' .* single precision"),
]


@pytest.mark.parametrize(("setting", "message"), UNSUPPORTED)
def test_what_a_potential_cannot_do(X, labels, setting, message):
    with pytest.raises(ValueError, match=message):
        PotentialRegressor(**QUICK, **setting).fit(X, labels[0])


def test_bad_targets(X, labels):
    energy, forces = labels
    with pytest.raises(ValueError, match="energy is missing"):
        PotentialRegressor().fit(X, None, forces=forces)
    with pytest.raises(ValueError, match="X is empty: expected at least one configuration"):
        PotentialRegressor().fit(X[:0], energy[:0], forces=forces[:0])
    with pytest.raises(ValueError, match=r"no two particles are within r_max=0\.1 .*closest are 0"):
        PotentialRegressor(r_max=0.1).fit(X, energy)
    wrong = [*forces[:-1], forces[-1][:-1]]
    with pytest.raises(ValueError, match=r"forces\[11\] must have the shape of the positions"):
        PotentialRegressor().fit(X, energy, forces=wrong)


def test_bad_input_of_predict(fitted, X):
    with pytest.raises(ValueError, match="X is empty: expected at least one configuration"):
        fitted.predict(X[:0])
    with pytest.raises(ValueError, match="sample 0 has particles of type 7, which fit never saw"):
        fitted.predict([([[1.0, 1.0]], [7], [9.0, 9.0])])


def test_particles_at_the_same_place(fitted, X, labels):
    positions = X[2].positions.copy()
    positions[7] = positions[3]
    bad = [X[0], X[1], (positions, X[2].types, X[2].box)]
    text = "particles 3 and 7 of configuration 2 are at the same place"
    continued = copy.deepcopy(fitted).set_params(warm_start=True)
    for fit in (clone(fitted).fit, continued.fit):
        with pytest.raises(ValueError, match=text):
            fit(bad, labels[0][:3], forces=labels[1][:3])
    for ask in (fitted.predict, fitted.predict_forces, fitted.transform):
        with pytest.raises(ValueError, match=text):
            ask(bad)


@pytest.mark.filterwarnings("default")
def test_warning_of_close_particles(fitted):
    pair = [([[4.0, 5.0], [4.4, 5.0]], [0, 1], [10.0, 10.0])]
    with pytest.warns(
        UserWarning, match=r"types 0 and 1 are 0\.4 apart; the closest in the tra"
    ) as seen:
        fitted.predict(pair)
    assert seen[0].filename == __file__
