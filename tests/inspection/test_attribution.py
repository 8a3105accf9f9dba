"""Attribution adds up, moves with the particles, and comes from what was learned."""

import copy

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configuration
from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer, Graphs, ImageFeaturizer, RDFFeaturizer
from glassclf.inspection import attribution
from glassclf.testing import graded_disorder, noisy_lattice


def moved(configuration, shift=0.0, turn=0.0):
    """The particles turned about the origin and shifted, in a box that is large and open."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    positions = configuration.positions @ rotation.T + shift + 50
    return Configuration(positions, configuration.types, [100.0, 100.0], periodic=False)


def shuffled(model, seed=0):
    """A copy of which every weight tensor is shuffled."""
    model = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model[-1].net_.module_.parameters():
            order = torch.randperm(weight.numel(), generator=generator)
            weight.copy_(weight.flatten()[order].reshape(weight.shape))
    return model


def test_particles_of_a_graph_sum_to_the_log_odds(mpnn, phases, log_odds):
    X = phases[0]
    result = attribution(mpnn, X)
    assert np.allclose(result.output, log_odds(mpnn, X), atol=1e-5)
    assert [len(values) for values in result.particles] == X.n_particles.tolist()
    assert np.allclose([values.sum() for values in result.particles], result.output)
    assert result.maps is None


def test_bonds_sum_to_what_the_bonds_tell(mpnn, phases, log_odds):
    X = phases[0][:4]
    result = attribution(mpnn, X)
    graphs = mpnn[0].transform(X)
    assert [len(values) for values in result.bonds] == graphs.n_edges.tolist()
    empty = np.empty(0, dtype=int)
    bare = Graphs(graphs.n_nodes, graphs.types, 0 * graphs.degrees, empty, np.empty((0, 2)))
    assert np.allclose(result.baseline, log_odds(mpnn[-1], bare), atol=1e-5)
    told = result.output - result.baseline
    assert np.allclose([values.sum() for values in result.bonds], told, rtol=0.02, atol=1e-3)


def test_graph_values_stay_with_the_particles_under_turns_and_shifts(mpnn, phases):
    configuration = phases[0][1]
    still, turned = (
        attribution(mpnn, [moved(configuration, **motion)])
        for motion in ({}, {"shift": 3.7, "turn": 0.7})
    )
    assert np.allclose(still.particles[0], turned.particles[0], atol=1e-5)
    assert np.allclose(np.sort(still.bonds[0]), np.sort(turned.bonds[0]), atol=1e-5)


def test_graph_occlusion_is_what_the_network_says_without_the_patch(mpnn, phases, log_odds):
    X = phases[0][:1]
    result = attribution(mpnn, X, method="occlusion")
    graph = mpnn[0].transform(X)[0]
    sources = np.repeat(np.arange(42), graph.degrees)
    assert result.bonds is None
    values, counts = np.unique(result.particles[0].round(9), return_counts=True)
    for value, count in zip(values, counts):
        patch = np.flatnonzero(result.particles[0].round(9) == value)
        keep = np.setdiff1d(np.arange(42), patch)
        kept = np.isin(sources, keep) & np.isin(graph.neighbors, keep)
        rest = Graphs(
            [len(keep)],
            graph.types[keep],
            np.bincount(sources[kept], minlength=42)[keep],
            np.searchsorted(keep, graph.neighbors[kept]),
            graph.vectors[kept],
        )
        lost = log_odds(mpnn, X)[0] - log_odds(mpnn[-1], rest)[0]
        assert value * count == pytest.approx(lost, abs=1e-4)


def test_maps_and_particles_of_an_image_add_up(cnn, phases, log_odds):
    X = phases[0]
    result = attribution(cnn, X)
    assert np.allclose(result.output, log_odds(cnn, X), atol=1e-5)
    assert result.maps[0].shape == (2, 24, 24)
    assert result.bonds is None
    told = result.output - result.baseline
    scale = np.abs(told).max()
    sums = np.array([values.sum() for values in result.maps])
    assert np.allclose(sums, told, atol=0.03 * scale)
    particles = np.array([values.sum() for values in result.particles])
    assert np.allclose(particles - result.baseline, sums, atol=1e-4 * scale)


def test_baseline_of_an_image_is_the_same_amount_spread_evenly(cnn, phases, log_odds):
    X = phases[0][:2]
    even = np.broadcast_to(cnn[0].transform(X).mean((2, 3), keepdims=True), (2, 2, 24, 24))
    expected = log_odds(cnn[-1], even.copy())
    assert np.allclose(attribution(cnn, X).baseline, expected, atol=1e-5)


def test_image_values_move_with_a_shift_by_the_stride(cnn):
    configuration = noisy_lattice(0.3, n_cells=(6, 6))
    # Two blocks of filters have a stride of 2 pixels, each a quarter wide.
    shift = np.array([0.5, 1.5])
    shifted = Configuration(configuration.positions + shift, configuration.types, configuration.box)
    still, after = (attribution(cnn, [one]) for one in (configuration, shifted))
    assert np.allclose(np.roll(still.maps[0], (2, 6), axis=(1, 2)), after.maps[0], atol=1e-4)
    assert np.allclose(still.particles[0], after.particles[0], atol=1e-4)


def test_image_values_under_a_quarter_turn_stay_within_the_spread_over_augmentations(cnn, phases):
    configuration = noisy_lattice(0.3, n_cells=(6, 6))
    values = []
    for mirror in (1, -1):
        for n in range(4):
            turn = np.linalg.matrix_power([[0, -1], [1, 0]], n) * [1, mirror]
            positions = configuration.positions @ turn.T
            one = Configuration(positions, configuration.types, configuration.box)
            values.append(attribution(cnn, [one]).particles[0])
    spread = np.std(values, axis=0)
    change = values[1] - values[0]
    assert np.sqrt(np.mean(change**2)) < 2 * np.sqrt(np.mean(spread**2))
    # And the picture is the same one.
    assert np.corrcoef(values[0], values[1])[0, 1] > 0.5


def test_image_occlusion_is_what_the_network_says_of_the_covered_image(cnn, phases, log_odds):
    X = phases[0][:1]
    result = attribution(cnn, X, method="occlusion")
    image = cnn[0].transform(X)
    pixels = (X[0].positions / X[0].box * 24).astype(int)
    patch = pixels[0] // 3
    across, along = (slice(3 * number, 3 * number + 3) for number in patch)
    covered = image.copy()
    covered[:, :, across, along] = image.mean((2, 3), keepdims=True)
    lost = log_odds(cnn, X)[0] - log_odds(cnn[-1], covered)[0]
    assert result.maps[0].shape == (1, 24, 24)
    assert result.maps[0][0, across, along].sum() == pytest.approx(lost, abs=1e-4)
    inside = (pixels // 3 == patch).all(axis=1)
    assert result.particles[0][inside].sum() == pytest.approx(lost, abs=1e-4)


def test_shuffled_weights_give_another_picture(mpnn, cnn, phases):
    X = phases[0][1:2]
    for model in (mpnn, cnn):
        learned = attribution(model, X).particles[0]
        correlations = [
            np.corrcoef(learned, attribution(shuffled(model, seed), X).particles[0])[0, 1]
            for seed in range(5)
        ]
        assert np.median(np.abs(correlations)) < 0.8


def test_bare_networks_take_their_own_input(mpnn, cnn, phases):
    X = phases[0][:2]
    graphs, images = mpnn[0].transform(X), cnn[0].transform(X)
    assert np.array_equal(attribution(mpnn[-1], graphs).output, attribution(mpnn, X).output)
    result = attribution(cnn[-1], images)
    assert result.particles is None
    assert np.array_equal(result.maps, attribution(cnn, X).maps)


@pytest.mark.parametrize("network", [MPNNRegressor, CNNRegressor])
def test_regressors_share_out_their_prediction(network):
    X, y, _ = graded_disorder(n_runs=4)
    y = 100 + 10 * y
    featurizer = GraphFeaturizer(n_neighbors=4) if network is MPNNRegressor else ImageFeaturizer(12)
    model = make_pipeline(featurizer, network(max_epochs=3, random_state=0)).fit(X, y)
    result = attribution(model, X)
    assert np.allclose(result.output, model.predict(X), rtol=1e-5)
    both = make_pipeline(featurizer, network(max_epochs=1, random_state=0))
    both.fit(X, np.column_stack([y, -y]))
    second = attribution(both, X[:2], target=1)
    assert np.allclose(second.output, both.predict(X[:2])[:, 1], rtol=1e-5)
    with pytest.raises(ValueError, match="give target, the number of an output, 0 to 1"):
        attribution(both, X)
    with pytest.raises(ValueError, match="target must be the number of an output, 0 to 1, got 2"):
        attribution(both, X, target=2)


def test_one_of_three_classes_is_told_from_the_others(phases):
    X, _, _ = phases
    y = np.resize(["a", "b", "c"], len(X))
    model = make_pipeline(GraphFeaturizer(n_neighbors=4), MPNNClassifier(max_epochs=1)).fit(X, y)
    logs = np.log(model.predict_proba(X))
    for number, label in enumerate("abc"):
        result = attribution(model, X, target=label)
        rest = np.delete(logs, number, axis=1).mean(axis=1)
        assert np.allclose(result.output, logs[:, number] - rest, atol=1e-5)
    with pytest.raises(ValueError, match=r"give target, one of the classes \['a', 'b', 'c'\]"):
        attribution(model, X)
    with pytest.raises(ValueError, match="target must be one of the classes .* got 'd'"):
        attribution(model, X, target="d")


def test_signs_follow_the_target(mpnn, phases):
    X = phases[0][:1]
    glass, liquid = (attribution(mpnn, X, target=label) for label in ("glass", "liquid"))
    assert np.allclose(glass.particles[0], -liquid.particles[0])


def test_an_estimator_without_a_network_is_refused(phases):
    X, y, _ = phases
    model = make_pipeline(RDFFeaturizer(), LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match="attribution needs a network of glassclf.estimators or a "):
        attribution(model, X)


def test_a_module_of_ones_own_is_refused(phases):
    class Module(torch.nn.Module):
        def __init__(self, in_channels, n_outputs):
            super().__init__()
            self.layer = torch.nn.Linear(in_channels, n_outputs)

        def forward(self, x):
            return self.layer(x.flatten(2).mean(2))

    X, y, _ = phases
    model = make_pipeline(ImageFeaturizer(8), CNNClassifier(module=Module, max_epochs=1)).fit(X, y)
    words = (
        "attribution looks into a MessagePassingNetwork or a ConvolutionalNetwork, got a module "
    )
    with pytest.raises(TypeError, match=f"{words}Module"):
        attribution(model, X)
