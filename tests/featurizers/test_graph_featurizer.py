import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from glassclf.configurations import Configuration
from glassclf.featurizers import GraphFeaturizer, Graphs


def test_square_lattice_has_four_neighbors_at_its_spacing(square):
    for featurizer in (GraphFeaturizer(n_neighbors=4), GraphFeaturizer(r_max=1.2)):
        graphs = featurizer.fit_transform([square])
        assert graphs.n_neighbors == 4
        assert graphs.distances == pytest.approx(1)
        assert set(map(tuple, graphs.vectors.round(6).tolist())) == {
            (0, 1),
            (0, -1),
            (1, 0),
            (-1, 0),
        }


def test_vectors_lead_from_source_to_neighbor(gas):
    X = gas(30, [6, 7], periodic=[True, False], n_configurations=2)
    graphs = GraphFeaturizer(n_neighbors=5).fit_transform(X)
    for one, graph in zip(X, graphs):
        steps = one.positions[graph.sources] + graph.vectors - one.positions[graph.neighbors]
        lengths = steps / one.box
        assert lengths == pytest.approx(np.round(lengths), abs=1e-5)
        assert (np.abs(lengths[:, 1]) < 0.5).all()
        assert graph.distances == pytest.approx(np.linalg.norm(graph.vectors, axis=1))


def test_edges_are_sorted_by_source_then_distance(gas):
    graphs = GraphFeaturizer(r_max=2.0, connect=True).fit_transform(gas(30, [9, 9]))
    order = np.lexsort((graphs.distances, graphs.sources))
    assert (graphs.sources[order] == graphs.sources).all()
    assert (graphs.distances[order] == graphs.distances).all()


def test_default_is_twenty_neighbors_or_all_others(gas):
    assert GraphFeaturizer().fit_transform(gas(40, [9, 9])).n_neighbors == 20
    assert GraphFeaturizer().fit_transform(gas(7, [9, 9])).n_neighbors == 6


def test_default_leaves_a_single_particle_without_bonds(gas):
    graphs = GraphFeaturizer().fit_transform([*gas(1, [9, 9]), *gas(3, [9, 9])])
    assert graphs.n_nodes.tolist() == [1, 3]
    assert graphs.n_edges.tolist() == [0, 6]
    assert graphs.n_isolated.tolist() == [1, 0]
    assert graphs.n_neighbors is None
    assert GraphFeaturizer().fit_transform(gas(1, [4, 4, 4])).vectors.shape == (0, 3)
    # A number that was asked for is not given up silently.
    with pytest.raises(ValueError, match="n_neighbors=1 for 1 particles"):
        GraphFeaturizer(n_neighbors=1).fit_transform(gas(1, [9, 9]))


def test_no_bond_within_the_radius_warns(gas):
    message = r"no two particles of X are within r_max=0\.1: are the positions in other units\?"
    far = Configuration([[5.0, 5.0], [15.0, 5.0]], [0, 0], [40.0, 40.0])
    for n_neighbors in (None, 1):
        with pytest.warns(UserWarning, match=message):
            GraphFeaturizer(n_neighbors, r_max=0.1).fit_transform([far, far])


@pytest.mark.filterwarnings("error")
def test_some_bonds_or_single_particles_do_not_warn(gas):
    far = Configuration([[5.0, 5.0], [15.0, 5.0]], [0, 0], [40.0, 40.0])
    near = Configuration([[5.0, 5.0], [7.0, 5.0]], [0, 0], [40.0, 40.0])
    GraphFeaturizer(r_max=2.5).fit_transform([far, near])
    GraphFeaturizer(r_max=2.5).fit_transform(gas(1, [9, 9], n_types=1))


def test_both_parameters_take_the_nearest_within_the_radius(gas):
    X = gas(40, [9, 9])
    graphs = GraphFeaturizer(n_neighbors=3, r_max=1.0).fit_transform(X)
    within = GraphFeaturizer(r_max=1.0).fit_transform(X)
    assert (graphs.degrees == np.minimum(within.degrees, 3)).all()
    assert graphs.n_neighbors is None
    for node in range(40):
        near = within.distances[within.sources == node][:3]
        assert (graphs.distances[graphs.sources == node] == near).all()


def test_info_and_types_are_handed_on(gas):
    runs = {"run": np.array(["a", "b"]), "temperature": np.array([0.5, 1.5])}
    X = gas(12, [5, 5], n_configurations=2, n_types=3, info=runs)
    graphs = GraphFeaturizer(3).fit_transform(X)
    assert graphs.info["run"].tolist() == ["a", "b"]
    assert graphs.info["temperature"].tolist() == [0.5, 1.5]
    assert (graphs.types == X.types).all()
    graphs.info["extra"] = np.zeros(2)
    assert "extra" not in X.info


def test_graphs_do_not_share_memory_with_the_configurations(gas):
    X = gas(12, [5, 5])
    graphs = GraphFeaturizer(3).fit_transform(X)
    assert not np.shares_memory(graphs.types, X.types)


def test_connect_joins_two_parts_by_the_shortest_bond():
    chain = Configuration(
        [[1.0, 5.0], [2.0, 5.0], [7.0, 5.0], [8.5, 5.0]], [0] * 4, [20.0, 20.0], periodic=False
    )
    apart = GraphFeaturizer(r_max=1.6).fit_transform([chain])
    joined = GraphFeaturizer(r_max=1.6, connect=True).fit_transform([chain])
    assert apart.n_components.tolist() == [2]
    assert joined.n_components.tolist() == [1]
    assert joined.sources.tolist() == [0, 1, 1, 2, 2, 3]
    assert joined.neighbors.tolist() == [1, 0, 2, 3, 1, 2]
    assert joined.vectors[2].tolist() == [5, 0]
    assert joined.vectors[4].tolist() == [-5, 0]


