"""Public names: they resolve, and their docstrings tell what the code does."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

import glassclf
from glassclf.configurations import FieldPoints
from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, RDFFeaturizer
from glassclf.model_selection import OptunaSearch
from glassclf.testing import all_classes, two_phases

get_doc_object = pytest.importorskip("numpydoc.docscrape").get_doc_object

NO_SUBPACKAGES = {"__version__", "load", "save"}
SUBPACKAGES = [name for name in glassclf.__all__ if name not in NO_SUBPACKAGES]
PUBLIC = [
    (f"{subpackage}.{name}", getattr(import_module(f"glassclf.{subpackage}"), name))
    for subpackage in SUBPACKAGES
    for name in import_module(f"glassclf.{subpackage}").__all__
]
FREE_ORDER = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}


def doc_of(thing):
    return get_doc_object(thing, config={"show_class_members": False})


def parameters_of(thing):
    """Names in a signature, without self."""
    names = []
    for name, parameter in inspect.signature(thing).parameters.items():
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        if name != "self":
            names.append(stars.get(parameter.kind, "") + name)
    return names


def documented(doc, section):
    """Names in a section of a docstring, those that share an entry one by one."""
    return [name for entry in doc[section] for name in entry.name.split(", ")]


def public_methods():
    found = []
    for label, thing in PUBLIC:
        for name, member in vars(thing).items() if inspect.isclass(thing) else ():
            function = inspect.unwrap(getattr(member, "__func__", member))
            if not name.startswith("_") and inspect.isfunction(function):
                found.append(pytest.param(getattr(thing, name), id=f"{label}.{name}"))
    return found


def all_public(kind=callable):
    return [pytest.param(thing, id=label) for label, thing in PUBLIC if kind(thing)]


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_all_is_sorted_unique_and_true(subpackage):
    module = import_module(f"glassclf.{subpackage}")
    assert module.__all__ == sorted(set(module.__all__))
    for name in module.__all__:
        assert hasattr(module, name), name


def test_all_of_the_root_lists_every_subpackage():
    folder = Path(glassclf.__file__).parent
    existing = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert existing == set(SUBPACKAGES)
    assert sorted(glassclf.__all__) == glassclf.__all__


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_init_holds_docstring_imports_and_all_only(subpackage):
    tree = ast.parse(Path(import_module(f"glassclf.{subpackage}").__file__).read_text())
    assert ast.get_docstring(tree)
    for statement in tree.body[1:-1]:
        assert isinstance(statement, ast.ImportFrom), f"line {statement.lineno}"
    assert tree.body[-1].targets[0].id == "__all__"


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_reference_lists_every_public_name(subpackage):
    page = (Path(__file__).parents[1] / "docs/api.rst").read_text()
    section = page.partition(f".. currentmodule:: glassclf.{subpackage}\n")[2]
    listed = section.partition(".. automodule::")[0].split(":toctree: generated\n")[1]
    names = [line.strip() for line in listed.splitlines() if line.startswith("   ")]
    assert names == import_module(f"glassclf.{subpackage}").__all__


@pytest.mark.parametrize("thing", all_public())
def test_docstring_has_a_summary_and_an_example(thing):
    doc = doc_of(thing)
    assert "".join(doc["Summary"]).endswith(".")
    assert any(line.startswith(">>>") for line in doc["Examples"])


@pytest.mark.parametrize("thing", all_public())
def test_parameters_section_agrees_with_the_signature(thing):
    doc, parameters = doc_of(thing), inspect.signature(thing).parameters.values()
    # Records that users only read describe their fields once.
    stated = documented(doc, "Parameters") or documented(doc, "Attributes")
    assert sorted(stated) == sorted(parameters_of(thing))
    in_order = [parameter.name for parameter in parameters if parameter.kind not in FREE_ORDER]
    assert [name for name in stated if name in in_order] == in_order


@pytest.mark.parametrize("method", public_methods())
def test_methods_are_documented(method):
    doc = doc_of(method)
    assert "".join(doc["Summary"]).endswith(".")
    # A method without a choice to explain does with a sentence.
    if documented(doc, "Parameters"):
        assert documented(doc, "Parameters") == parameters_of(method)


@pytest.mark.parametrize("thing", all_public(inspect.isfunction))
def test_functions_document_what_they_return_and_raise(thing):
    doc = doc_of(thing)
    body = ast.parse(inspect.getsource(thing)).body[0]
    returns = [n for n in ast.walk(body) if isinstance(n, ast.Return) and n.value is not None]
    assert bool(doc["Returns"]) == bool(returns)
    raises = {n.exc.func.id for n in ast.walk(body) if isinstance(n, ast.Raise) and n.exc}
    assert raises <= {entry.type for entry in doc["Raises"]}


@pytest.mark.parametrize("thing", all_public(inspect.isclass))
def test_defaults_in_the_docstring_are_those_of_the_signature(thing):
    signature = inspect.signature(thing).parameters
    for entry in doc_of(thing)["Parameters"]:
        if "default=" not in entry.type or "," in entry.name:
            continue
        stated = entry.type.partition("default=")[2]
        default = signature[entry.name].default
        try:
            assert ast.literal_eval(stated) == default, entry.name
        except (SyntaxError, ValueError):
            pytest.fail(f"default of {entry.name} is no value of Python: {stated}")


def fitted(name):
    """A small fitted estimator of the class, with everything on that leaves an attribute."""
    X, y, groups = two_phases(n_runs=4)
    target = y if "Classifier" in name else np.arange(len(y)) / len(y)
    settings = {"max_epochs": 1, "validation_fraction": 0.25, "random_state": 0}
    cnn = dict(n_filters=(4,), **settings)
    mpnn = dict(hidden_size=4, **settings)
    networks = {
        "CNNClassifier": lambda: make_pipeline(ImageFeaturizer(8), CNNClassifier(**cnn)),
        "CNNRegressor": lambda: make_pipeline(ImageFeaturizer(8), CNNRegressor(**cnn)),
        "MPNNClassifier": lambda: make_pipeline(GraphFeaturizer(4), MPNNClassifier(**mpnn)),
        "MPNNRegressor": lambda: make_pipeline(GraphFeaturizer(4), MPNNRegressor(**mpnn)),
    }
    if name in networks:
        return networks[name]().fit(X, target)[-1]
    if name in ("PairSplineRegressor", "PotentialRegressor"):
        estimator = dict(all_classes())[name](r_max=1.5)
        short = settings if name == "PotentialRegressor" else {}
        return estimator.set_params(**short).fit(X, target)
    if name.startswith("Windowed"):
        inner = LogisticRegression() if "Classifier" in name else Ridge()
        pipe = make_pipeline(RDFFeaturizer(1.5, 5), inner)
        return dict(all_classes())[name](pipe, side=3.0).fit(X, target)
    if name == "OptunaSearch":
        space = {"n_bins": ("int", 5, 9)}
        return OptunaSearch(RDFFeaturizer(), space, n_trials=1, cv=2, scoring=lambda *_: 1.0).fit(X)
    estimator = dict(all_classes())[name]()
    X = np.ones((2, 9, 9)) if name.startswith("Lattice") else X
    if name in dict(all_classes("field_featurizer")):
        X = FieldPoints(np.ones((1, 45, 45)), [[0, 0], [1, 1]])
    estimator.fit_transform(X, y)
    return estimator


@pytest.mark.parametrize("name", [name for name, _ in all_classes()])
@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.ConvergenceWarning")
def test_fitted_attributes_are_documented(name):
    estimator = fitted(name)
    found = {name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")}
    # What a search has in some cases only.
    found |= {
        "OptunaSearch": {"classes_", "feature_names_in_", "n_features_in_", "pareto_front_"}
    }.get(name, set())
    assert sorted(documented(doc_of(type(estimator)), "Attributes")) == sorted(found)


def test_every_estimator_is_in_a_public_list():
    public = {thing for _, thing in PUBLIC}
    for name, estimator in all_classes():
        assert issubclass(estimator, BaseEstimator), name
        assert estimator in public
