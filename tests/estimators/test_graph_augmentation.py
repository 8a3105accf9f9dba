"""Augmentations of graphs: vectors turn, crops are what lies within so many bonds."""

from collections import deque

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassclf.configurations import Configuration, Configurations
from glassclf.estimators import Crops, Mirrors, QuarterTurns, Shifts, shifts_and_crops
from glassclf.estimators.augmentation import make_augmentation
from glassclf.estimators.batching import GraphSamples
from glassclf.featurizers import GraphFeaturizer
from glassclf.networks import GraphBatch, MessagePassingNetwork


def make_batch(n_dims=2, n_graphs=3, n_particles=60, seed=0, **featurizer):
    rng = np.random.default_rng(seed)
    X = Configurations(
        Configuration(
            rng.random((n_particles + i, n_dims)) * 8.0,
            np.arange(n_particles + i) % 2,
            [8.0] * n_dims,
        )
        for i in range(n_graphs)
    )
    graphs = GraphFeaturizer(**(featurizer or {"n_neighbors": 5})).fit_transform(X)
    return GraphSamples(graphs, np.array([0, 1])).batch(np.arange(n_graphs))


def augment(batch, augmentation, seed=0):
    torch.manual_seed(seed)
    before = {name: value for name, value in vars(batch).items() if torch.is_tensor(value)}
    copies = {name: value.clone() for name, value in before.items()}
    out = make_augmentation(augmentation)(batch)
    assert all(torch.equal(before[name], copies[name]) for name in copies), "the batch stays"
    return out


def hops_from(start, batch):
    """Bonds between a particle and every other, by a walk in plain Python; -1: not reached."""
    joined = [set() for _ in batch.types]
    for source, neighbor in zip(batch.sources.tolist(), batch.neighbors.tolist()):
        joined[source].add(neighbor)
        joined[neighbor].add(source)
    hops = [-1] * len(joined)
    hops[start] = 0
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for there in joined[here]:
            if hops[there] < 0:
                hops[there] = hops[here] + 1
                queue.append(there)
    return np.array(hops)


def tagged(batch):
    """The batch with each particle's number in place of its type, to follow it through a crop."""
    batch.types = torch.arange(len(batch.types))
    return batch


@pytest.mark.parametrize("name", ["quarter_turns", "mirrors"])
@pytest.mark.parametrize("n_dims", [2, 3])
def test_vectors_of_a_graph_turn_together(name, n_dims):
    batch = make_batch(n_dims, n_graphs=40, n_particles=12)
    out = augment(batch, name)
    found = set()
    for graph in range(len(batch)):
        edges = batch.graph[batch.sources] == graph
        old, new = (b.vectors[edges].double().numpy() for b in (batch, out))
        matrix = np.linalg.lstsq(old, new, rcond=None)[0].T
        rounded = np.round(matrix)
        np.testing.assert_allclose(matrix, rounded, atol=1e-5)
        np.testing.assert_array_equal(old @ rounded.T, new)
        np.testing.assert_array_equal(np.abs(rounded) @ np.ones(n_dims), np.ones(n_dims))
        if name == "quarter_turns":
            assert round(np.linalg.det(rounded)) == 1
        else:
            np.testing.assert_array_equal(np.abs(rounded), np.eye(n_dims))
        found.add(rounded.tobytes())
    assert len(found) >= (4 if n_dims == 2 else 6)


@pytest.mark.parametrize("name", ["quarter_turns", "mirrors"])
def test_turns_change_nothing_but_vectors(name):
    batch = make_batch()
    out = augment(batch, name)
    for field in ("types", "graph", "n_nodes", "sources", "neighbors", "distances"):
        assert torch.equal(getattr(out, field), getattr(batch, field))
    assert out.n_neighbors == batch.n_neighbors
    torch.testing.assert_close(out.vectors.norm(dim=1), batch.distances)
    torch.manual_seed(0)
    network = MessagePassingNetwork(n_types=2, n_outputs=2, r_min=0.1, r_max=3.0).eval()
    assert torch.equal(network(out), network(batch))


