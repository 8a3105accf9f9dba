"""Activations and filters are those that the network computes with."""

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from glassclf.estimators import CNNClassifier
from glassclf.featurizers import RDFFeaturizer
from glassclf.inspection import activations, filters


def test_activations_of_a_cnn_lead_to_its_output(cnn, phases):
    X = phases[0][:3]
    first, last = activations(cnn, X, 0), activations(cnn, X)
    assert first.shape == (3, 8, 24, 24)
    assert last.shape == (3, 8, 12, 12)
    assert first.min() == 0
    assert np.allclose(last.mean(axis=(2, 3)), cnn.transform(X), atol=1e-6)
    assert np.array_equal(activations(cnn, X, 1), last)


def test_activations_of_an_mpnn_are_its_states(mpnn, phases):
    X = phases[0][:3]
    both = [activations(mpnn, X, layer) for layer in (0, 1)]
    module, network = mpnn[-1].net_.module_, mpnn[-1]
    batch = network._check_samples(mpnn[0].transform(X[:1])).batch(np.arange(1))
    with torch.no_grad():
        states = module.embed_nodes(batch).numpy()
    assert np.allclose(np.hstack([layer[0] for layer in both]), states, atol=1e-6)
    assert [layer[2].shape for layer in both] == [(42, 8)] * 2


def test_filters_are_the_weights_of_the_convolution(cnn, phases):
    assert filters(cnn).shape == (8, 2, 3, 3)
    weights = filters(cnn, layer=1)
    assert weights.shape == (8, 8, 3, 3)
    weights[:] = 0
    assert filters(cnn, layer=1).any()
    # The first block by hand: pad around the borders, convolve, normalise, cut off below zero.
    X = phases[0][:1]
    module = cnn[-1].net_.module_
    with torch.no_grad():
        image = module.input_norm(torch.from_numpy(cnn[0].transform(X)))
        padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="circular")
        answer = torch.nn.functional.conv2d(padded, torch.from_numpy(filters(cnn)))
        answer = module.blocks[0][-2](answer).relu()
    assert np.allclose(activations(cnn, X, 0), answer.numpy(), atol=1e-5)


def test_layers_of_a_plain_table(phases):
    X, y, _ = phases
    network = CNNClassifier(n_filters=(4, 3), max_epochs=1, random_state=0)
    model = make_pipeline(RDFFeaturizer(n_bins=5), network).fit(X, y)
    assert activations(model, X, 0).shape == (16, 4)
    assert filters(model).shape == (4, 15)


def test_layers_that_are_not_there_are_refused(cnn, mpnn, phases):
    X = phases[0]
    for model in (cnn, mpnn):
        words = r"layer must be an int from 0 to 1 \(or from -2 to -1\), got 2"
        with pytest.raises(ValueError, match=words):
            activations(model, X, 2)
    with pytest.raises(ValueError, match="layer must be an int .* got 'first'"):
        filters(cnn, "first")
    with pytest.raises(
        TypeError, match="filters looks into a ConvolutionalNetwork, got a module M"
    ):
        filters(mpnn)
