"""What is the same training, and what is another one."""

import numpy as np
import pytest
import torch

from glassclf.estimators import CNNClassifier
from glassclf.estimators.fingerprint import data_fingerprint, describe, parameter_fingerprint
from glassclf.estimators.stopping import StopRequest


def test_groups_are_their_values():
    X, y = np.zeros((4, 2), np.float32), np.arange(4)
    of_list = data_fingerprint(X, y, [1, 1, 2, 2], None)
    assert of_list == data_fingerprint(X, y, np.array([1, 1, 2, 2], np.int32), None)
    assert of_list != data_fingerprint(X, y, [1, 1, 2, 3], None)
    assert of_list != data_fingerprint(X, y, None, None)


def test_memory_of_an_array_is_not_its_content(tmp_path):
    X, y = np.random.default_rng(0).random((4, 2, 3, 3)).astype(np.float32), np.arange(4)
    np.save(tmp_path / "X.npy", X)
    expected = data_fingerprint(X, y, None, None)
    for same in (np.asfortranarray(X), np.load(tmp_path / "X.npy", mmap_mode="r"), X[::-1][::-1]):
        assert data_fingerprint(same, y, None, None) == expected
    assert data_fingerprint(X[::-1], y, None, None) != expected


def test_order_of_a_dict_does_not_matter():
    one = CNNClassifier(class_weight={"a": 1, "b": 2.0})
    other = CNNClassifier(class_weight={"b": 2, "a": 1.0})
    assert parameter_fingerprint(one) == parameter_fingerprint(other)


def test_state_of_random_numbers_matters():
    texts = [describe(np.random.RandomState(seed)) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


class Plain:
    __slots__ = ()


def test_objects_without_attributes_are_described():
    assert describe(Plain()).startswith(f"{__name__}.Plain")


def test_methods_written_in_c_are_described():
    assert describe(torch.Tensor.double) != describe(torch.Tensor.float)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (0.1, np.float64(0.1), True),
        ((1, 2), [1, 2], True),
        (np.zeros(3000), np.zeros(3000), True),
        (np.zeros(3000), np.append(np.zeros(2999), 1), False),
        (None, "None", False),
    ],
)
def test_values(one, other, equal):
    assert (describe(one) == describe(other)) == equal


def test_a_signal_tells_more_than_the_clock():
    stop = StopRequest(0.0, 0.0)
    assert stop.reason == "max_time"
    stop._note(15, None)
    assert stop.reason == "SIGTERM"
