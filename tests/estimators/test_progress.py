"""The progress bar: what it shows, where it starts, when it is silent."""

import re

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from skorch.callbacks import Callback

from glassclf.estimators import CNNClassifier, progress
from glassclf.estimators.progress import may_draw


def states(text):
    """States of the bar one after the other, as they were written."""
    return [state for state in re.split(r"[\r\n]", text) if "epochs [" in state]


class FailInSecondEpoch(Callback):
    def on_batch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            raise RuntimeError("enough")


def test_silent_by_default(images, capfd):
    CNNClassifier(max_epochs=2, random_state=0).fit(*images)
    assert capfd.readouterr() == ("", "")


def test_bar_shows_epochs_loss_score_and_rate(estimator, images, graphs, capfd):
    X, y = graphs if "MPNN" in type(estimator).__name__ else images
    y = y if hasattr(estimator, "predict_proba") else np.arange(len(y)) / 10
    estimator.set_params(verbose=1, max_epochs=3, validation_fraction=0.2, lr=0.002).fit(X, y)
    out, err = capfd.readouterr()
    last = states(err)[-1]
    assert out == ""
    assert last.startswith(f"{type(estimator).__name__} 100%|")
    assert "3/3 epochs" in last
    assert "lr 0.002" in last
    history = estimator.history_
    assert f"loss {history['train_loss'][-1]:.3g}," in last
    assert f"valid score {history['valid_score'][-1]:.3g}," in last
    assert err.endswith("\n"), "closed"


def test_verbose_2_prints_a_line_an_epoch_as_well(images, capfd):
    CNNClassifier(max_epochs=3, verbose=2, random_state=0).fit(*images)
    out, err = capfd.readouterr()
    assert "3/3 epochs" in states(err)[-1]
    assert [line.split()[0] for line in out.splitlines()] == ["epoch", "-------", "1", "2", "3"]


def test_bar_does_not_change_the_training(images):
    silent = CNNClassifier(max_epochs=3, random_state=0).fit(*images)
    shown = clone(silent).set_params(verbose=1).fit(*images)
    assert np.array_equal(silent.predict_proba(images[0]), shown.predict_proba(images[0]))
    names = [name for name, _ in shown.net_.callbacks_]
    assert names == [name for name, _ in silent.net_.callbacks_]


def test_bar_moves_within_an_epoch(images, monkeypatch, capfd):
    monkeypatch.setattr(progress, "LOG_INTERVAL", 0.0)
    estimator = CNNClassifier(max_epochs=2, batch_size=4, validation_fraction=0.2, random_state=0)
    estimator.set_params(verbose=1).fit(*images)
    found = states(capfd.readouterr().err)
    seen = [float(re.search(r"([\d.]+)/2 epochs", state)[1]) for state in found]
    assert sorted(set(seen)) == [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2]
    assert seen == sorted(seen)
    assert "loss" in found[2], "before the first epoch ended"


def test_bar_is_closed_when_the_training_fails(images, capfd):
    estimator = CNNClassifier(max_epochs=3, verbose=1, callbacks=[FailInSecondEpoch()])
    with pytest.raises(RuntimeError, match="enough"):
        estimator.fit(*images)
    err = capfd.readouterr().err
    assert "1/3 epochs" in states(err)[-1]
    assert err.endswith("\n")


def test_bar_starts_where_a_resumed_training_does(images, tmp_path, capfd):
    estimator = CNNClassifier(max_epochs=2, checkpoint=tmp_path, random_state=0).fit(*images)
    capfd.readouterr()
    estimator.set_params(max_epochs=4, verbose=1).fit(*images)
    seen = states(capfd.readouterr().err)
    assert "2/4 epochs" in seen[0]
    assert "4/4 epochs" in seen[-1]


def test_bar_of_a_warm_start_counts_the_new_epochs(images, capfd):
    estimator = CNNClassifier(max_epochs=2, warm_start=True, verbose=1, random_state=0)
    estimator.fit(*images).set_params(max_epochs=3).fit(*images)
    assert "3/3 epochs" in states(capfd.readouterr().err)[-1]
    assert estimator.n_iter_ == 5


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_workers_draw_nothing(backend):
    assert Parallel(n_jobs=2, backend=backend)(delayed(may_draw)() for _ in range(2)) == [False] * 2
    assert Parallel(n_jobs=1)([delayed(may_draw)()]) == [True]


def test_only_the_first_of_several_processes_draws(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert not may_draw()
    monkeypatch.setenv("RANK", "0")
    assert may_draw()


def test_cross_validation_in_workers_is_silent(images, capfd):
    estimator = CNNClassifier(max_epochs=1, verbose=1, random_state=0)
    cross_validate(estimator, *images, cv=2, n_jobs=2)
    assert states(capfd.readouterr().err) == []