def test_axes_of_graphs_are_checked_when_their_dimension_is_known():
    with pytest.raises(ValueError, match="axes of Mirrors must be distinct numbers from 0 to 1"):
        augment(make_batch(), Mirrors(axes=(2,)))
    with pytest.raises(ValueError, match="QuarterTurns turns one axis into another"):
        augment(make_batch(), QuarterTurns(axes=(0,)))


def test_shifts_say_that_graphs_have_no_origin():
    with pytest.raises(ValueError, match="they hold differences of positions"):
        Shifts()(make_batch())


@given(
    st.integers(2, 3),
    st.floats(0.2, 1.0),
    st.sampled_from([{"n_neighbors": 4}, {"r_max": 2.0}, {"n_neighbors": 1}]),
    st.integers(0, 2**31),
)
def test_a_crop_is_part_of_its_graph(n_dims, share, featurizer, seed):
    batch = tagged(make_batch(n_dims, seed=seed, **featurizer))
    out = augment(batch, Crops(share=share), seed)
    kept = out.types.numpy()
    assert len(out) == len(batch)
    assert (out.n_nodes >= torch.ceil(share**n_dims * batch.n_nodes.double() - 1e-9)).all()
    assert torch.equal(out.n_nodes, torch.bincount(out.graph, minlength=len(out)))
    assert torch.equal(out.graph, batch.graph[out.types])
    assert (np.diff(kept) > 0).all()
    # Exactly the bonds among the particles that are kept, sorted by source.
    assert (np.diff(out.sources.numpy()) >= 0).all()
    stays = np.isin(batch.sources, kept) & np.isin(batch.neighbors, kept)
    np.testing.assert_array_equal(kept[out.sources], batch.sources[stays])
    np.testing.assert_array_equal(kept[out.neighbors], batch.neighbors[stays])
    np.testing.assert_array_equal(out.vectors, batch.vectors[stays])
    np.testing.assert_array_equal(out.distances, batch.distances[stays])


@given(st.floats(0.2, 0.9), st.integers(0, 2**31))
def test_a_crop_is_what_lies_within_the_fewest_bonds(share, seed):
    batch = tagged(make_batch(n_graphs=1, seed=seed, r_max=2.0))
    kept = augment(batch, Crops(share=share), seed).types.numpy()
    needed = np.ceil(share**2 * len(batch.types) - 1e-9)
    for start in kept:
        hops = hops_from(start, batch)
        if hops.min() < 0:
            return  # a particle that is out of reach; another test looks at those
        enough = np.sort(hops)[int(needed) - 1]
        if np.array_equal(np.flatnonzero(hops <= enough), kept):
            return
    pytest.fail("there is no particle around which this is a crop")


def test_every_particle_may_be_the_middle_of_a_crop():
    batch = tagged(make_batch(n_graphs=1, n_particles=20))
    crops = {tuple(augment(batch, "crops", seed).types.tolist()) for seed in range(300)}
    middles = {
        tuple(np.flatnonzero((0 <= hops) & (hops <= 1)).tolist())
        for hops in (hops_from(start, batch) for start in range(20))
        if (hops >= 0).all() and (hops <= 1).sum() >= 5
    }
    assert middles <= crops


def bonded(n_nodes, pairs):
    """A batch of graphs in two dimensions with bonds between these pairs of particles."""
    pairs = np.array(pairs, dtype=int).reshape(-1, 2)
    sources, neighbors = torch.from_numpy(pairs[np.argsort(pairs[:, 0], kind="stable")].T.copy())
    return GraphBatch(
        types=torch.arange(sum(n_nodes)),
        graph=torch.repeat_interleave(torch.arange(len(n_nodes)), torch.tensor(n_nodes)),
        n_nodes=torch.tensor(n_nodes),
        sources=sources,
        neighbors=neighbors,
        vectors=torch.ones(len(pairs), 2),
        distances=torch.ones(len(pairs)),
    )


