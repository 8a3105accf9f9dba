import pickle
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline, make_union

from glassclf.configurations import Configuration, Configurations
from glassclf.featurizers import (
    BondOrderFeaturizer,
    GraphFeaturizer,
    Graphs,
    ImageFeaturizer,
    RDFFeaturizer,
)

TABLES = [RDFFeaturizer(r_max=2.0, n_bins=10), BondOrderFeaturizer()]
OTHERS = [ImageFeaturizer(8, blur=0.3), GraphFeaturizer(n_neighbors=3, connect=True)]
ALL = TABLES + OTHERS


def name_of(featurizer):
    return type(featurizer).__name__


every_featurizer = pytest.mark.parametrize("featurizer", ALL, ids=name_of)


def arrays(features):
    if isinstance(features, Graphs):
        return [values for name, values in sorted(vars(features).items()) if name != "info"]
    return [features]


def assert_same(one, other):
    for first, second in zip(arrays(one), arrays(other), strict=True):
        assert first.dtype == second.dtype
        assert np.array_equal(first, second)


@pytest.fixture(scope="module")
def X(gas):
    runs = {"run": np.repeat(["a", "b", "c"], 3)}
    return gas(20, [5, 6], n_configurations=9, info=runs)


@every_featurizer
def test_fit_learns_types_and_dimensions(featurizer, X):
    fitted = clone(featurizer).fit(X)
    assert fitted.types_.tolist() == [0, 1]
    assert fitted.n_dims_ == 2
    assert not hasattr(fitted, "n_features_in_")
    refitted = fitted.fit([([[0.5, 0.5], [0.7, 0.7]], [9, 4], [2.0, 2.0])])
    assert refitted.types_.tolist() == [4, 9]


@every_featurizer
def test_samples_do_not_depend_on_each_other(featurizer, X):
    fitted = clone(featurizer).fit(X)
    together = fitted.transform(X)
    assert len(together) == 9
    for index in (0, 8):
        assert_same(fitted.transform(X[[index]]), together[[index]])


@every_featurizer
def test_two_processes_give_the_same_bits(featurizer, X):
    alone = clone(featurizer).fit_transform(X)
    assert_same(clone(featurizer).set_params(n_jobs=2).fit_transform(X), alone)


@pytest.mark.parametrize("featurizer", [BondOrderFeaturizer(), *OTHERS], ids=name_of)
def test_error_in_another_process_names_the_sample(featurizer, gas):
    one_particle = Configuration([[9.0, 9.0]], [0], [5.0, 5.0], periodic=False)
    X = Configurations([*gas(20, [5, 5], n_configurations=5), one_particle])
    with pytest.raises(ValueError, match="configuration 5: "):
        clone(featurizer).set_params(n_jobs=2).fit_transform(X)


@every_featurizer
def test_input_is_untouched_and_may_be_read_only(featurizer, X):
    frozen = X[np.arange(len(X))]
    names = ("positions", "types", "offsets", "cells", "periodic")
    before = {name: getattr(frozen, name).copy() for name in names}
    for name in names:
        getattr(frozen, name).flags.writeable = False
    clone(featurizer).fit_transform(frozen)
    for name in names:
        assert np.array_equal(getattr(frozen, name), before[name])


@every_featurizer
def test_takes_what_users_hold(featurizer, X):
    triples = [(one.positions.tolist(), one.types.tolist(), one.box.tolist()) for one in X]
    features = clone(featurizer).fit_transform(X)
    assert_same(clone(featurizer).fit_transform(list(X)), features)
    assert_same(clone(featurizer).fit_transform(triples), features)


@every_featurizer
def test_pickle_and_clone(featurizer, X):
    fitted = clone(featurizer).fit(X)
    assert_same(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.transform(X))
    assert clone(fitted).get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        clone(fitted).transform(X)


