"""Reading and writing through the public functions: every format, and many files at once."""

import gzip
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.configurations import (
    Configuration,
    Configurations,
    is_rectangular,
    read_configurations,
    write_configurations,
)

needs_ase = pytest.mark.skipif(find_spec("ase") is None, reason="ase is not installed")
needs_gsd = pytest.mark.skipif(find_spec("gsd") is None, reason="gsd is not installed")
LOSSLESS = [
    "set.safetensors",
    "set.dump",
    "set.lammpstrj.gz",
    pytest.param("set.extxyz", marks=needs_ase),
    pytest.param("set.xyz.gz", marks=needs_ase),
]


@st.composite
def sets(draw, open_directions=True):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_dims = draw(st.sampled_from([2, 3]))
    items = []
    for index in range(draw(st.integers(1, 3))):
        cell = np.diag(rng.uniform(0.5, 30.0, n_dims))
        if draw(st.booleans()):
            cell += np.tril(rng.uniform(-0.5, 0.5, (n_dims, n_dims)) * np.diag(cell), -1)
        n_particles = int(rng.integers(2, 6))
        info = {
            "timestep": index * 100,
            "origin": rng.uniform(-3, 3, n_dims),
            "temperature": draw(st.floats(allow_nan=False)),
            "frozen": draw(st.booleans()),
            "run": draw(st.text(max_size=8)),
        }
        items.append(
            Configuration(
                rng.uniform(-1, 2, (n_particles, n_dims)) @ cell,
                rng.integers(0, 4, n_particles),
                cell,
                rng.random(n_dims) < 0.5 if open_directions else True,
                info,
            )
        )
    return Configurations(items)


def assert_same_structure(back, X, atol=1e-12):
    assert back.n_dims == X.n_dims
    assert back.offsets.tolist() == X.offsets.tolist()
    np.testing.assert_array_equal(back.types, X.types)
    np.testing.assert_allclose(back.positions, X.positions, rtol=0, atol=100 * atol)
    np.testing.assert_allclose(back.cells, X.cells, rtol=0, atol=100 * atol)
    np.testing.assert_array_equal(back.periodic, X.periodic)
    np.testing.assert_allclose(back.info["origin"], X.info["origin"], rtol=0, atol=100 * atol)
    assert back.info["timestep"].tolist() == X.info["timestep"].tolist()


@pytest.mark.parametrize("name", LOSSLESS)
@settings(max_examples=40, deadline=None)
@given(X=sets())
def test_what_is_written_is_read_back(tmp_path_factory, name, X):
    path = tmp_path_factory.mktemp("files") / name
    write_configurations(path, X)
    back = read_configurations(path)
    assert_same_structure(back, X)
    if "dump" not in name and "lammpstrj" not in name:
        assert back.info["temperature"].tolist() == X.info["temperature"].tolist()
        assert back.info["frozen"].tolist() == X.info["frozen"].tolist()
        assert back.info["run"].tolist() == X.info["run"].tolist()


@needs_gsd
@settings(max_examples=30, deadline=None)
@given(X=sets(open_directions=False))
def test_gsd_keeps_single_precision_and_numbers(tmp_path_factory, X):
    for configuration in range(len(X)):
        X.info["origin"][configuration] = -0.5 * X.cells[configuration].sum(axis=0)
    path = tmp_path_factory.mktemp("files") / "set.gsd"
    write_configurations(path, X)
    back = read_configurations(path)
    assert_same_structure(back, X, atol=1e-7)
    assert back.info["temperature"].tolist() == X.info["temperature"].tolist()
    assert back.info["frozen"].tolist() == X.info["frozen"].tolist()


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_rotated_cell_is_kept(tmp_path, name):
    cell = np.array([[3.0, 4.0], [-4.0, 3.0]])
    X = Configurations([Configuration([[0.5, 1.5], [0.1, 2.0]], [0, 1], cell)])
    write_configurations(tmp_path / name, X)
    back = read_configurations(tmp_path / name)
    np.testing.assert_allclose(back.cells[0], cell)
    np.testing.assert_allclose(back.positions, X.positions)
    assert not is_rectangular(back[0].cell)


@pytest.mark.parametrize("name", LOSSLESS)
def test_writing_replaces_a_file_in_one_step(tmp_path, name):
    X = Configurations([Configuration([[0.5, 1.5]], [0], [2.0, 2.0])])
    path = tmp_path / name
    path.write_bytes(b"old")
    write_configurations(path, X)
    assert len(read_configurations(path)) == 1
    before = path.read_bytes()
    X.info["bad"] = np.array([{}], dtype=object)
    if "dump" not in name and "lammpstrj" not in name:
        with pytest.raises(ValueError, match=r"info\['bad'\]"):
            write_configurations(path, X)
    with pytest.raises(TypeError, match="X must be"):
        write_configurations(path, X[0])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [name]


