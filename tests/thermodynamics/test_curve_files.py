"""Two-column files as people write them, and folders of them."""

import gzip

import numpy as np
import pytest

from glassclf.datasets import make_kob_andersen
from glassclf.thermodynamics import cooling_curves, read_cooling_curves

ROWS = "2.0 -3.5\n1.0 -3.6\n0.05 -3.7\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="cooling.dat"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        "# temperature energy\n" + ROWS,
        "T  E_inherent\n" + ROWS,
        "\n# made by hand\n# twice\n\n" + ROWS + "\n\n",
        ROWS.replace(" ", ","),
        "T, E\n" + ROWS.replace(" ", ", "),
        "\ufeff" + ROWS.replace(" ", ","),  # as spreadsheets write it
        ROWS.replace(" ", "\t").replace("\n", "\r\n"),
        ROWS.rstrip(),
        "2e0 -3.5e0\n1.0 -3.4\n1.0 -3.8\n5e-2 -3.7",  # a temperature twice: averaged
    ],
)
def test_two_columns_with_and_without_a_header(write, text):
    curves = read_cooling_curves(write(text))
    assert curves.temperature.tolist() == [0.05, 1.0, 2.0]
    np.testing.assert_allclose(curves.energy, [[-3.7, -3.6, -3.5]])
    assert curves.cooling_steps is None
    assert curves.runs.tolist() == ["cooling.dat"]


def test_energies_of_all_particles_are_divided(write):
    curves = read_cooling_curves(write(ROWS), n_particles=10)
    np.testing.assert_allclose(curves.energy, [[-0.37, -0.36, -0.35]])


def test_a_compressed_file(tmp_path):
    with gzip.open(tmp_path / "a-cooling.dat.gz", "wt") as file:
        file.write(ROWS)
    assert read_cooling_curves(tmp_path / "a-cooling.dat.gz").runs.tolist() == ["a"]


def test_a_folder_of_runs(write, tmp_path):
    for index, name in enumerate(("run-b", "run-a")):
        write(f"# cooling_steps 20000\n2.0 -3.5\n0.05 -3.{index}\n", f"{name}-cooling.dat")
    write("not a curve", "notes.txt")
    for path in (tmp_path, str(tmp_path), tmp_path / "*cooling.dat", sorted(tmp_path.glob("run*"))):
        curves = read_cooling_curves(path)
        assert curves.runs.tolist() == ["run-a", "run-b"]
        np.testing.assert_array_equal(curves.energy, [[-3.1, -3.5], [-3.0, -3.5]])
        assert curves.cooling_steps == 20_000


def test_files_of_one_name_in_several_folders(write, tmp_path):
    paths = [write(ROWS, f"{folder}/cooling.dat") for folder in ("a", "b")]
    curves = read_cooling_curves(tmp_path / "*/cooling.dat")
    assert curves.runs.tolist() == [str(path) for path in paths]
    # A file that is named twice is still one run.
    assert len(read_cooling_curves([paths[0], paths[1], paths[0]])) == 2


def test_rates_are_not_mixed(write, tmp_path):
    for steps in (20_000, 200_000):
        write(f"# cooling_steps {steps}\n{ROWS}", f"c{steps}-cooling.dat")
    with pytest.raises(
        ValueError, match=r"mix cooling rates, cooling_steps=\[20000, 200000\]: cho"
    ):
        read_cooling_curves(tmp_path)
    curves = read_cooling_curves(tmp_path, cooling_steps=200_000)
    assert curves.runs.tolist() == ["c200000"]
    assert curves.cooling_steps == 200_000
    # A file that tells no rate has that of the call.
    write(ROWS, "own-cooling.dat")
    assert read_cooling_curves(tmp_path, cooling_steps=20_000).runs.tolist() == ["c20000", "own"]
    (tmp_path / "own-cooling.dat").unlink()
    with pytest.raises(ValueError, match="cooling_steps=5: no file of .* is of this rate"):
        read_cooling_curves(tmp_path, cooling_steps=5)


@pytest.mark.parametrize("header", ["T E\n# cooling_steps 20000\n", "\n  #cooling_steps 20000 \n"])
def test_rate_stands_anywhere_in_the_header(write, header):
    assert read_cooling_curves(write(header + ROWS)).cooling_steps == 20_000


