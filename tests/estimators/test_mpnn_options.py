"""Options of the message-passing estimators: what they learn, and what else goes with them."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from glassclf.configurations import Configuration, Configurations
from glassclf.estimators import MPNNClassifier, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer
from glassclf.model_selection import search_space

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BOTH = {"global_node": True, "edge_update": True}
OPTIONS = [{"global_node": True}, {"edge_update": True}, BOTH]


@pytest.mark.parametrize("kind", [MPNNClassifier, MPNNRegressor])
def test_off_by_default_and_not_searched(kind):
    model = kind()
    assert model.global_node is False
    assert model.edge_update is False
    assert not set(search_space(model)) & {"global_node", "edge_update"}


@pytest.mark.parametrize("name", ["global_node", "edge_update"])
def test_only_true_or_false(graphs, name):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of MPNNClassifier"):
        MPNNClassifier(**{name: "yes"}).fit(*graphs)


def test_off_is_the_same_bit_for_bit(graphs):
    X, y = graphs
    plain = MPNNClassifier(hidden_size=8, max_epochs=2, random_state=0)
    off = clone(plain).set_params(global_node=False, edge_update=False)
    on = clone(plain).set_params(**BOTH)
    expected = plain.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(off.fit(X, y).predict_proba(X), expected)
    assert np.abs(on.fit(X, y).predict_proba(X) - expected).max() > 1e-4


def gases(shares):
    """Twenty particles of two types, too far apart for bonds, with given shares of type 1."""
    sites = np.stack(np.meshgrid(np.arange(5), np.arange(4), indexing="ij"), -1).reshape(-1, 2)
    types = [(np.arange(20) < 20 * share).astype(int) for share in shares]
    return Configurations([Configuration(sites + 0.5, each, [5, 4]) for each in types])


def test_the_whole_decides():
    # No particle tells a share of one half from a mean of a fifth and four fifths.
    shares = np.tile([0.2, 0.5, 0.8, 0.5], 12)
    X, y = GraphFeaturizer(r_max=0.5).fit_transform(gases(shares)), shares == 0.5
    assert X.n_edges.sum() == 0
    model = MPNNClassifier(n_layers=2, hidden_size=16, max_epochs=60, random_state=0)
    assert clone(model).fit(X, y).score(X, y) <= 0.75
    assert clone(model).set_params(global_node=True).fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize("options", OPTIONS)
def test_turned_shifted_renumbered(crystals_and_gases, options):
    X, y = crystals_and_gases(4)
    rng = np.random.default_rng(0)
    moved = []
    for one in X:
        order = rng.permutation(one.n_particles)
        turned = (one.positions[order] @ [[0, -1], [1, 0]] + [0.3, -1.7]) % 5
        moved.append(Configuration(turned, one.types[order], one.box))
    model = make_pipeline(
        GraphFeaturizer(r_max=1.3),
        MPNNClassifier(hidden_size=8, max_epochs=3, random_state=0, **options),
    ).fit(X, y)
    still = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(Configurations(moved)), still, atol=1e-4)


def test_predictions_do_not_depend_on_the_batch(graphs):
    X, y = graphs
    model = MPNNClassifier(hidden_size=8, max_epochs=3, random_state=0, **BOTH).fit(X, y)
    together = model.set_params(batch_size=20).predict_proba(X)
    alone = model.set_params(batch_size=1).predict_proba(X)
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("name", ["global_node", "edge_update"])
def test_warm_start_refuses_another_network(graphs, name):
    model = MPNNClassifier(hidden_size=8, max_epochs=1, random_state=0).fit(*graphs)
    for on in (True, False):
        model.set_params(warm_start=True, **{name: on})
        with pytest.raises(ValueError, match="cannot continue with a network of another shape"):
            model.fit(*graphs)
        model.set_params(warm_start=False, **{name: True}).fit(*graphs)


def test_frozen_encoder(graphs):
    X, y = graphs
    model = MPNNClassifier(hidden_size=8, max_epochs=2, random_state=0, **BOTH).fit(X, y)
    embedding = model.transform(X)
    model.set_params(warm_start=True, freeze_encoder=True, lr=0.1).fit(X, y)
    np.testing.assert_array_equal(model.transform(X), embedding)
