"""GSD files."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, read_configurations, write_configurations

hoomd = pytest.importorskip("gsd.hoomd")


def write_frames(path, *frames):
    with hoomd.open(str(path), mode="w") as file:
        file.extend(frames)


def make_frame(box=(4.0, 6.0, 8.0, 0.5, 0.0, -0.25), n_particles=2):
    frame = hoomd.Frame()
    frame.configuration.box = box
    frame.configuration.step = 5
    frame.particles.N = n_particles
    frame.particles.types = ["A", "B"]
    frame.particles.typeid = [1, 0][:n_particles]
    frame.particles.position = np.zeros((n_particles, 3))
    return frame


def test_boxes_of_hoomd(tmp_path):
    frame = make_frame()
    frame.log["md/energy"] = [-2.5]
    frame.log["particles/energy"] = [1.0, 2.0]
    write_frames(tmp_path / "a.gsd", frame)
    X = read_configurations(tmp_path / "a.gsd")
    assert X.cells[0].tolist() == [[4, 0, 0], [3, 6, 0], [0, -2, 8]]
    assert X.positions.tolist() == [[3.5, 2.0, 4.0]] * 2
    assert X.info["origin"].tolist() == [[-3.5, -2.0, -4.0]]
    assert X.types.tolist() == [1, 0]
    assert X.info["timestep"].tolist() == [5]
    assert X.info["md/energy"].tolist() == [-2.5]
    assert "particles/energy" not in X.info


def test_a_box_without_height_is_two_dimensional(tmp_path):
    write_frames(tmp_path / "a.gsd", make_frame((4.0, 6.0, 0.0, 0.5, 0.0, 0.0)))
    X = read_configurations(tmp_path / "a.gsd")
    assert X.cells[0].tolist() == [[4, 0], [3, 6]]
    assert X.positions.tolist() == [[3.5, 3.0]] * 2


def test_errors_name_file_and_frame(tmp_path):
    path = tmp_path / "a.gsd"
    write_frames(path, make_frame(), make_frame(n_particles=0))
    with pytest.raises(ValueError, match=r"a\.gsd, frame 1: the frame has no particles"):
        read_configurations(path)
    write_frames(path, make_frame((4.0, 0.0, 1.0, 0, 0, 0)))
    with pytest.raises(ValueError, match=r"a\.gsd, frame 0: box lengths must be positive"):
        read_configurations(path)
    write_frames(path)
    with pytest.raises(ValueError, match=r"a\.gsd is empty: it has no frames"):
        read_configurations(path)


def test_a_foreign_or_truncated_file_is_named(tmp_path):
    path = tmp_path / "a.gsd"
    path.write_bytes(b"ITEMS of something else" * 100)
    with pytest.raises(ValueError, match=r"a\.gsd is not a GSD file, or it is damaged"):
        read_configurations(path)
    write_frames(path, make_frame())
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"a\.gsd is not a GSD file, or it is damaged"):
        read_configurations(path)


def test_what_the_format_cannot_hold_is_refused(tmp_path):
    good = Configuration([[0.5, 0.5]], [0], [1.0, 1.0])
    open_box = Configuration([[0.5, 0.5]], [0], [1.0, 1.0], periodic=[True, False])
    with pytest.raises(ValueError, match="configuration 1: boxes of GSD files repeat in all"):
        write_configurations(tmp_path / "a.gsd", [good, open_box])
    rotated = Configuration([[0.5, 0.5]], [0], [[1.0, 0.1], [0.0, 1.0]])
    with pytest.raises(ValueError, match="configuration 0: GSD needs the lattice vectors as a"):
        write_configurations(tmp_path / "a.gsd", [rotated])
    assert list(tmp_path.iterdir()) == []


def test_many_types_have_names(tmp_path):
    X = [Configuration([[0.5, 0.5], [0.1, 0.1]], [0, 30], [1.0, 1.0])]
    write_configurations(tmp_path / "a.gsd", X)
    assert read_configurations(tmp_path / "a.gsd").types.tolist() == [0, 30]
