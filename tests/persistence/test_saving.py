"""Models keep what they know through save and load, and what cannot be kept is refused by name."""

import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import scipy.sparse
import sklearn
from saved_headers import replace_in_header
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

import glassclf
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.testing import all_classes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def kept(model, path):
    glassclf.save(model, path)
    return glassclf.load(path)


def assert_same_model(model, again, X):
    """Every output bit for bit, every parameter and every fitted array."""
    assert again.get_params().keys() == model.get_params().keys()
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(model, method):
            expected, got = getattr(model, method)(X), getattr(again, method)(X)
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(got, expected)
    for name, value in vars(model).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(again, name), value)
            assert type(getattr(again, name)) is np.ndarray


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        LogisticRegression(class_weight={"gas": 2.0, "glass": 1.0, "liquid": 1.0}, C=np.float32(2)),
        SVC(),
        SVC(kernel="linear", decision_function_shape="ovo", class_weight="balanced"),
        PCA(3),
        PCA(0.9, whiten=True, random_state=np.random.RandomState(3)),
        StandardScaler(with_mean=False),
        make_pipeline(StandardScaler(), PCA(2), SVC()),
        Pipeline([("a", "passthrough"), ("b", Pipeline([("c", LogisticRegression())]))]),
        FeatureUnion([("pca", PCA(2)), ("no", "drop")], transformer_weights={"pca": 2.0}),
    ],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learn_keeps_its_outputs(model, table, path):
    X, y = table
    model = clone(model).fit(X, y)
    assert_same_model(model, kept(model, path), X)


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
def test_probabilities_of_a_support_vector_machine(table, path):
    X, y = table
    model = SVC(probability=True, random_state=0).fit(X, y)
    assert_same_model(model, kept(model, path), X)


def test_ridge(table, path):
    X, _ = table
    model = Ridge(alpha=np.array([0.5, 2.0])).fit(X, X[:, :2] ** 2)
    assert_same_model(model, kept(model, path), X)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csr_array])
def test_sparse_support_vectors(table, path, kind):
    X, y = table
    X = kind(np.where(X > 0, X, 0))
    model = SVC().fit(X, y)
    again = kept(model, path)
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert type(again.support_vectors_) is type(model.support_vectors_)


def test_names_of_features_and_output_as_data_frames(table, path):
    pandas = pytest.importorskip("pandas")
    X, y = table
    X = pandas.DataFrame(X, columns=list("abcde"))
    model = make_pipeline(StandardScaler(), PCA(2)).set_output(transform="pandas").fit(X, y)
    pandas.testing.assert_frame_equal(kept(model, path).transform(X), model.transform(X))


@pytest.mark.parametrize("name", [name for name, _ in all_classes("featurizer")])
def test_every_featurizer(name, phases, path):
    X, _, _ = phases
    model = dict(all_classes("featurizer"))[name]().fit(X)
    again = kept(model, path)
    assert vars(again).keys() == vars(model).keys()
    np.testing.assert_array_equal(again.types_, model.types_)
    if hasattr(model, "get_feature_names_out"):
        assert again.get_feature_names_out().tolist() == model.get_feature_names_out().tolist()
    expected, got = model.transform(X), again.transform(X)
    if not isinstance(expected, np.ndarray):
        expected, got = expected.vectors, got.vectors
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", [name for name, _ in all_classes("lattice_featurizer")])
def test_every_featurizer_of_lattices(name, path):
    X = np.random.default_rng(0).integers(0, 5, size=(3, 10, 12))
    model = dict(all_classes())[name]().fit(X)
    joblib.dump(model, path.with_suffix(".joblib"))
    expected = np.asarray(model.transform(X))
    for again in (kept(model, path), joblib.load(path.with_suffix(".joblib")), clone(model).fit(X)):
        assert vars(again).keys() == vars(model).keys()
        np.testing.assert_array_equal(np.asarray(again.transform(X)), expected)


def test_a_union_of_featurizers_before_a_support_vector_machine(union, phases, path):
    X, y, _ = phases
    model = clone(union).fit(X, y)
    again = kept(model, path)
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert again.classes_.tolist() == ["glass", "liquid"]
    assert again.predict(X).tolist() == model.predict(X).tolist()


def test_unfitted_models_stay_unfitted(baseline, phases, path):
    again = kept(baseline.set_params(rdffeaturizer__r_max=1.5), path)
    with pytest.raises(NotFittedError):
        again.predict(phases[0])
    assert again.get_params()["rdffeaturizer__r_max"] == 1.5
    assert repr(clone(again)) == repr(baseline)


def test_arrays_of_a_loaded_model_can_be_written(baseline, phases, path):
    X, y, _ = phases
    again = kept(baseline.fit(X, y), path)
    again[1].partial_fit(again[0].transform(X))
    again.fit(X, y)


def test_metadata_requests_are_kept(path):
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight="weight")
        again = kept(make_pipeline(model), path)[0]
        requests = again.get_metadata_routing()
        assert requests.fit.requests == {"sample_weight": "weight"}
        assert clone(again).get_metadata_routing().fit.requests == requests.fit.requests


def test_another_version_of_scikit_learn_warns(baseline, phases, path, monkeypatch):
    glassclf.save(baseline.fit(*phases[:2]), path)
    monkeypatch.setattr(sklearn.base, "__version__", "0.0.1")
    with pytest.warns(InconsistentVersionWarning, match="0.0.1"):
        glassclf.load(path)


