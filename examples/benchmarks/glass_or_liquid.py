"""Score the default parameters on Kob-Andersen runs that are in no repository.

    python examples/benchmarks/glass_or_liquid.py --directory runs --n-jobs 2

makes 48 runs in ``runs`` (10 minutes on 2 cores; a stopped call continues), then cross-validates
the RDF baseline and both networks with default parameters, whole runs held out, each network with
three seeds. It prints mean and spread, the time of one fit, and the machine.
"""

import argparse
import os
import platform
import time

import joblib
import numpy as np
import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from glassclf.datasets import make_kob_andersen, select_pair
from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, RDFFeaturizer

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
SMALL = {"n_particles": 200, "cooling_steps": 2000, "temperatures": (1.0, 0.635, 0.479, 0.05)}
EPOCHS = {"max_epochs": 1} if QUICK else {}

BASELINE = make_pipeline(RDFFeaturizer(), StandardScaler(), LogisticRegression(max_iter=1000))
CNN = make_pipeline(ImageFeaturizer(n_pixels=128), CNNClassifier(**EPOCHS))
MPNN = make_pipeline(GraphFeaturizer(), MPNNClassifier(**EPOCHS))

# Method, state, temperatures of the liquid.
TASKS = [
    ("RDF + LR", BASELINE, "thermal", (1.0, 0.635, 0.479)),
    ("RDF + LR", BASELINE, "inherent", (1.0, 0.635, 0.479)),
    ("MPNN", MPNN, "inherent", (0.635, 0.479)),
    ("CNN", CNN, "thermal", (0.635,)),
    ("CNN", CNN, "inherent", (1.0, 0.635)),
]


def evaluate(method, data, state, liquid, seed, n_jobs):
    """AUC of each fold and seconds of each fit."""
    X, y, run = select_pair(data, liquid=liquid, state=state)
    last = method.steps[-1][0]
    if f"{last}__random_state" in method.get_params():
        method.set_params(**{f"{last}__random_state": seed})
    scores = cross_validate(
        method, X, y, groups=run, cv=GroupKFold(4), scoring="roc_auc", n_jobs=n_jobs
    )
    return scores["test_score"], scores["fit_time"]


def main(directory, n_runs, random_state, n_seeds, n_jobs):
    protocol = SMALL if QUICK else {}
    data = make_kob_andersen(
        n_runs, random_state=random_state, directory=directory, n_jobs=n_jobs, **protocol
    )
    rows = [
        (name, method, state, liquid)
        for name, method, state, liquids in TASKS
        for liquid in liquids
    ]
    lines = []
    for name, method, state, liquid in tqdm(rows, desc="scoring"):
        seeds = range(1 if name == "RDF + LR" else n_seeds)
        results = [evaluate(method, data, state, liquid, seed, n_jobs) for seed in seeds]
        auc = np.array([scores for scores, _ in results])
        seconds = np.mean([times for _, times in results])
        spread = f"{auc.mean(axis=1).std():.3f}" if len(auc) > 1 else "-"
        lines.append(
            f"{name:9} {state:9} {liquid:<7} {auc.mean():.3f}   "
            f"{auc.std(axis=1).mean():.3f}          {spread:5}          {seconds:6.1f}"
        )
    print(f"\n{n_runs} runs, random_state={random_state}, GroupKFold(4), {n_seeds} network seeds")
    print("method    state     liquid  AUC     over folds     over seeds     seconds of a fit")
    print("\n".join(lines))
    print(
        f"\n{platform.processor() or platform.machine()}, {joblib.cpu_count()} cores, "
        f"n_jobs={n_jobs}; Python {platform.python_version()}, numpy {np.__version__}, "
        f"scikit-learn {sklearn.__version__}, torch {torch.__version__}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", required=True, help="where the runs are kept")
    parser.add_argument("--n-runs", type=int, default=8 if QUICK else 48)
    parser.add_argument("--random-state", type=int, default=7)
    parser.add_argument("--n-seeds", type=int, default=1 if QUICK else 3)
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    main(**vars(options))
    print(f"{time.perf_counter() - started:.0f} s in all")
