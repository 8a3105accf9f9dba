"""Epochs as tasks of scikit-learn's own callbacks."""

import importlib.util
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import glassclf
from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 has it")


class Recorder:
    """Keep what a fit tells; ask it to stop after some epochs."""

    def __init__(self, stop_after=None, fail_after=None):
        self.stop_after, self.fail_after = stop_after, fail_after
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.events.append(f"end {context.task_name} {context.task_id}")
        if context.task_name == "epoch" and context.task_id + 1 == self.fail_after:
            raise RuntimeError("enough")
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after


class Keeper(Recorder):
    """Keep the estimator after each epoch, and what it predicts then."""

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        super().on_fit_task_end(estimator, context)
        if fitted_estimator is not None:
            self.events.append((fitted_estimator, fitted_estimator.predict_proba(X)))


@pytest.fixture
def small(images):
    return CNNClassifier(max_epochs=3, batch_size=8, random_state=0), *images


def epochs(first, last):
    return [f"{event} epoch {i}" for i in range(first, last) for event in ("begin", "end")]


def test_fit_and_its_epochs_are_tasks(small):
    model, X, y = small
    recorder = Recorder()
    model.set_callbacks(recorder).fit(X, y)
    expected = ["setup", "begin fit 0", *epochs(0, 3), "end fit 0", "teardown"]
    assert recorder.events == expected
    assert not {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} & vars(model).keys()


def test_training_is_the_same_with_callbacks_that_predict(small):
    model, X, y = small
    model.set_params(dropout=0.2, early_stopping=True, average_weights=0.9)
    watched = clone(model).set_callbacks(Keeper(), callback.ScoringMonitor(scoring="accuracy"))
    assert np.array_equal(model.fit(X, y).predict_proba(X), watched.fit(X, y).predict_proba(X))


def test_estimator_of_an_epoch_is_what_a_shorter_fit_gives(small):
    model, X, y = small
    keeper = Keeper()
    model.set_callbacks(keeper).fit(X, y)
    kept = [event for event in keeper.events if isinstance(event, tuple)]
    assert len(kept) == 4, "three epochs and the fit"
    for n_epochs, (estimator, proba) in enumerate(kept[:3], start=1):
        shorter = clone(model).set_callbacks().set_params(max_epochs=n_epochs).fit(X, y)
        assert estimator.n_iter_ == n_epochs
        assert np.array_equal(proba, shorter.predict_proba(X))
        assert np.array_equal(estimator.predict_proba(X), proba), "the training went on without it"
        assert estimator.history_["train_loss"].tolist() == shorter.history_["train_loss"].tolist()


def test_callback_that_asks_to_stop_ends_the_training_cleanly(small):
    model, X, y = small
    recorder = Recorder(stop_after=2)
    model.set_callbacks(recorder).fit(X, y)
    assert model.n_iter_ == 2
    assert model.stopped_by_ == "callback"
    assert recorder.events[-2:] == ["end fit 0", "teardown"]
    shorter = clone(model).set_callbacks().set_params(max_epochs=2).fit(X, y)
    assert np.array_equal(model.predict_proba(X), shorter.predict_proba(X))


def test_failure_tears_callbacks_down_and_leaves_the_estimator_as_it_was(small):
    model, X, y = small
    model.fit(X, y)
    before = dict(vars(model))
    recorder = Recorder(fail_after=2)
    model.set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X[:10], y[:10])
    assert recorder.events.count("teardown") == 1
    assert vars(model.set_callbacks()) == before


def test_resumed_fit_counts_the_epochs_done_before(small, tmp_path):
    model, X, y = small
    model.set_params(checkpoint=tmp_path).fit(X, y)
    recorder, keeper = Recorder(), Keeper()
    model.set_params(max_epochs=5).set_callbacks(recorder, keeper).fit(X, y)
    assert recorder.events[2:-2] == epochs(0, 5)
    kept = [event[0].n_iter_ for event in keeper.events if isinstance(event, tuple)]
    assert kept == [4, 5, 5], "those of this fit only"
    finished = Recorder()
    model.set_callbacks(finished).fit(X, y)
    assert finished.events == ["setup", "begin fit 0", "end fit 0", "teardown"]


def test_warm_start_counts_its_own_epochs(small):
    model, X, y = small
    recorder = Recorder()
    model.set_params(warm_start=True).fit(X, y).set_callbacks(recorder).fit(X, y)
    assert recorder.events[2:-2] == epochs(0, 3)


def test_monitor_scores_every_epoch(crystals_and_gases):
    X, y = crystals_and_gases(4)
    monitor = callback.ScoringMonitor(scoring="accuracy")
    network = MPNNClassifier(max_epochs=2, random_state=0).set_callbacks(monitor)
    pipe = make_pipeline(GraphFeaturizer(n_neighbors=4), network).fit(X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in rows] == [0, 1]
    assert rows[-1]["accuracy"] == pipe.score(X, y)


def test_callbacks_survive_clone_and_pickle_but_are_not_saved(small, tmp_path):
    model, X, y = small
    model.set_callbacks(callback.ScoringMonitor(scoring="accuracy")).fit(X, y)
    assert clone(model)._skl_callbacks == model._skl_callbacks
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), model.predict(X))
    glassclf.save(model, tmp_path / "model.glassclf")
    assert not hasattr(glassclf.load(tmp_path / "model.glassclf"), "_skl_callbacks")


@pytest.mark.filterwarnings("ignore:The estimator GraphFeaturizer does not support callbacks")
@pytest.mark.parametrize("wrapped", ["alone", "in a pipeline", "in a search"])
def test_progress_bar_of_sklearn_shows_the_epochs(crystals_and_gases, wrapped, capfd, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    X, y = crystals_and_gases(4)
    pipe = make_pipeline(GraphFeaturizer(n_neighbors=4), MPNNClassifier(max_epochs=2))
    model, data = pipe, (X, y)
    if wrapped == "alone":
        model, data = pipe[-1], (pipe[0].fit_transform(X), y)
    elif wrapped == "in a search":
        model = GridSearchCV(pipe, {"mpnnclassifier__lr": [1e-3, 1e-2]}, cv=2, n_jobs=2)
    model.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(*data)
    lines = [line for line in capfd.readouterr().out.splitlines() if "MPNNClassifier - fit" in line]
    assert len(lines) == (5 if wrapped == "in a search" else 1)
    assert all("100%" in line for line in lines)


def test_without_sklearn_callback_fit_is_just_called(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.find_spec("glassclf.estimators.fit_tasks")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Model(module.CallbackSupportMixin):
        @module.with_callbacks
        def fit(self, X, *, y):
            tasks = module.FitTasks(self, 3, X, y, None)
            tasks.begin()
            tasks.on_batch_begin(None)
            tasks.on_epoch_end(None)
            tasks.end()
            return X + y

    assert Model().fit(1, y=2) == 3
    assert not hasattr(Model, "set_callbacks")