def test_a_later_version_of_glassclf_warns(baseline, path, monkeypatch):
    glassclf.save(baseline, path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        glassclf.load(path)
    monkeypatch.setattr(glassclf, "__version__", "0.0.9")
    with pytest.warns(UserWarning, match="later than this 0.0.9: update glassclf"):
        glassclf.load(path)


def test_parameters_that_came_later_get_their_default(path):
    model = make_pipeline(RDFFeaturizer(partial=False))
    glassclf.save(model, path)
    assert glassclf.load(path)[0].partial is False
    replace_in_header(path, r"[\"partial\", false], ", "")
    assert glassclf.load(path)[0].partial is True


def test_folders_of_this_machine_are_left_out(baseline, path, tmp_path):
    folder = str(tmp_path)
    graphs = GraphFeaturizer(4, lazy=True, cache=folder)
    model = make_pipeline(graphs, MPNNClassifier(checkpoint=folder), memory=folder)
    again = kept(model, path)
    assert (again.memory, again[0].cache, again[1].checkpoint) == (None, None, None)
    assert again[0].lazy
    assert (model.memory, graphs.cache, model[1].checkpoint) == (folder, folder, folder)
    assert folder.encode() not in path.read_bytes()
    replace_in_header(path, r"[\"memory\", null]", rf"[\"memory\", \"{folder}\"]")
    assert glassclf.load(path).memory is None


def test_saving_changes_nothing(union, phases, path):
    X, y, _ = phases
    model = clone(union).fit(X, y)
    before = {name: id(value) for name, value in vars(model[-1]).items()}
    glassclf.save(model, path)
    assert {name: id(value) for name, value in vars(model[-1]).items()} == before


# ---- what is refused


def test_an_uncovered_step_is_named_with_its_class(phases, path):
    model = make_pipeline(RDFFeaturizer(), MinMaxScaler(), LogisticRegression())
    with pytest.raises(TypeError, match="step 'minmaxscaler' .*MinMaxScaler.* joblib.dump keeps"):
        glassclf.save(model, path)
    assert not path.exists()
    deep = FeatureUnion([("a", make_pipeline(StandardScaler(), model))])
    with pytest.raises(TypeError, match="step 'minmaxscaler'"):
        glassclf.save(deep, path)


@pytest.mark.parametrize("kernel", [lambda a, b: a @ b.T, np.dot, print])
def test_functions_are_refused(kernel, path):
    with pytest.raises(TypeError, match=r"'kernel' of step 'svc' .*, which is code"):
        glassclf.save(make_pipeline(StandardScaler(), SVC(kernel=kernel)), path)


class Holder(TransformerMixin, BaseEstimator):
    """Keeps one value, of any kind."""

    def __init__(self, value=None):
        self.value = value

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, 1j, np.zeros(2, "i4,f8"), np.array([object()]), scipy.sparse.eye(2)]
)
def test_other_objects_are_refused(value, path):
    with pytest.raises(TypeError, match="'value.*' of step 'Holder'.* cannot be saved: it is"):
        glassclf.save(Holder([value]), path)


def test_circles_are_refused(path):
    circle = [1]
    circle.append(circle)
    with pytest.raises(ValueError, match="refers to itself in a circle"):
        glassclf.save(Holder(circle), path)
    shared = [1, 2]
    again = Holder([shared, shared])
    glassclf.save(again, path)


def test_only_estimators_are_saved(path):
    with pytest.raises(TypeError, match=r"save takes an estimator \(an instance\), got array"):
        glassclf.save(np.zeros(3), path)
    with pytest.raises(TypeError, match="got <class .*Ridge"):
        glassclf.save(Ridge, path)


def test_a_class_in_a_function_cannot_be_found(path):
    class Local(Holder):
        pass

    with pytest.raises(ValueError, match="put the class at the top level of a module"):
        glassclf.save(make_pipeline(Local()), path)


NAME = f"{Holder.__module__}.Holder"


def test_own_classes_must_be_trusted(path):
    glassclf.save(make_pipeline(Holder({"a": (1, None)})).fit([[0.0]]), path)
    with pytest.raises(ValueError, match=rf"load it with trusted=\('{NAME}',\)"):
        glassclf.load(path)
    with pytest.raises(ValueError, match="not part of glassclf"):
        glassclf.load(path, trusted=("another.Name",))
    for trusted in ((NAME,), [NAME, "never.Used"], NAME):
        again = glassclf.load(path, trusted=trusted)
        assert again[0].value == {"a": (1, None)}
        assert again[0].fitted_


@pytest.mark.parametrize(
    ("name", "error"),
    [("os.system", "is no class of the kind"), ("no.Such", "imported"), ("Such", "imported")],
)
def test_trusted_names_must_be_estimators(path, name, error):
    glassclf.save(Holder(), path)
    replace_in_header(path, NAME, name)
    with pytest.raises(ValueError, match=f"the trusted .*{error}"):
        glassclf.load(path, trusted=(name,))


def test_missing_folder_and_missing_file(baseline, tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder .* does not exist"):
        glassclf.save(baseline, tmp_path / "no" / "model.safetensors")
    with pytest.raises(FileNotFoundError, match="no such file"):
        glassclf.load(tmp_path / "model.safetensors")


def test_a_failed_save_leaves_the_old_file(baseline, path):
    glassclf.save(baseline, path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        glassclf.save(Holder(object()), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_paths_may_be_strings(baseline, path, monkeypatch):
    monkeypatch.setenv("HOME", str(path.parent))
    glassclf.save(baseline, "~/model.safetensors")
    assert repr(glassclf.load(str(path))) == repr(baseline)
    assert repr(glassclf.load(Path("~/model.safetensors"))) == repr(baseline)
