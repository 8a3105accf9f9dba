from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score

from glassclf.datasets import shuffle_labels

PAIRS = (np.arange(20), np.tile(["glass", "liquid"], 10), np.repeat(np.arange(10), 2))


@given(
    st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), min_size=2, max_size=8),
    st.integers(0, 5),
)
def test_groups_keep_or_exchange_their_labels_as_a_whole(of_groups, seed):
    y = np.array([label for labels in of_groups for label in labels])
    groups = np.repeat(np.arange(len(of_groups)), [len(labels) for labels in of_groups])
    order = np.random.default_rng(seed).permutation(len(y))
    y, groups = y[order], groups[order]
    try:
        X, shuffled, same = shuffle_labels(order, y, groups, random_state=seed)
    except ValueError:
        kinds = Counter((len(labels), "".join(sorted(set(labels)))) for labels in of_groups)
        assert all(len(label) == 1 for _, label in kinds)
        assert len(kinds) == len({size for size, _ in kinds})
        return
    assert X is order
    np.testing.assert_array_equal(same, groups)

    def contents(labels):
        return Counter("".join(sorted(labels[groups == group])) for group in set(groups))

    assert contents(shuffled) == contents(y)


def test_pairs_keep_one_label_of_each_class():
    _, shuffled, groups = shuffle_labels(*PAIRS, random_state=0)
    assert all(set(shuffled[groups == group]) == {"glass", "liquid"} for group in range(10))
    assert 0 < (shuffled != PAIRS[1]).sum() < 20


def test_groups_of_one_class_keep_to_one_class():
    y = np.repeat(["a", "b"], 20)
    groups = np.repeat(np.arange(10), 4)
    _, shuffled, _ = shuffle_labels(y, y, groups, random_state=0)
    assert all(len(set(shuffled[groups == group])) == 1 for group in range(10))
    assert (shuffled == "a").sum() == 20
    assert (shuffled != y).any()


def test_seed():
    one, other, third = (shuffle_labels(*PAIRS, random_state=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, other)
    assert (one != third).any()


def test_input_is_left_alone_and_lists_will_do():
    y, groups = ["a", "b", "a", "b"], ["r", "r", "s", "s"]
    for seed in range(5):
        shuffle_labels([1, 2, 3, 4], y, groups, random_state=seed)
    assert y == ["a", "b", "a", "b"]


@pytest.mark.parametrize("kind", ["pairs", "runs of one class"])
def test_expected_auc_is_one_half_even_with_few_groups(kind):
    rng = np.random.default_rng(0)
    n_groups = 8
    groups = np.repeat(np.arange(n_groups), 2)
    y = np.tile([0, 1], n_groups) if kind == "pairs" else np.repeat([0, 1] * (n_groups // 2), 2)
    # Separable classes, and runs that are alike in themselves: both must be gone.
    X = rng.normal(size=(2 * n_groups, 3)) + 3 * rng.normal(size=(n_groups, 3))[groups]
    X[:, 0] = 10 * y
    model = LogisticRegression()

    def auc(y):
        cv = GroupKFold(2) if kind == "pairs" else _both_classes(y, groups)
        return cross_val_score(model, X, y, groups=groups, cv=cv, scoring="roc_auc").mean()

    assert auc(y) == 1
    null = [auc(shuffle_labels(X, y, groups, random_state=seed)[1]) for seed in range(100)]
    error = np.std(null) / np.sqrt(len(null))
    assert abs(np.mean(null) - 0.5) < 4 * error


def _both_classes(y, groups):
    """Halves of the groups with as many of each class, by their labels."""
    label = y[::2]
    test = np.isin(groups, [np.flatnonzero(label == of_class)[:2] for of_class in (0, 1)])
    return [(np.flatnonzero(~test), np.flatnonzero(test))] * 2


@pytest.mark.parametrize(("y", "groups"), [("aabbb", [1, 1, 2, 2, 2]), ("aa", [1, 2])])
def test_labels_that_cannot_change(y, groups):
    with pytest.raises(ValueError, match="labels cannot be shuffled: every group is of one class"):
        shuffle_labels(list(y), list(y), groups)


def test_groups_must_be_given():
    with pytest.raises(ValueError, match="groups must be given, one for each sample, got None"):
        shuffle_labels([1, 2], ["a", "b"], None)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        shuffle_labels([1, 2], ["a", "b", "a"], [1, 1, 1])