def test_runs_of_other_temperatures_are_averaged_in_bins(write, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        rows = [f"{t} {t**2 - 4}" for t in rng.uniform(0.05, 2, 4000)]
        write("\n".join(rows), f"{name}-cooling.dat")
    with pytest.raises(
        ValueError, match=r"b-cooling.dat has other temperatures \(4000 from .*n_bi"
    ):
        read_cooling_curves(tmp_path)
    curves = read_cooling_curves(tmp_path, n_bins=20)
    assert curves.energy.shape == (2, 20)
    expected = np.tile(curves.temperature**2 - 4, (2, 1))
    np.testing.assert_allclose(curves.energy, expected, atol=0.03)
    with pytest.raises(ValueError, match="n_bins=100000 are too many"):
        read_cooling_curves(tmp_path, n_bins=100_000)
    write("5 1\n6 1\n", "c-cooling.dat")
    with pytest.raises(ValueError, match="the runs have no range of temperatures in common"):
        read_cooling_curves(tmp_path, n_bins=2)


def test_bins_hold_the_temperatures_at_their_ends(write, tmp_path):
    write("0.5 9\n1 0\n1.5 1\n2.5 2\n3 3\n", "a-cooling.dat")
    write("1 0\n2 4\n3 6\n4 9\n", "b-cooling.dat")
    curves = read_cooling_curves(tmp_path, n_bins=2)
    # From 1 to 3, which both reach; 2 belongs to the upper bin.
    assert curves.temperature.tolist() == [1.5, 2.5]
    assert curves.energy.tolist() == [[0.5, 2.5], [0.0, 5.0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty: expected two columns, temperature and energy"),
        ("# only a header\n", "is empty"),
        ("2.0 -3.5\n1.0\n", "line 2: expected 2 columns, got 1: '1.0'"),
        ("# h\n2.0 -3.5 7\n", "line 2: expected 2 columns, got 3"),
        ("2.0 -3.5\n1.0 x\n", "line 2: expected a finite number, got 'x'"),
        ("2.0 -3.5\n1.0 nan\n", "line 2: expected a finite number, got 'nan'"),
        ("T E\nK eV\n2 3\n", "line 2: expected a finite number, got 'K'"),
        ("2.0 -3.5\n# stop\n1.0 -3.6\n", "line 2: expected a finite number, got '#'"),
    ],
)
def test_garbled_files_are_named_with_the_line(write, text, words):
    path = write(text)
    with pytest.raises(ValueError, match=words) as caught:
        read_cooling_curves(path)
    assert str(path) in str(caught.value)


def test_bad_paths_and_numbers(write, tmp_path):
    path = write(ROWS)
    for name in ("n_bins", "n_particles"):
        with pytest.raises(ValueError, match=f"{name} must be None or an integer of at least 1, g"):
            read_cooling_curves(path, **{name: 0})
    with pytest.raises(FileNotFoundError, match="nothing.dat: no such file"):
        read_cooling_curves(tmp_path / "nothing.dat")
    with pytest.raises(FileNotFoundError, match="no file matches"):
        read_cooling_curves(tmp_path / "*.csv")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match="holds no file that ends in cooling.dat"):
        read_cooling_curves(empty)
    with pytest.raises(ValueError, match="is a folder: name its files, or pass it alone"):
        read_cooling_curves([path, empty])
    (tmp_path / "binary.dat").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="binary.dat is not a text file"):
        read_cooling_curves(tmp_path / "binary.dat")


@pytest.mark.filterwarnings("ignore:. of . runs left their set temperature")
def test_curves_that_a_generation_writes(tmp_path):
    settings = {"n_particles": 60, "temperatures": (1.0, 0.05), "random_state": 0, "verbose": 0}
    data = make_kob_andersen(2, cooling_steps=500, curve_points=5, directory=tmp_path, **settings)
    curves = read_cooling_curves(tmp_path)
    assert curves.cooling_steps == 500
    assert curves.runs.tolist() == sorted(set(data.info["run"].tolist()))
    np.testing.assert_allclose(curves.temperature, np.linspace(0.05, 2, 5))
    # The last point of a curve is the last snapshot, quenched.
    snapshots = cooling_curves(data)
    np.testing.assert_allclose(curves.energy[:, 0], snapshots.energy[:, 0], atol=1e-6)
