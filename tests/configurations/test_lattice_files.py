"""HDF5 files of lattice snapshots, as other people's programs write them."""

import numpy as np
import pytest

from glassclf.configurations import read_lattices

h5py = pytest.importorskip("h5py")

FRAME = np.array([[0, 1, 0], [2, 0, 3], [0, 4, 0]], dtype=np.int32)


def write(path, datasets):
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file.create_dataset(name, data=values)
    return path


def test_frames_and_their_copies_share_a_run(tmp_path):
    rolled = np.roll(FRAME, (1, 2), axis=(0, 1))
    frames = {"conf_64": FRAME, "conf_0_1": rolled, "conf_0": FRAME, "conf_128_0": FRAME}
    write(tmp_path / "dataset_tumble_0.016_0.25.h5", frames)
    write(tmp_path / "dataset_tumble_0.060_0.3.h5", {"conf_0": FRAME, "other": [1, 2]})
    X = read_lattices(tmp_path / "dataset_*.h5")
    assert X.info["iteration"].tolist() == [0, 0, 64, 128, 0]
    assert X.info["roll"].tolist() == [0, 1, 0, 0, 0]
    assert X.info["run"].tolist() == ["dataset_tumble_0.016_0.25"] * 4 + [
        "dataset_tumble_0.060_0.3"
    ]
    # 0.016 is 2 ** -6, and 0.06 none of the usual ones.
    assert X.info["tumbling_rate"].tolist() == [0.015625] * 4 + [0.06]
    assert X.info["density"].tolist() == [0.25] * 4 + [0.3]
    # Up, right, down, left become -0, +1, +0, -1.
    assert X[0].tolist() == [[0, 3, 0], [2, 0, 1], [0, 4, 0]]
    assert np.array_equal(X[1], np.roll(X[0], (1, 2), axis=(0, 1)))


@pytest.mark.parametrize(
    ("name", "rate", "density"),
    [
        ("dataset_tumble_0.034_0.15_1000.h5", 2 ** (-6 + 10 / 9), 0.15),
        ("dataset_tumble_-1.0000.h5", 0.1, 4 / 9),
        ("dataset_tumble_0.500_0.05.h5", 0.5, 0.05),
        ("dataset_tumble_0.023_.5.h5", 2 ** (-6 + 5 / 9), 0.5),
    ],
)
def test_names_tell_rate_and_density(tmp_path, name, rate, density):
    X = read_lattices(str(write(tmp_path / name, {"conf_0": FRAME})))
    assert X.info["tumbling_rate"][0] == pytest.approx(rate)
    assert X.info["density"][0] == pytest.approx(density)


def test_names_are_taken_by_the_word_on_request(tmp_path):
    path = write(tmp_path / "dataset_tumble_0.016_0.25.h5", {"conf_0": FRAME})
    assert read_lattices([path], rates=None).info["tumbling_rate"].tolist() == [0.016]


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.h5: there is no such file"):
        read_lattices(tmp_path / "nothing.h5")
    with pytest.raises(FileNotFoundError, match="names no file"):
        read_lattices([])
    (tmp_path / "dataset_tumble_0.1_0.2.h5").write_bytes(b"none")
    with pytest.raises(ValueError, match="0.1_0.2.h5 is no HDF5 file, or it is damaged"):
        read_lattices(tmp_path / "dataset_tumble_0.1_0.2.h5")
    cases = [
        ("tumble_0.2_0.2.h5", {"frame": FRAME}, "holds no datasets conf_<iteration>"),
        (
            "tumble_0.3_0.2.h5",
            {"conf_0": FRAME * 2},
            "0.3_0.2.h5, conf_0: sites must be 0",
        ),
        ("tumble_0.4_0.2.h5", {"conf_0": FRAME, "conf_1": FRAME[:2]}, "0.4_0.2.h5: all"),
        ("tumble_0.6_0.2.h5", {"conf_0": FRAME[0]}, "0.6_0.2.h5, conf_0: expected a lattice"),
        ("rate_0.5.h5", {"conf_0": FRAME}, "its name tells no tumbling rate"),
        ("tumble_1.5_0.2.h5", {"conf_0": FRAME}, r"tells the tumbling rate 1.5, not in \(0, 1\]"),
    ]
    for name, datasets, words in cases:
        with pytest.raises(ValueError, match=words):
            read_lattices(write(tmp_path / name, datasets))


def test_files_of_one_name_in_several_folders_are_several_runs(tmp_path):
    name, paths = "dataset_tumble_0.016_0.25.h5", []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        paths.append(write(tmp_path / folder / name, {"conf_0": FRAME}))
    first, second = read_lattices(tmp_path / "*" / name).info["run"]
    assert first != second
    assert first.endswith("first/dataset_tumble_0.016_0.25")
    with pytest.raises(ValueError, match="0.25.h5 is given twice"):
        read_lattices([*paths, tmp_path / "first" / ".." / "first" / name])
    write(paths[1], {"conf_0": FRAME[:2]})
    with pytest.raises(ValueError, match=r"\(3, 3\) in .*first.*\(2, 3\) in .*second"):
        read_lattices(paths)
    with pytest.raises(TypeError, match="path must be a path or a list of paths, got 5"):
        read_lattices(5)
