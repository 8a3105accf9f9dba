"""Work of the featurizers, and their peers: neighbours, distributions, images."""

import time
from itertools import combinations_with_replacement

import numpy as np
from scipy.spatial import cKDTree

from glassclf.configurations import (
    Configuration,
    Configurations,
    nearest_neighbors,
    pairs_within,
)
from glassclf.featurizers import (
    BondOrderFeaturizer,
    GraphFeaturizer,
    ImageFeaturizer,
    RDFFeaturizer,
)

DENSITY, K, R_PAIRS, R_RDF, N_BINS, N_PIXELS = 1.2, 6, 2.0, 5.0, 100, 64


def liquid(n_particles, seed=0):
    """Particles on a shaken lattice at the density of the Kob-Andersen mixture, 65 to 35."""
    rng = np.random.default_rng(seed)
    n_rows = int(np.ceil(np.sqrt(n_particles)))
    sites = np.stack(np.meshgrid(np.arange(n_rows), np.arange(n_rows)), axis=-1).reshape(-1, 2)
    length = n_rows / np.sqrt(DENSITY)
    positions = (sites[:n_particles] + 0.3 * rng.standard_normal((n_particles, 2))) * (
        length / n_rows
    )
    types = (rng.random(n_particles) < 0.35).astype(int)
    return Configuration(positions % length, types, [length, length])


def same_pairs(ours, theirs, name):
    """Compare sorted distances: equal ones may come in any order."""
    ours, theirs = np.sort(np.ravel(ours)), np.sort(np.ravel(theirs))
    # In single precision the last ones may or may not be within the radius.
    n = min(len(ours), len(theirs))
    if max(len(ours), len(theirs)) - n > 1e-4 * n or not np.allclose(
        ours[:n], theirs[:n], atol=1e-5
    ):
        raise SystemExit(f"{name}: the distances differ")


def same_functions(ours, theirs, name):
    # freud counts in single precision, so that a pair may stand in the next bin.
    if np.abs(ours - theirs).mean() > 1e-2:
        raise SystemExit(f"{name}: the functions differ")


def same_orders(ours, theirs, name):
    # In single precision a neighbour may be another one of nearly equal distance.
    if not np.allclose(ours, theirs, atol=1e-3):
        raise SystemExit(f"{name}: the bond orders differ")


def same_images(ours, theirs, name):
    if not np.array_equal(ours, theirs):
        raise SystemExit(f"{name}: the images differ")


def search_rows(quick):
    """Rows of the table."""
    one = liquid(400 if quick else 4320)
    n, length = one.n_particles, one.box[0]
    wrapped = one.positions % length
    flat = np.column_stack([wrapped, np.zeros(n)])
    nearest, within, functions, orders = {}, {}, {}, {}
    nearest["scipy"] = lambda: cKDTree(wrapped, boxsize=one.box).query(wrapped, K + 1)[0][:, 1:]
    try:
        import freud
    except ImportError:
        pass
    else:
        freud.parallel.set_num_threads(1)
        box, centered = freud.box.Box.square(length), flat - [length / 2, length / 2, 0]

        def found(**query):
            search = freud.locality.AABBQuery(box, centered)
            return search.query(centered, {**query, "exclude_ii": True}).toNeighborList().distances

        nearest["freud"] = lambda: found(num_neighbors=K)
        within["freud"] = lambda: found(r_max=R_PAIRS)
        functions["freud"] = lambda: freud_functions(freud, box, centered, one.types)
        orders["freud"] = lambda: freud_orders(freud, box, centered, one.types)
    try:
        import vesin
    except ImportError:
        pass
    else:
        cell, settings = np.diag([length, length, 10.0]), {"cutoff": R_PAIRS, "full_list": True}
        for name, is_sorted in (("vesin", False), ("vesin, sorted", True)):
            neighbors = vesin.NeighborList(**settings, sorted=is_sorted)
            within[name] = lambda neighbors=neighbors: neighbors.compute(
                points=flat, box=cell, periodic=[True, True, False], quantities="ijDd"
            )[3]
    rdf, order = RDFFeaturizer(R_RDF, N_BINS).fit([one]), BondOrderFeaturizer((K,)).fit([one])
    image = ImageFeaturizer(N_PIXELS, blur=0).fit([one])
    n_pairs = len(pairs_within(one, R_PAIRS).distances)
    # Two numbers of the pair, its vector and its length.
    per_pair = 8 * (2 + 2 + 1)
    size = f"N = {n}"
    return [
        {
            "name": f"{K} neighbours, {size}",
            "ours": lambda: nearest_neighbors(one, K).distances,
            "peers": nearest,
            "goal": {"scipy": 0.6},
            "check": same_pairs,
            "n_bytes": n * K * per_pair,
        },
        {
            "name": f"pairs within {R_PAIRS:g}, {size}",
            "ours": lambda: pairs_within(one, R_PAIRS).distances,
            "peers": within,
            "goal": {"vesin": 1.0, "freud": 0.25},
            "check": same_pairs,
            "n_bytes": n_pairs * per_pair,
        },
        {
            "name": f"partial RDF to {R_RDF:g}, {size}",
            "ours": lambda: rdf.transform([one])[0].reshape(3, -1),
            "peers": functions,
            "goal": {"freud": 0.3},
            "check": same_functions,
            # A square root, two multiplications and five additions for each pair, once.
            "n_operations": 8 * n * DENSITY * np.pi * R_RDF**2 / 2,
        },
        {
            "name": f"bond order psi{K}, {size}",
            "ours": lambda: order.transform([one])[0].reshape(2, -1),
            "peers": orders,
            "goal": {},
            "check": same_orders,
        },
        {
            "name": f"image of {N_PIXELS} x {N_PIXELS}, {size}",
            "ours": lambda: image.transform([one])[0],
            "peers": {"numpy histograms": lambda: histograms(wrapped, one)},
            "goal": {},
            "check": same_images,
        },
    ]