def test_connect_uses_the_periodic_images():
    split = Configuration([[0.5, 5.0], [19.5, 5.0]], [0, 0], [20.0, 20.0])
    graphs = GraphFeaturizer(r_max=0.1, connect=True).fit_transform([split])
    assert graphs.vectors.tolist() == [[-1, 0], [1, 0]]


def test_connect_gives_a_minimum_spanning_tree(gas):
    X = gas(40, [9, 9], periodic=False)
    graphs = GraphFeaturizer(r_max=1e-6, connect=True).fit_transform(X)
    lengths = cdist(X[0].positions, X[0].positions)
    tree = minimum_spanning_tree(csr_array(lengths))
    assert len(graphs.distances) == 2 * 39
    assert graphs.distances.sum() / 2 == pytest.approx(tree.sum())


def test_connect_leaves_a_connected_graph_alone(square):
    graphs = GraphFeaturizer(n_neighbors=4, connect=True).fit_transform([square])
    assert graphs.n_neighbors == 4


def test_radius_beyond_the_box_counts_every_image():
    one = Configuration([[0.5, 0.5], [1.5, 0.5]], [0, 0], [2.0, 8.0])
    graphs = GraphFeaturizer(r_max=2.1).fit_transform([one])
    # The other particle on both sides, and the own images.
    assert sorted(graphs.vectors[graphs.sources == 0].tolist()) == [
        [-2, 0],
        [-1, 0],
        [1, 0],
        [2, 0],
    ]


def test_n_neighbors_not_below_the_particle_number_names_the_sample(gas):
    X = [gas(7, [5, 5])[0], gas(6, [5, 5])[0]]
    message = "configuration 1: n_neighbors must be smaller than the number of particles, got"
    with pytest.raises(ValueError, match=message):
        GraphFeaturizer(n_neighbors=6).fit_transform(X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_neighbors", 0),
        ("n_neighbors", True),
        ("n_neighbors", 3.0),
        ("n_neighbors", "3"),
        ("r_max", 0.0),
        ("r_max", -1),
        ("r_max", np.nan),
        ("r_max", np.inf),
        ("r_max", True),
        ("connect", 1.5),
        ("connect", None),
    ],
)
def test_bad_parameters_are_named(gas, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of GraphFeaturizer must be"):
        GraphFeaturizer(**{name: value}).fit(gas(9, [5, 5]))


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(1.0, 30.0)), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore:no two particles of X are within")
def test_jobs_and_company_change_nothing(sizes):
    """Crowds and loners, in any order: whatever room was made for the bonds of the first ones."""
    rng = np.random.default_rng(0)
    X = [
        Configuration(rng.uniform(0, length, (n, 2)), np.zeros(n, int), [length, length])
        for n, length in sizes
    ]
    featurizer = GraphFeaturizer(r_max=1.0).fit(X)
    alone = Graphs.concatenate([featurizer._featurize(one) for one in X])
    for n_jobs in (1, 2):
        together = featurizer.set_params(n_jobs=n_jobs).transform(X)
        for name in ("node_offsets", "edge_offsets", "degrees", "neighbors"):
            np.testing.assert_array_equal(getattr(together, name), getattr(alone, name))
        np.testing.assert_array_equal(together.vectors, alone.vectors)
        np.testing.assert_array_equal(together.distances, alone.distances)


def test_a_radius_of_another_unit_names_the_sample(gas):
    X = [gas(20, [50.0, 50.0])[0], gas(20, [0.01, 0.01])[0]]
    for n_jobs in (1, 2):
        with pytest.raises(ValueError, match="configuration 1: r_max=50 spans .* in one unit"):
            GraphFeaturizer(r_max=50.0, n_jobs=n_jobs).fit_transform(X)


def test_what_memory_held_before_is_not_read():
    """In places that stay free, where few neighbours are within the first radius."""
    rng = np.random.default_rng(4)
    sizes = (8, 12, 30, 9, 25, 60, 10, 200) * 3
    X = [(5 * rng.uniform(0, 1, (n, 2)) ** 3, np.zeros(n, int), [5.0, 5.0]) for n in sizes]
    with np.errstate(all="raise"):
        for _ in range(5):
            before = [np.full(size, 1e300) for size in range(1, 400)]
            del before
            GraphFeaturizer(6).fit_transform(X)


CROWD_FIRST = """
import resource, sys
import numpy as np
from glassclf.configurations import Configuration
from glassclf.featurizers import GraphFeaturizer
rng = np.random.default_rng(3)
def spread(length):
    return Configuration(rng.uniform(0, length, (1500, 2)), [0] * 1500, [1, 1], periodic=False)
X = [spread(1), *[spread(60) for _ in range(400)]]
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30,) * 2)
graphs = GraphFeaturizer(r_max=1.5, n_jobs=int(sys.argv[1])).fit_transform(X)
assert graphs.n_edges[0] == 1500 * 1499
assert graphs.n_edges.sum() < 5e6
"""


@pytest.mark.parametrize("n_jobs", ["1", "2"])
def test_a_crowd_in_front_takes_no_memory_for_the_others(n_jobs):
    command = [sys.executable, "-c", CROWD_FIRST, n_jobs]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
