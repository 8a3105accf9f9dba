import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import _safe_indexing

from glassclf.featurizers import GraphFeaturizer, Graphs


@pytest.fixture(scope="module")
def graphs():
    """Graphs of three, one and two nodes, in three runs."""
    return Graphs(
        n_nodes=[3, 1, 2],
        types=[5, 0, 0, 5, 0, 0],
        degrees=[2, 1, 1, 0, 1, 1],
        neighbors=[1, 2, 0, 0, 1, 0],
        vectors=[[3, 4], [1, 0], [-3, -4], [-1, 0], [0, 2], [0, -2]],
        info={"run": ["a", "b", "c"], "temperature": [1.0, 2.0, 3.0]},
    )


@pytest.fixture(scope="module")
def random_graphs(gas):
    runs = {"run": np.repeat([f"run {number}" for number in range(6)], 2)}
    return GraphFeaturizer(3).fit_transform(gas(12, [5, 5], n_configurations=12, info=runs))


def arrays(graphs):
    return {
        **{name: values for name, values in vars(graphs).items() if name != "info"},
        **graphs.info,
    }


def assert_same(one, other):
    assert arrays(one).keys() == arrays(other).keys()
    for name, values in arrays(one).items():
        assert values.dtype == arrays(other)[name].dtype, name
        assert np.array_equal(values, arrays(other)[name]), name


def test_attributes(graphs):
    assert len(graphs) == 3
    assert graphs.shape == (3,)
    assert graphs.n_dims == 2
    assert graphs.n_nodes.tolist() == [3, 1, 2]
    assert graphs.n_edges.tolist() == [4, 0, 2]
    assert graphs.node_offsets.tolist() == [0, 3, 4, 6]
    assert graphs.edge_offsets.tolist() == [0, 4, 4, 6]
    assert graphs.sources.tolist() == [0, 0, 1, 2, 0, 1]
    assert graphs.distances.tolist() == [5, 1, 5, 1, 2, 2]
    assert graphs.types.dtype == np.int64
    assert {graphs.degrees.dtype, graphs.neighbors.dtype} == {np.dtype(np.int32)}
    assert {graphs.vectors.dtype, graphs.distances.dtype} == {np.dtype(np.float32)}


def test_parts(graphs):
    assert graphs.n_components.tolist() == [1, 1, 1]
    assert graphs.n_isolated.tolist() == [0, 1, 0]
    parted = Graphs([5], [0] * 5, [1, 0, 0, 1, 1], [1, 4, 3], np.ones((3, 2)))
    assert parted.n_components.tolist() == [3]
    assert parted.n_isolated.tolist() == [1]


def test_a_bond_to_its_own_image_leaves_a_node_isolated():
    alone = Graphs([1], [0], [2], [0, 0], [[2.0, 0.0], [-2.0, 0.0]])
    assert alone.n_isolated.tolist() == [1]


def test_n_neighbors_is_a_number_where_all_nodes_have_it(graphs):
    assert graphs.n_neighbors is None
    assert graphs[2].n_neighbors == 1
    # A node without edges has no uniform number of neighbours that one could gather.
    assert graphs[1].n_neighbors is None


def test_repr(graphs):
    assert repr(graphs) == (
        "Graphs(n=3, n_dims=2, n_nodes=1 to 3, n_edges=0 to 4, types=[0, 5], "
        "info=['run', 'temperature'])"
    )
    assert repr(graphs[:0]) == "Graphs(n=0, n_dims=2)"


def test_one_graph(graphs):
    last = graphs[-1]
    assert isinstance(last, Graphs)
    assert last.shape == (1,)
    assert last.neighbors.tolist() == [1, 0]
    assert last.vectors.tolist() == [[0, 2], [0, -2]]
    assert last.info["run"].tolist() == ["c"]


@given(keys=st.lists(st.integers(-12, 11), max_size=15))
def test_every_kind_of_index_picks_the_same_graphs(random_graphs, keys):
    picked = random_graphs[keys]
    assert_same(random_graphs[np.array(keys, dtype=int)], picked)
    assert_same(random_graphs[(keys, Ellipsis)], picked)
    assert len(picked) == len(keys)
    for one, key in zip(picked, keys):
        assert_same(one, random_graphs[key])
    mask = np.isin(np.arange(12), keys)
    assert_same(random_graphs[mask], random_graphs[np.flatnonzero(mask)])
    assert_same(random_graphs[mask.tolist()], random_graphs[mask])
    if keys:
        assert_same(Graphs.concatenate([random_graphs[[key]] for key in keys]), picked)


@given(
    bounds=st.tuples(*[st.one_of(st.none(), st.integers(-14, 14))] * 2),
    step=st.sampled_from([None, 1, 2, -1]),
)
def test_slices(random_graphs, bounds, step):
    key = slice(*bounds, step)
    assert_same(random_graphs[key], random_graphs[np.arange(12)[key]])


