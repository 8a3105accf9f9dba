"""Work of the networks, and their peers: message passing and convolutions."""

import numpy as np
import torch
from peer_searches import K, liquid
from torch import nn

from glassclf.estimators.batching import GraphSamples
from glassclf.featurizers import GraphFeaturizer
from glassclf.networks import ConvolutionalNetwork, MessagePassingNetwork

WIDTH, N_LAYERS, N_RADIAL, R_MAX = 64, 3, 16, 2.5


class PlainConvolutions(nn.Module):
    """The layers of ``ConvolutionalNetwork``, as one writes them down."""

    def __init__(self, n_filters=(16, 32, 64)):
        super().__init__()
        self.input_norm = nn.BatchNorm2d(2, affine=False)
        widths = [2, *n_filters]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 3, padding=1, padding_mode="circular", bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(),
            )
            for a, b in zip(widths[:-1], widths[1:])
        )
        self.pool = nn.AvgPool2d(2, ceil_mode=True)
        self.head = nn.Linear(widths[-1], 2)

    def forward(self, x):
        x = self.input_norm(x)
        for number, block in enumerate(self.blocks):
            x = block(self.pool(x) if number else x)
        return self.head(x.flatten(2).mean(2))


def plain_twin(network):
    """Plain convolutions with the weights of ours."""
    twin = PlainConvolutions()
    state = {name.replace("head.1", "head"): w for name, w in network.state_dict().items()}
    twin.load_state_dict({name: w.clone() for name, w in state.items()})
    return twin


def schnet_blocks(device):
    """The blocks of PyTorch Geometric at the same width and depth, or None without it."""
    try:
        from torch_geometric.nn.models.schnet import GaussianSmearing, InteractionBlock
    except ImportError:
        return None

    class Blocks(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(2, WIDTH)
            self.smearing = GaussianSmearing(0.0, R_MAX, N_RADIAL)
            self.blocks = nn.ModuleList(
                InteractionBlock(WIDTH, N_RADIAL, WIDTH, R_MAX) for _ in range(N_LAYERS)
            )
            self.head = nn.Linear(WIDTH, 2)

        def forward(self, batch):
            states, edges = (
                self.embedding(batch.types),
                torch.stack([batch.neighbors, batch.sources]),
            )
            radial = self.smearing(batch.distances)
            for block in self.blocks:
                states = states + block(states, edges, batch.distances, radial)
            return self.head(batch.mean_nodes(states))

    return Blocks().to(device)


def trainer(network, batch, targets):
    """One step of training, as a function of nothing."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step():
        network.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(batch), targets).backward()
        optimizer.step()
        if targets.is_cuda:
            torch.cuda.synchronize()

    return step


def predictor(network, batch):
    """One prediction, as a function of nothing."""

    def predict():
        network.eval()
        with torch.inference_mode():
            return network(batch).cpu().numpy()

    return predict


def same_outputs(ours, theirs, name):
    if not np.allclose(ours, theirs, atol=1e-4):
        raise SystemExit(f"{name}: the outputs differ")


def graph_rows(n_particles, n_graphs, device, goals):
    """Training and prediction of message passing."""
    graphs = GraphFeaturizer(n_neighbors=K).fit_transform(
        [liquid(n_particles, seed) for seed in range(n_graphs)]
    )
    batch = GraphSamples(graphs, np.arange(2)).batch(np.arange(n_graphs)).to(device)
    targets = (torch.arange(n_graphs) % 2).to(device)
    torch.manual_seed(0)
    ours = MessagePassingNetwork(2, 2, 0.5, R_MAX, WIDTH, N_LAYERS, N_RADIAL).to(device)
    peer = schnet_blocks(device)
    # The states of the neighbours, once for each layer that passes messages: read and summed up,
    # forwards, and for both gradients backwards.
    moved = 4 * WIDTH * K * n_particles * n_graphs * (N_LAYERS - 1)
    rows = []
    for name, make, floor in (
        ("training step", lambda one: trainer(one, batch, targets), 6 * moved),
        ("prediction", lambda one: predictor(one, batch), 2 * moved),
    ):
        on = f", {n_graphs} on {device}" if device != "cpu" else ""
        rows.append(
            {
                "name": f"MPNN {name}, N = {n_particles}{on}",
                "ours": make(ours),
                "peers": {} if peer is None else {"PyG SchNet": make(peer)},
                "goal": {"PyG SchNet": goals[name]},
                "n_bytes": floor,
            }
        )
    return rows


def same_particles(ours, theirs, name):
    if ours != theirs:
        raise SystemExit(f"{name}: {ours} and {theirs} particles")


def batch_rows(n_particles, glassml):
    """From a configuration to a batch, where a folder with a copy of glassML is named."""
    if glassml is None:
        return []
    from peer_glassml import graph_and_batch

    one = liquid(n_particles)
    featurizer = GraphFeaturizer(n_neighbors=K).fit([one])

    def make():
        graphs = featurizer.transform([one])
        return len(GraphSamples(graphs, np.arange(2)).batch(np.arange(1)).types)

    return [
        {
            "name": f"graph and batch, N = {n_particles}",
            "ours": make,
            "peers": {"glassML": graph_and_batch(glassml, one, K)},
            "goal": {"glassML": 0.01},
            "check": same_particles,
        }
    ]


def image_rows(n_pixels, n_images):
    """Training and prediction of convolutions."""
    torch.manual_seed(0)
    images, targets = torch.rand(n_images, 2, n_pixels, n_pixels), torch.arange(n_images) % 2
    ours = ConvolutionalNetwork(2, 2, n_spatial=2)
    twin = plain_twin(ours)
    # Multiplications and additions of the convolutions; each has two gradients.
    n_pairs = sum(a * b / 4**level for level, (a, b) in enumerate(((2, 16), (16, 32), (32, 64))))
    operations = 2 * 9 * n_pairs * n_images * n_pixels**2
    size = f"{n_images} x 2 x {n_pixels} x {n_pixels}"
    # Predictions first: the check needs equal weights.
    return [
        {
            "name": f"CNN prediction, {size}",
            "ours": predictor(ours, images),
            "peers": {"plain PyTorch": predictor(twin, images)},
            "goal": {},
            "check": same_outputs,
            "n_operations": operations,
        },
        {
            "name": f"CNN training step, {size}",
            "ours": trainer(ours, images, targets),
            "peers": {"plain PyTorch": trainer(twin, images, targets)},
            "goal": {"plain PyTorch": 0.8},
            "n_operations": 3 * operations,
        },
    ]


def network_rows(quick, glassml):
    """Rows of the table; ``glassml`` is a folder, or None."""
    goals = {"training step": 0.3, "prediction": 0.25}
    rows = batch_rows(400 if quick else 4320, glassml)
    rows += graph_rows(400 if quick else 4320, 1, "cpu", goals)
    rows += image_rows(16 if quick else 64, 64)
    if torch.cuda.is_available():
        rows += graph_rows(4320, 20, "cuda", goals)
    return rows
