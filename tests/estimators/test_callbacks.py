"""Callbacks of skorch: TensorBoard above all."""

import pickle
import tempfile

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from skorch.callbacks import Callback, TensorBoard

from glassclf.estimators import CNNClassifier

pytest.importorskip("tensorboard", reason="needs the extra train")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402
from torch.utils.tensorboard import SummaryWriter  # noqa: E402


def make_board(folder):
    """Board that opens a writer of its own for each training, so that it can travel to workers."""

    # Within a function: workers cannot import the tests.
    class Board(TensorBoard):
        def __init__(self, folder):
            super().__init__(writer=None)
            self.folder = folder

        def on_train_begin(self, net, **kwargs):
            self.writer = SummaryWriter(tempfile.mkdtemp(dir=self.folder))

    return Board(folder)


class Counter(Callback):
    def __init__(self, start=0):
        self.count = start

    def on_epoch_end(self, net, **kwargs):
        self.count += 1


@pytest.fixture
def network():
    return CNNClassifier(max_epochs=3, validation_fraction=0.2, random_state=0)


def scalars(folder):
    """Steps and values of each tag that was written into a folder."""
    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }


def assert_log_is_history(folder, history):
    written = scalars(folder)
    for tag, name in (("Loss/train_loss", "train_loss"), ("Loss/valid_score", "valid_score")):
        steps, values = zip(*written[tag])
        assert steps == tuple(range(1, len(history[name]) + 1))
        assert np.allclose(values, history[name])
    assert np.allclose([value for _, value in written["lr"]], history["lr"])


def test_tensorboard_writes_every_epoch(network, images, tmp_path):
    network.set_params(callbacks=[TensorBoard(SummaryWriter(tmp_path))]).fit(*images)
    assert_log_is_history(tmp_path, network.history_)


def test_estimator_with_a_writer_can_be_cloned_and_pickled_once_fitted(network, images, tmp_path):
    network.set_params(callbacks=[("board", TensorBoard(SummaryWriter(tmp_path)))])
    copy = clone(network).fit(*images)
    assert_log_is_history(tmp_path, copy.history_)
    again = pickle.loads(pickle.dumps(copy))
    assert np.array_equal(again.predict(images[0]), copy.predict(images[0]))


def test_board_that_opens_its_own_writer_serves_cross_validation(network, images, tmp_path):
    network.set_params(callbacks=[make_board(tmp_path)])
    result = cross_validate(network, *images, cv=2, n_jobs=2, return_estimator=True)
    histories = [tuple(e.history_["train_loss"]) for e in result["estimator"]]
    folders = list(tmp_path.iterdir())
    written = [tuple(value for _, value in scalars(f)["Loss/train_loss"]) for f in folders]
    assert np.allclose(sorted(histories), sorted(written))


def test_resumed_training_goes_on_in_the_same_log(network, images, tmp_path, recwarn):
    log = tmp_path / "log"
    network.set_params(checkpoint=tmp_path / "run")
    network.set_params(callbacks=[TensorBoard(SummaryWriter(log))]).fit(*images)
    network.set_params(callbacks=[TensorBoard(SummaryWriter(log))], max_epochs=5).fit(*images)
    assert_log_is_history(log, network.history_)
    assert [str(w.message) for w in recwarn if "cannot be kept" in str(w.message)] == []


def test_callback_stays_as_it_was_given(network, images):
    counter = Counter()
    network.set_params(callbacks=[counter]).fit(*images)
    assert counter.count == 0
    assert dict(network.net_.callbacks_)["Counter"].count == 3
    network.fit(*images)
    assert dict(network.net_.callbacks_)["Counter"].count == 3


def test_clone_has_a_list_of_its_own(network):
    network.set_params(callbacks=[Counter()])
    copy = clone(network)
    assert copy.callbacks == network.callbacks
    assert copy.callbacks is not network.callbacks
    assert clone(network.set_params(callbacks=None)).callbacks is None
