"""Search spaces of a search: storages keep them, they are named the same, mistakes are told."""

import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from glassclf.estimators import CNNClassifier
from glassclf.featurizers import BondOrderFeaturizer, RDFFeaturizer
from glassclf.model_selection import search_space
from glassclf.model_selection.spaces import Space

FILTERS = ((8,), (8, 16), None)


@pytest.fixture(params=["memory", "sqlite", "journal"])
def storage(request, tmp_path):
    if request.param == "journal":
        backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
        return lambda: optuna.storages.JournalStorage(backend)
    if request.param == "sqlite":
        return lambda: optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study.db'}")
    kept = optuna.storages.InMemoryStorage()
    return lambda: kept


def test_tuples_become_distributions_without_a_warning():
    space = {
        "n_bins": ("int", np.int64(2), 8),
        "r_max": ("float", 1, 2, "log"),
        "partial": ("choice", [True, False]),
        "n_jobs": IntDistribution(1, 4, step=3),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Space(space, RDFFeaturizer()).distributions == {
            "n_bins": IntDistribution(2, 8),
            "r_max": FloatDistribution(1.0, 2.0, log=True),
            "partial": CategoricalDistribution([True, False]),
            "n_jobs": IntDistribution(1, 4, step=3),
        }
        assert search_space(BondOrderFeaturizer())["orders"].choices[0] == (6,)
        Space(None, BondOrderFeaturizer())


def test_choices_survive_every_storage(storage):
    network = CNNClassifier()
    given = {
        "n_filters": ("choice", FILTERS),
        "padding": ("choice", ("zeros", ("zeros", "circular"))),
        "dropout": ("float", 0.0, 0.5),
        "batch_size": ("int", 4, 64, "log"),
    }
    space, suggested = Space(given, network), []
    study = optuna.create_study(
        storage=storage(), study_name="s", sampler=optuna.samplers.RandomSampler(seed=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(12):
            trial = study.ask()
            suggested.append(space.suggest(trial))
            study.tell(trial, 0.0)
    assert {point["n_filters"] for point in suggested} == set(FILTERS)
    again = optuna.load_study(storage=storage(), study_name="s")
    assert [space.decode(trial.params) for trial in again.trials] == suggested
    assert again.trials[0].distributions == space.distributions


def test_trials_keep_to_the_steps():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    stepped = Space({"batch_size": IntDistribution(2, 8, step=3)}, CNNClassifier())
    assert {stepped.suggest(study.ask())["batch_size"] for _ in range(20)} == {2, 5, 8}


@given(st.lists(st.one_of(st.text("(1,)", max_size=5), st.tuples(st.just(1))), min_size=1))
def test_labels_stand_for_one_choice_each(choices):
    space = Space({"padding": ("choice", tuple(choices))}, CNNClassifier())
    labels = space.distributions["padding"].choices
    assert [space.decode({"padding": label})["padding"] for label in labels] == choices
    n_tuples = sum(isinstance(choice, tuple) for choice in choices)
    assert len(set(labels)) == n_tuples + len({c for c in choices if isinstance(c, str)})


def conditional(trial):
    if trial.suggest_categorical("kind", ["deep", "wide"]) == "deep":
        return {"n_filters": (8,) * trial.suggest_int("depth", 2, 4)}
    return {"n_filters": (trial.suggest_int("width", 16, 64, log=True),)}


def test_a_function_is_asked_and_replayed(storage):
    space = Space(conditional, CNNClassifier())
    assert space.distributions is None
    study = optuna.create_study(storage=storage(), sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(6):
        trial = study.ask()
        suggested = space.suggest(trial)
        assert space.decode(trial.params) == suggested
    assert {len(trial.params) for trial in study.trials} == {2}


def test_a_step_that_is_put_in_brings_its_parameters():
    pipe = make_pipeline(RDFFeaturizer(), LogisticRegression())

    def exchange(trial):
        gamma = trial.suggest_float("gamma", 0.1, 1.0)
        return {"logisticregression": SVC(), "logisticregression__gamma": gamma}

    suggested = Space(exchange, pipe).suggest(FixedTrial({"gamma": 0.5}))
    assert suggested["logisticregression__gamma"] == 0.5
    given = {
        "logisticregression": ("choice", (SVC(), RandomForestClassifier())),
        "logisticregression__random_state": ("int", 0, 9),
        "logisticregression__class_weight": ("choice", (None, "balanced")),
    }
    choices = Space(given, pipe).distributions["logisticregression"].choices
    assert choices == ("SVC()", "RandomForestClassifier()")


PROGRAM = """
from glassclf.estimators import CNNClassifier
from glassclf.model_selection.spaces import Space
def end(trial): return {"lr": trial.suggest_float("lr", low, 1.0)}
low = 0.1
dicts = {"lr": ("float", 0.1, 1, "log"), "augment": ("choice", (None, end, (end, "mirrors")))}
for space in (dicts, end, None): print(Space(space, CNNClassifier()).description)
"""


def test_description_is_the_same_in_every_process(capsys):
    other = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    # Functions carry the name of their module.
    exec(PROGRAM, {"__name__": "__main__"})
    assert capsys.readouterr().out == other.stdout
    assert " at 0x" not in other.stdout
    assert 'lr: {"name": "FloatDistribution"' in other.stdout


def test_description_tells_spaces_apart():
    given = {"lr": ("float", 0.1, 1), "n_filters": ("choice", FILTERS)}
    same = dict(reversed(given.items()))
    descriptions = [
        Space(space, CNNClassifier()).description
        for space in (given, same, given | {"lr": ("float", 0.1, 2)}, conditional)
    ]
    assert descriptions[0] == descriptions[1]
    assert len(set(descriptions)) == 3


PIPE = make_pipeline(RDFFeaturizer(), HistGradientBoostingRegressor())


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        (
            [1.0, 2.0],
            TypeError,
            "must be a distribution of optuna or a tuple such as ('float', 1e-4, 1e-1, 'log'), got "
            "[1.0, 2.0]: write several values as ('choice', (value, ...)), and set a single one in "
            "the estimator",
        ),
        ((), ValueError, "must begin with 'int', 'float' or 'choice', got ()"),
        ((1, 2), ValueError, "must begin with 'int', 'float' or 'choice', got (1, 2)"),
        (
            ("log", 1, 2),
            ValueError,
            "must begin with 'int', 'float' or 'choice', got ('log', 1, 2)",
        ),
        *(
            (
                entry,
                ValueError,
                "must be ('float', low, high) or ('float', low, high, 'log'), with finite numbers, "
                f"got {entry!r}",
            )
            for entry in [
                ("float", 1),
                ("float", 1, 2, "lin"),
                ("float", 1, float("inf")),
                ("float", False, 1.0),
                ("float", 1, "2"),
            ]
        ),
        (
            ("int", 1, 2.5),
            ValueError,
            "must be ('int', low, high) or ('int', low, high, 'log'), with whole numbers, got "
            "('int', 1, 2.5)",
        ),
        *(
            (
                entry,
                ValueError,
                f"must be ('choice', (value, ...)), with one value at least, got {entry!r}",
            )
            for entry in [("choice",), ("choice", ()), ("choice", "ab"), ("choice", 1, 2)]
        ),
        (
            ("float", 2, 1),
            ValueError,
            "must have its lower bound first, got ('float', 2, 1)",
        ),
        (
            ("float", 0, 1, "log"),
            ValueError,
            "must have bounds above 0, as it has 'log', got ('float', 0, 1, 'log')",
        ),
    ],
)
def test_bad_entries_are_named(entry, error, message):
    with pytest.raises(error) as caught:
        Space({"r_max": entry}, RDFFeaturizer())
    assert str(caught.value) == f"'r_max' in space {message}"
    bad = type("Bad", (RDFFeaturizer,), {"_search_space": {"r_max": entry}})
    with pytest.raises(error) as caught:
        search_space(make_pipeline(bad()))
    assert str(caught.value) == f"'r_max' in the _search_space of Bad {message}"


class Unknown(RDFFeaturizer):
    _search_space = {"n_bin": ("int", 1, 2)}


class NoDict(CNNClassifier):
    _search_space = ("lr",)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            partial(search_space, Unknown()),
            ValueError,
            "'n_bin' in the _search_space of Unknown is no parameter of it: did you mean 'n_bins'?",
        ),
        (
            partial(search_space, NoDict()),
            TypeError,
            "the _search_space of NoDict must be a dict of parameter names, got ('lr',)",
        ),
        (
            partial(Space, [], PIPE),
            TypeError,
            "space must be None, a dict of parameter names or a function of a trial, got []",
        ),
        (
            partial(Space, {}, PIPE),
            ValueError,
            "space is empty: give it one parameter at least, or space=None to search what "
            "search_space(estimator) knows",
        ),
        (
            partial(Space, None, make_pipeline(StandardScaler(), GaussianNB())),
            ValueError,
            "space is empty: no search space is known for StandardScaler, GaussianNB; give one, "
            "such as space={'gaussiannb__var_smoothing': ('float', 1e-4, 1e-1, 'log')}",
        ),
        (
            partial(Space, None, StandardScaler()),
            ValueError,
            "space is empty: no search space is known for StandardScaler; give one, such as "
            "space={'parameter': ('float', 1e-4, 1e-1, 'log')}",
        ),
        (
            partial(Space, {"rdf__n_bins": ("int", 1, 2)}, PIPE),
            ValueError,
            "space names 'rdf__n_bins', which is no parameter of Pipeline: did you mean "
            "'rdffeaturizer__n_bins'?",
        ),
        (
            partial(Space, {"n_bin": ("int", 1, 2)}, RDFFeaturizer()),
            ValueError,
            "space names 'n_bin', which is no parameter of RDFFeaturizer: did you mean 'n_bins'?",
        ),
        (
            partial(Space, {5: ("int", 1, 2)}, PIPE),
            ValueError,
            "space names 5, which is no parameter of Pipeline: get_params() lists those that there "
            "are",
        ),
        (
            partial(Space(lambda trial: None, PIPE).suggest, FixedTrial({})),
            TypeError,
            "space(trial) must return a dict of parameter names and values, got None",
        ),
        (
            partial(Space(lambda trial: {"verbose": 1}, PIPE).suggest, FixedTrial({})),
            ValueError,
            "space(trial) suggested no parameter, so that all trials would be the same: take "
            "values from trial.suggest_float and the like",
        ),
        (
            partial(Space(lambda trial: {"n_bins": 1}, PIPE).decode, {}),
            ValueError,
            "space names 'n_bins', which is no parameter of Pipeline: did you mean "
            "'rdffeaturizer__n_bins'?",
        ),
    ],
)
def test_bad_spaces_are_refused(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