def test_a_graph_that_has_enough_does_not_grow_on_with_the_others():
    chains = [(i, i + 1) for i in range(99)] + [(i, i + 1) for i in range(100, 119)]
    for seed in range(5):
        out = augment(bonded([100, 20], chains), Crops(share=0.5), seed)
        assert 25 <= out.n_nodes[0] <= 26
        assert 5 <= out.n_nodes[1] <= 6


def test_crops_of_many_small_clusters_keep_them_whole():
    pairs = [(i, i + 1) for i in range(0, 4000, 2)]
    out = augment(bonded([4000], pairs), Crops(share=0.9))
    assert 3240 <= out.n_nodes[0] <= 3300
    # Of all pairs but those that the last step has cut, both particles are there.
    assert 2 * len(out.sources) >= 0.95 * out.n_nodes[0]


def test_crop_of_very_many_particles_without_bonds_takes_few_steps(monkeypatch):
    steps = []
    draw = shifts_and_crops._random_particles
    monkeypatch.setattr(
        shifts_and_crops, "_random_particles", lambda *args: steps.append(1) or draw(*args)
    )
    out = augment(bonded([100_000], []), Crops(share=0.9))
    assert out.n_nodes.tolist() == [81_000]
    assert len(steps) < 100


@pytest.mark.parametrize(("share", "needed"), [(0.1, 1), (0.3, 9), (0.6, 36), (0.7, 49), (0.9, 81)])
def test_rounding_asks_for_no_particle_too_many(share, needed):
    assert augment(bonded([100], []), Crops(share=share)).n_nodes.tolist() == [needed]


@pytest.mark.filterwarnings("ignore:no two particles")
def test_shares_count_sides_in_three_dimensions_too():
    out = augment(make_batch(n_dims=3, n_particles=64, r_max=1e-6), "crops")
    assert out.n_nodes.tolist() == [8, 9, 9]  # an eighth, rounded up


@pytest.mark.filterwarnings("ignore:no two particles")
def test_crop_of_particles_without_bonds_is_a_random_choice():
    batch = tagged(make_batch(r_max=1e-6))
    out = augment(batch, "crops")
    assert out.n_nodes.tolist() == [15, 16, 16]  # a quarter of 60, 61 and 62, rounded up
    assert len(out.sources) == 0
    assert not torch.equal(out.types, augment(batch, "crops", seed=1).types)


def test_crop_of_everything_is_the_graph_itself():
    batch = make_batch(n_neighbors=6)
    out = augment(batch, Crops(share=1.0))
    assert out.n_neighbors == 6
    assert torch.equal(out.neighbors, batch.neighbors)


def test_particles_deep_in_a_crop_see_what_they_saw():
    """With one round of messages, only particles at the border of a crop change their state."""
    batch = make_batch(n_graphs=1, n_particles=200)
    out = augment(tagged(make_batch(n_graphs=1, n_particles=200)), Crops(share=0.7))
    kept = out.types
    out.types = batch.types[kept]
    network = MessagePassingNetwork(n_types=2, n_outputs=2, r_min=0.1, r_max=3.0, n_layers=1)
    before, after = network.eval().embed_nodes(batch)[kept], network.embed_nodes(out)
    lost = batch.n_neighbors - torch.bincount(out.sources, minlength=len(kept))
    assert 0 < (lost > 0).sum() < len(kept) / 2
    torch.testing.assert_close(after[lost == 0], before[lost == 0])


@pytest.mark.parametrize("name", ["quarter_turns", "mirrors", "crops"])
def test_seed_decides(name):
    batch = make_batch()
    one, same, other = (augment(batch, name, seed).vectors for seed in (1, 1, 3))
    assert torch.equal(one, same)
    assert one.shape != other.shape or not torch.equal(one, other)