def freud_functions(freud, box, points, types):
    """The three functions, with the self pairs that freud leaves out of the count put right."""
    found = []
    for a, b in combinations_with_replacement((0, 1), 2):
        rdf = freud.density.RDF(N_BINS, R_RDF)
        query = {"r_max": R_RDF, "exclude_ii": a == b}
        rdf.compute((box, points[types == a]), points[types == b], neighbors=query)
        share = 1 - 1 / (types == a).sum() if a == b else 1
        found.append(rdf.rdf / share)
    return np.array(found)


def make_featurizers():
    """One of each kind, for the same particles."""
    return [
        RDFFeaturizer(),
        BondOrderFeaturizer(),
        GraphFeaturizer(n_neighbors=K),
        GraphFeaturizer(),
        GraphFeaturizer(r_max=R_PAIRS),
        ImageFeaturizer(),
    ]


def freud_orders(freud, box, points, types):
    """Statistics over the particles of each type."""
    query = {"num_neighbors": K, "exclude_ii": True}
    found = np.abs(freud.order.Hexatic(K).compute((box, points), neighbors=query).particle_order)
    by_type = [found[types == kind] for kind in (0, 1)]
    return np.array([[x.mean(), x.std(), *np.quantile(x, [0.1, 0.5, 0.9])] for x in by_type])


def histograms(positions, one):
    edges = [np.linspace(0, length, N_PIXELS + 1) for length in one.box]
    return np.array(
        [np.histogram2d(*positions[one.types == kind].T, bins=edges)[0] for kind in (0, 1)]
    )


def two_jobs(n_configurations, n_particles, n_repeats):
    """Ratios of the time that all featurizers take with ``n_jobs=1`` and with 2."""
    X = Configurations([liquid(n_particles, seed) for seed in range(n_configurations)])
    featurizers = make_featurizers()
    for featurizer in featurizers:
        featurizer.set_params(n_jobs=2).fit(X[:2]).transform(X[:8])
    ratios = []
    for _ in range(n_repeats):
        seconds = []
        for n_jobs in (1, 2):
            start = time.perf_counter()
            for featurizer in featurizers:
                featurizer.set_params(n_jobs=n_jobs).transform(X)
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[0] / seconds[1])
    return ratios


def scaling(sizes):
    """Seconds of each featurizer for one configuration, by number of particles."""
    featurizers = {
        "graph, 20 neighbours": GraphFeaturizer(),
        "graph, r = 2": GraphFeaturizer(r_max=R_PAIRS),
        "RDF to 2.5": RDFFeaturizer(),
        "bond order": BondOrderFeaturizer(),
        "image": ImageFeaturizer(),
    }
    times = {name: [] for name in featurizers}
    for size in sizes:
        one = [liquid(size)]
        for name, featurizer in featurizers.items():
            featurizer.fit_transform(one)
            seconds = []
            for _ in range(5):
                start = time.perf_counter()
                featurizer.transform(one)
                seconds.append(time.perf_counter() - start)
            times[name].append(np.median(seconds))
    return times