def test_scikit_learn_splits(random_graphs):
    y = np.tile([0, 1], 6)
    train, test, y_train, _ = train_test_split(random_graphs, y, random_state=0)
    assert isinstance(train, Graphs)
    assert (len(train), len(test)) == (9, 3)
    for train, test in GroupKFold(3).split(random_graphs, y, random_graphs.info["run"]):
        runs = [set(_safe_indexing(random_graphs, rows).info["run"]) for rows in (train, test)]
        assert not runs[0] & runs[1]
    assert len(y_train) == 9


def test_cross_validation_takes_graphs_through_a_pipeline(random_graphs):
    pipe = make_pipeline(FunctionTransformer(_mean_distances), LogisticRegression())
    y = np.tile([0, 1], 6)
    scores = cross_validate(
        pipe, random_graphs, y, groups=random_graphs.info["run"], cv=GroupKFold(3)
    )
    assert np.isfinite(scores["test_score"]).all()


def _mean_distances(graphs):
    return np.array([[one.distances.mean()] for one in graphs])


def test_pickle_and_hash(random_graphs):
    copy = pickle.loads(pickle.dumps(random_graphs))
    assert_same(copy, random_graphs)
    assert joblib.hash(copy) == joblib.hash(random_graphs)
    assert joblib.hash(copy[:3]) != joblib.hash(random_graphs)


def test_has_one_axis(random_graphs):
    assert np.ndim(random_graphs) == 1


def test_graphs_become_no_array(random_graphs):
    message = "Graphs are for MPNNClassifier and MPNNRegressor, and make no array: .*RDFFeaturizer"
    with pytest.raises(TypeError, match=message):
        np.asarray(random_graphs)
    for estimator in (LogisticRegression(), RandomForestClassifier()):
        with pytest.raises(TypeError, match=message):
            estimator.fit(random_graphs, np.tile([0, 1], 6))


def test_constructor_copies_what_it_is_given():
    vectors = np.ones((2, 2), dtype=np.float32)
    graphs = Graphs([2], [0, 1], [1, 1], [1, 0], vectors)
    graphs.vectors[:] = 7
    assert (vectors == 1).all()
    temperatures = np.array([0.5])
    graphs = Graphs([2], [0, 1], [1, 1], [1, 0], vectors, {"temperature": temperatures})
    graphs.info["temperature"][0] = 7
    assert temperatures[0] == 0.5


def test_info_is_checked_when_it_is_set(random_graphs):
    part = random_graphs[2:4]
    part.info["order"] = [1, 2]
    assert part[1].info["order"].tolist() == [2]
    with pytest.raises(ValueError, match=r"info\['order'\] must have one value for each of the 2"):
        part.info["order"] = [1, 2, 3]
    with pytest.raises(ValueError, match=r"info\['run'\] must have one value for each of the 2"):
        part.info = {"run": ["a"]}
    with pytest.raises(ValueError, match=r"info\['order'\] must have one value for each of the 2"):
        pickle.loads(pickle.dumps(part)).info["order"] = [1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": [0, 1]}, "types must have length 3, the sum of n_nodes, got 2"),
        ({"degrees": [1, 1]}, "degrees must have length 3, the sum of n_nodes, got 2"),
        ({"neighbors": [1]}, "neighbors must have length 2, the sum of degrees, got 1"),
        ({"vectors": [[1.0, 0.0]]}, "vectors must have length 2, the sum of degrees, got 1"),
        ({"neighbors": [1, 2]}, "nodes of their own graph, got 2 for edge 1"),
        ({"neighbors": [-1, 0]}, "neighbors must be 0 or larger, got -1"),
        ({"degrees": [1.0, 1.0, 0.0]}, "degrees must be a 1-dimensional array of integers"),
        ({"n_nodes": [2, 0, 1, 0]}, "n_nodes must be 1 or larger, got 0 for graph 1"),
        ({"n_nodes": [[3]]}, "n_nodes must be a 1-dimensional array of integers"),
        ({"vectors": [[1.0, np.nan], [1.0, 0.0]]}, "vectors must be finite and of shape"),
        ({"vectors": [1.0, 0.0]}, r"vectors must be finite and of shape \(n_edges_total, n_dims\)"),
        ({"info": {"run": ["a"]}}, r"info\['run'\] must have one value for each of the 2"),
        ({"info": {"run": "a"}}, r"info\['run'\] must have one value for each of the 2"),
    ],
)
def test_bad_parts_are_named(changes, message):
    parts = {
        "n_nodes": [2, 1],
        "types": [0, 1, 0],
        "degrees": [1, 1, 0],
        "neighbors": [1, 0],
        "vectors": [[1.0, 0.0], [-1.0, 0.0]],
    }
    with pytest.raises(ValueError, match=message):
        Graphs(**{**parts, **changes})


def test_concatenate_refuses_nothing_and_strangers(graphs):
    with pytest.raises(ValueError, match="at least one part, got none"):
        Graphs.concatenate([])
    solid = Graphs([1], [0], [1], [0], [[1.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="parts of a set must agree in n_dims.* part 1 is"):
        Graphs.concatenate([graphs, solid])
    other = graphs[:]
    other.info["run"] = [1, 2, 3]
    message = r"parts of a set must agree in the kind of info\['run'\], got \['<U1', 'int64'\]"
    with pytest.raises(ValueError, match=message):
        Graphs.concatenate([graphs, other])