TRIPLE = ([[0.5, 0.5]], [0], [2.0, 2.0])


def write_one(path, shift):
    write_configurations(path, [([[0.5, 0.5 + shift], [0.1, 0.2]], [0, 1], [2.0, 2.0])])


def test_a_pattern_reads_its_files_in_sorted_order(tmp_path):
    for number in (2, 0, 1):
        write_one(tmp_path / f"run{number}.dump", number / 10)
    X = read_configurations(str(tmp_path / "*.dump"))
    assert X.positions[::2, 1].tolist() == pytest.approx([0.5, 0.6, 0.7])
    assert X.info["file"].tolist() == [str(tmp_path / f"run{number}.dump") for number in range(3)]


@needs_ase
@needs_gsd
def test_a_list_keeps_its_order_and_mixes_formats_and_patterns(tmp_path):
    for number, name in enumerate(["b.dump", "a.xyz", "d.gsd", "c.safetensors"]):
        write_one(tmp_path / name, number / 10)
    paths = [tmp_path / "d.gsd", str(tmp_path / "[ab].*"), str(tmp_path / "c.safetensors")]
    X = read_configurations(paths)
    assert X.positions[::2, 1].tolist() == pytest.approx([0.7, 0.6, 0.5, 0.8])
    assert [name[-5:] for name in X.info["file"]] == ["d.gsd", "a.xyz", ".dump", "nsors"][:4]


def test_a_file_with_brackets_in_its_name_is_one_file(tmp_path):
    write_one(tmp_path / "run[1].dump", 0)
    X = read_configurations(str(tmp_path / "run[1].dump"))
    assert len(X) == 1
    assert "file" not in X.info


def test_a_dump_is_recognised_by_its_content(tmp_path):
    write_one(tmp_path / "one.dump", 0)
    content = (tmp_path / "one.dump").read_bytes()
    for name in ("dump.txt", "dump.100", "noending"):
        (tmp_path / name).write_bytes(content)
        assert len(read_configurations(tmp_path / name)) == 1
    (tmp_path / "dump.200").write_bytes(gzip.compress(content))
    assert len(read_configurations(tmp_path / "dump.200")) == 1


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.dump: no such file"):
        read_configurations(tmp_path / "gone.dump")
    with pytest.raises(FileNotFoundError, match=r"no file matches '.*\*\.dump'"):
        read_configurations(str(tmp_path / "*.dump"))
    with pytest.raises(ValueError, match="path is an empty list"):
        read_configurations([])
    with pytest.raises(ValueError, match=r"is a folder: pass a pattern, such as .*\*\.dump"):
        read_configurations(tmp_path)


@pytest.mark.parametrize("name", ["loading.dump", "loading.xyz", "loading.gsd", "loading"])
def test_an_empty_file_among_many_is_named(tmp_path, name):
    write_one(tmp_path / "good.dump", 0)
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=rf"{name} is empty"):
        read_configurations(str(tmp_path / "*"))


@pytest.mark.parametrize("name", ["extxyz", "xyz", "lammps-dump", "table"])
def test_an_empty_file_of_a_named_format_is_named(tmp_path, name):
    (tmp_path / "loading").touch()
    with pytest.raises(ValueError, match=r"loading is empty$"):
        read_configurations(tmp_path / "loading", format=name)


def test_a_foreign_file_among_many_is_named(tmp_path):
    write_one(tmp_path / "good.dump", 0)
    (tmp_path / "notes.md").write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.md is of no known format.*format="):
        read_configurations(str(tmp_path / "*"))
    (tmp_path / "notes.md").unlink()
    (tmp_path / "other.dump").write_text("hello\n")
    with pytest.raises(ValueError, match=r"other\.dump, line 1: expected 'ITEM: TIMESTEP'"):
        read_configurations(str(tmp_path / "*"))


def test_a_damaged_compressed_file_is_named(tmp_path):
    write_one(tmp_path / "one.dump.gz", 0)
    content = (tmp_path / "one.dump.gz").read_bytes()
    for length in (11, len(content) - 9):
        (tmp_path / "one.dump.gz").write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"one\.dump\.gz: the compressed data are truncated"):
            read_configurations(tmp_path / "one.dump.gz")
    (tmp_path / "one.dump.gz").write_bytes(content[:40] + b"garbage!" + content[48:])
    with pytest.raises(ValueError, match=r"one\.dump\.gz: the compressed data"):
        read_configurations(tmp_path / "one.dump.gz")


def test_binary_content_is_named(tmp_path):
    (tmp_path / "one.xyz").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ValueError, match=r"one\.xyz is not a text file"):
        read_configurations(tmp_path / "one.xyz")