@every_featurizer
@pytest.mark.filterwarnings("ignore:pixels of configuration")
def test_configurations_of_different_size_and_box_share_a_set(featurizer, gas):
    X = Configurations([gas(20, [5, 5])[0], gas(33, [4, 9], periodic=False)[0]])
    assert len(clone(featurizer).fit_transform(X)) == 2


@every_featurizer
def test_three_dimensions(featurizer, gas):
    assert len(clone(featurizer).fit_transform(gas(20, [4, 4, 4], n_configurations=2))) == 2


@every_featurizer
def test_unseen_type_names_the_sample(featurizer, gas, X):
    fitted = clone(featurizer).fit(X)
    other = Configurations([*X[:2], gas(20, [5, 6], n_types=3, info={"run": ["d"]})[0]])
    message = r"configuration 2 holds particles of type 2, which fit never saw \(types_ = \[0, 1\]"
    with pytest.raises(ValueError, match=message):
        fitted.transform(other)


@every_featurizer
def test_other_number_of_dimensions(featurizer, gas, X):
    with pytest.raises(ValueError, match="X is 3-dimensional, but .* fitted on 2-dimensional"):
        clone(featurizer).fit(X).transform(gas(20, [4, 4, 4]))


@every_featurizer
def test_type_missing_from_most_configurations_warns(featurizer, gas, X):
    fitted = clone(featurizer).fit(X)
    only_zero = gas(20, [5, 6], n_types=1, info={"run": ["d"]})[0]
    with pytest.warns(UserWarning, match="type 1, seen in fit, is missing from 2 of 3 config"):
        fitted.transform(Configurations([only_zero, only_zero, X[0]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.transform(Configurations([only_zero, X[0]]))


@every_featurizer
def test_empty_and_single_input(featurizer, X):
    fitted = clone(featurizer).fit(X)
    for call in (fitted.fit, fitted.transform):
        with pytest.raises(ValueError, match="at least one configuration, got none"):
            call([])
        with pytest.raises(ValueError, match="X must hold at least one configuration, got an empt"):
            call(X[:0])
        with pytest.raises(TypeError, match="pass a list"):
            call(X[0])


@every_featurizer
def test_tags(featurizer):
    assert not featurizer.__sklearn_tags__().input_tags.two_d_array


@pytest.mark.parametrize("featurizer", TABLES, ids=name_of)
def test_tables_become_data_frames(featurizer, X):
    pd = pytest.importorskip("pandas")
    table = clone(featurizer).set_output(transform="pandas").fit_transform(list(X))
    assert isinstance(table, pd.DataFrame)
    assert table.columns.tolist() == clone(featurizer).fit(X).get_feature_names_out().tolist()
    assert np.array_equal(table.to_numpy(), clone(featurizer).fit_transform(X))


@pytest.mark.parametrize("featurizer", OTHERS, ids=name_of)
def test_what_is_no_table_keeps_its_form(featurizer, X):
    expected = clone(featurizer).fit_transform(X)
    pipe = make_pipeline(clone(featurizer), "passthrough").set_output(transform="pandas")
    assert_same(pipe.fit_transform(X), expected)
    with config_context(transform_output="pandas"):
        assert_same(clone(featurizer).fit_transform(X), expected)


@pytest.mark.parametrize("featurizer", TABLES, ids=name_of)
def test_names_match_the_columns(featurizer, X):
    fitted = clone(featurizer).fit(X)
    names = fitted.get_feature_names_out()
    assert names.dtype == object
    assert fitted.transform(X).shape == (9, len(set(names)))


def test_union_in_a_cross_validated_pipeline(X):
    union = make_union(*[clone(featurizer) for featurizer in TABLES])
    scores = cross_val_score(make_pipeline(union, LogisticRegression()), X, [0, 1, 0] * 3, cv=3)
    assert np.isfinite(scores).all()
    assert union.fit(X).get_feature_names_out()[0] == "rdffeaturizer__rdf_0_0_0.1"