def test_two_and_three_dimensions_do_not_mix(tmp_path):
    write_one(tmp_path / "a.dump", 0)
    flatless = [([[0.5, 0.5, 0.1], [0.1, 0.2, 0.4]], [0, 1], [2.0, 2.0, 2.0])]
    write_configurations(tmp_path / "b.dump", flatless)
    with pytest.raises(ValueError, match=r"a\.dump is 2D and .*b\.dump is 3D"):
        read_configurations(str(tmp_path / "*.dump"))


@pytest.mark.parametrize("path", [3, None, 1.5, b"a.dump", {"a.dump": 1}, True])
def test_what_is_no_path_is_refused(path):
    message = f"path must be a str, a path-like or a list of these, got {type(path).__name__}"
    for wrong in (path, [path]):
        with pytest.raises(TypeError, match=message):
            read_configurations(wrong)
    with pytest.raises(TypeError, match="path must be a str or a path-like"):
        write_configurations(path, [TRIPLE])


def test_an_open_file_is_refused(tmp_path):
    write_one(tmp_path / "a.dump", 0)
    with open(tmp_path / "a.dump") as file:
        with pytest.raises(TypeError, match=r"path must be a str, .* got TextIOWrapper"):
            read_configurations(file)


def test_paths_may_come_from_a_generator_or_an_array(tmp_path):
    for number in range(2):
        write_one(tmp_path / f"{number}.dump", 0)
    assert len(read_configurations(tmp_path / f"{number}.dump" for number in range(2))) == 2
    names = np.array([str(tmp_path / "0.dump"), str(tmp_path / "1.dump")])
    assert len(read_configurations(names)) == 2


def test_swapped_arguments_are_named(tmp_path):
    X = Configurations([Configuration(*TRIPLE)])
    for wrong in (X, [TRIPLE]):
        with pytest.raises(TypeError, match=r"path must .*: write_configurations\(path, X\)"):
            write_configurations(wrong, tmp_path / "a.dump")


@pytest.mark.parametrize("name", LOSSLESS)
def test_nothing_is_not_written(tmp_path, name):
    X = Configurations([Configuration(*TRIPLE)])
    with pytest.raises(ValueError, match="X has no configurations to write to .*set"):
        write_configurations(tmp_path / name, X[:0])
    assert not list(tmp_path.iterdir())


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    write_one("~/a.dump", 0)
    assert len(read_configurations("~/a.dump")) == 1
    assert read_configurations("~/*.dump").info["file"].tolist() == [str(tmp_path / "a.dump")]
    X = read_configurations("~/a.dump")
    X.save("~/a.safetensors")
    assert len(Configurations.open("~/a.safetensors")) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.dump", "a.safetensors"]


def test_formats_are_checked(tmp_path):
    with pytest.raises(ValueError, match="format must be None or one of .*'extxyz'.*got 'pdb'"):
        read_configurations(tmp_path / "a", format="pdb")
    with pytest.raises(ValueError, match="format must be None or one of .* got 'table'"):
        write_configurations(tmp_path / "a", [], format="table")
    with pytest.raises(ValueError, match=r"a\.txt: no format goes with this ending: use one of"):
        write_one(tmp_path / "a.txt", 0)
    write_configurations(tmp_path / "a.txt", [TRIPLE], format="lammps-dump")
    assert len(read_configurations(tmp_path / "a.txt", format="lammps-dump")) == 1


@needs_ase
@needs_gsd
def test_a_box_is_refused_where_the_file_has_one(tmp_path):
    for name in ("a.dump", "a.xyz", "a.gsd", "a.safetensors"):
        write_one(tmp_path / name, 0)
        with pytest.raises(ValueError, match=rf"{name}.* its own box: leave box= out"):
            read_configurations(tmp_path / name, box=[2.0, 2.0])


@pytest.mark.parametrize(
    ("name", "module", "message"),
    [
        ("a.gsd", "gsd.hoomd", "GSD files needs gsd"),
        ("a.xyz", "ase.io.extxyz", "extended XYZ files needs ase"),
    ],
)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, name, module, message):
    monkeypatch.setitem(sys.modules, module, None)
    install = r': pip install "glassclf\[io\]"'
    with pytest.raises(ImportError, match="writing " + message + install):
        write_configurations(tmp_path / name, [TRIPLE])
    (tmp_path / name).write_text('1\nLattice="1 0 0 0 1 0 0 0 1"\nA 0 0 0\n')
    with pytest.raises(ImportError, match="reading " + message + install):
        read_configurations(tmp_path / name)


def test_chemical_symbols_need_ase(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ase.data", None)
    (tmp_path / "a.txt").write_text("Si 0 0\n")
    with pytest.raises(ImportError, match="reading chemical symbols needs ase"):
        read_configurations(tmp_path / "a.txt", box=[1.0, 1.0])
