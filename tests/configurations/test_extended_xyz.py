"""Extended and plain XYZ files."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, read_configurations, write_configurations

pytest.importorskip("ase")

LATTICE = 'Lattice="4 0 0 0 5 0 0 0 6"'


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        (tmp_path / "test.xyz").write_text(text)
        return read_configurations(tmp_path / "test.xyz", **options)

    return read


def frame(comment, *rows):
    return "\n".join([str(len(rows)), comment, *rows]) + "\n"


def test_species_are_atomic_numbers_letters_or_integers(read):
    two = f"{LATTICE} Properties=species:S:1:pos:R:3"
    assert read(frame(two, "Si 0 0 0", "O 1 1 1")).types.tolist() == [14, 8]
    assert read(frame(two, "B 0 0 0", "A 1 1 1")).types.tolist() == [1, 0]
    assert read(frame(two, "2 0 0 0", "0 1 1 1")).types.tolist() == [2, 0]
    typed = f"{LATTICE} Properties=species:S:1:pos:R:3:types:I:1:mass:R:1"
    assert read(frame(typed, "H 0 0 0 7 1.5", "H 1 1 1 3 1.5")).types.tolist() == [7, 3]


def test_a_column_called_type_is_honoured_where_it_holds_integers(read):
    first = f"{LATTICE} Properties=pos:R:3:type:I:1"
    assert read(frame(first, "0 0 0 2", "1 1 1 0")).types.tolist() == [2, 0]
    both = f"{LATTICE} Properties=species:S:1:pos:R:3:type:I:1"
    assert read(frame(both, "X 0 0 0 0", "X 1 1 1 1")).types.tolist() == [0, 1]
    all_three = f"{LATTICE} Properties=species:S:1:type:I:1:pos:R:3:types:I:1"
    assert read(frame(all_three, "X 5 0 0 0 0", "X 6 1 1 1 1")).types.tolist() == [0, 1]
    for kind, word in (("S:1", "x"), ("R:1", "1.5"), ("I:2", "1 2")):
        other = f"{LATTICE} Properties=species:S:1:pos:R:3:type:{kind}"
        assert read(frame(other, f"Si 0 0 0 {word}", f"O 1 1 1 {word}")).types.tolist() == [14, 8]
    with pytest.raises(ValueError, match="needs pos with 2 or 3 columns, and species, types or ty"):
        read(frame(f"{LATTICE} Properties=pos:R:3:type:S:1", "0 0 0 x", "1 1 1 x"))


def test_lattice_rows_are_vectors_and_pbc_is_kept(read):
    X = read(frame('Lattice="4 0 0 1 5 0 2 3 6" pbc="T F T"', "A 0 0 0", "A 1 1 1"))
    assert X.cells[0].tolist() == [[4, 0, 0], [1, 5, 0], [2, 3, 6]]
    assert X.periodic[0].tolist() == [True, False, True]


def test_origin_moves_to_zero(read):
    X = read(frame(f'{LATTICE} Origin="-2 -2.5 -3"', "A -2 -2.5 -3", "A 1 1 1"))
    assert X.positions.tolist() == [[0, 0, 0], [3, 3.5, 4]]
    assert X.info["origin"].tolist() == [[-2, -2.5, -3]]


def test_comment_keys_are_info(read):
    rows = ("A 0 0 0", "A 1 1 1")
    text = (
        'T=0.5 run="a b" n=3 ok=T vector="1 2 3" flags="T F" table="_JSON [[1, 2]]" d=\'_JSON {}\''
    )
    X = read(frame(f"{LATTICE} {text}", *rows))
    assert {name: values[0].tolist() for name, values in X.info.items()} == {
        "T": 0.5,
        "run": "a b",
        "n": 3,
        "ok": True,
        "vector": [1, 2, 3],
        "flags": [True, False],
        "table": [[1, 2]],
    }


@pytest.mark.parametrize(
    ("comment", "rows", "n_dims"),
    [
        (f'{LATTICE} pbc="T T F"', ("A 0 0 1", "A 1 1 1"), 2),
        (f'{LATTICE} pbc="T T T"', ("A 0 0 1", "A 1 1 1"), 3),
        ('Lattice="4 0 0 0 5 0 0 0 1"', ("A 0 0 1", "A 1 1 1"), 2),
        (f"{LATTICE} Properties=species:S:1:pos:R:2", ("A 0 1", "A 1 1"), 2),
        (f'{LATTICE} pbc="T T F"', ("A 0 0 1", "A 1 1 2"), 3),
    ],
)
def test_which_files_are_two_dimensional(read, comment, rows, n_dims):
    assert read(frame(comment, *rows)).n_dims == n_dims


def test_plain_files_take_the_box_that_is_given(read):
    text = frame("step 1", "1 0 0 0", "2 1 1 0") + frame("", "1 0.5 0 0") + "\n"
    X = read(text, box=[4.0, 5.0], periodic=[True, False])
    assert X.n_particles.tolist() == [2, 1]
    assert X.types.tolist() == [1, 2, 1]
    assert X.cells[1].tolist() == [[4, 0], [0, 5]]
    assert X.periodic.tolist() == [[True, False]] * 2
    assert read(frame("", "1 0 0"), box=[4.0, 5.0]).positions.tolist() == [[0, 0]]
    assert read(frame("", "1 0 0 0"), box=[4.0, 5.0, 6.0]).n_dims == 3


GOOD = frame(f"{LATTICE} Properties=species:S:1:pos:R:3", "A 0 0 0", "A 1 1 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("A 1 1 1\n", ""), "line 3: the file is truncated, rows up to line 4"),
        (GOOD + "2\n", "line 5: the file is truncated"),
        (GOOD + "two\n", "line 5: expected an integer, got 'two'"),
        (GOOD + "two words\n", "line 5: expected 1 columns, got 2"),
        ("0\n\n", "line 1: the frame has no particles"),
        (GOOD.replace("1 1 1", "1 1 x"), "line 4: expected a finite number, got 'x'"),
        (GOOD.replace("1 1 1", "1 1"), "line 4: expected 4 columns, got 3"),
        (GOOD.replace("A 1", "Qq 1").replace("A 0", "H 0"), "line 4: a type must be an integer"),
        (GOOD.replace("A 1", "Qq 1"), "line 4: a type must be an integer, 0 or larger, a chemical"),
        (GOOD.replace("A 1", "-1 1").replace("A 0", "0 0"), "line 4: a type must be an integer"),
        (GOOD.replace("4 0 0 0", "4 0 0"), "line 2: the comment line is garbled"),
        (GOOD.replace("4 0 0 0", "4 x 0 0"), "line 2: the comment line is garbled"),
        (GOOD.replace(":3", ":x"), "line 2: the comment line is garbled"),
        (GOOD.replace("4 0 0", "0 0 0"), "line 2: box lengths must be positive"),
        (GOOD.replace("species", "name"), "line 2: Properties needs pos with 2 or 3 columns"),
        (GOOD.replace("pos", "position"), "line 2: Properties needs pos with 2 or 3 columns"),
        ("\n\n", "line 1: expected 1 columns, got 0"),
        (frame("", "1 0 0 0"), "carries no box: pass box=, such as box=[20.0, 20.0]"),
    ],
)
def test_errors_name_file_and_line(read, text, message):
    with pytest.raises(ValueError, match=r"test\.xyz") as error:
        read(text)
    assert message in str(error.value)


def test_a_last_line_without_an_end_warns(read):
    message = r"test\.xyz does not end with a newline: its last value may be cut"
    with pytest.warns(UserWarning, match=message):
        assert len(read(GOOD[:-1])) == 1
    with pytest.warns(UserWarning, match=message):
        assert len(read(frame("", "1 0 0")[:-1], box=[4.0, 5.0])) == 1


def test_info_that_the_format_cannot_hold_is_refused(tmp_path):
    for name, value in (("pbc", 1.0), ("phase", 1j), ("day", np.datetime64("2026-01-01"))):
        X = [Configuration([[0.5, 0.5]], [0], [1.0, 1.0], info={name: value})]
        with pytest.raises(ValueError, match=rf"info\['{name}'\] cannot be written"):
            write_configurations(tmp_path / "a.xyz", X)


@pytest.mark.parametrize(
    "value",
    ["7", "T", "", "a b", 'say "hi"', "back\\slash", "two\nlines", "_JSON 1", "a=b", "{x}", "é",
     7, -1.5e-30, np.inf, True, [1.0, 2.0], [1.5], [[1, 2], [3, 4]], ["a", "b c"], [True, False]],
)  # fmt: skip
def test_every_kind_of_info_comes_back(tmp_path, value):
    X = [Configuration([[0.5, 0.5], [0.1, 0.1]], [0, 1], [1.0, 1.0], info={"some key": value})]
    write_configurations(tmp_path / "a.xyz", X)
    back = read_configurations(tmp_path / "a.xyz").info["some key"][0]
    assert back.tolist() == value
    assert np.asarray(back).dtype.kind == np.asarray(value).dtype.kind


def test_ase_reads_what_is_written_and_the_other_way_round(tmp_path):
    ase_io = pytest.importorskip("ase.io")
    cell = np.array([[3.0, 0, 0], [1.0, 4.0, 0], [-0.5, 1, 5.0]])
    positions = np.random.default_rng(0).random((3, 3)) @ cell
    X = [Configuration(positions, [14, 8, 0], cell, [True, False, True], {"T": 0.5})]
    write_configurations(tmp_path / "a.xyz", X)
    atoms = ase_io.read(tmp_path / "a.xyz")
    np.testing.assert_array_equal(atoms.positions, positions)
    np.testing.assert_allclose(atoms.cell, cell)
    assert atoms.numbers.tolist() == [14, 8, 0]
    assert atoms.info == {"T": 0.5}
    del atoms.arrays["types"]
    ase_io.write(tmp_path / "b.xyz", atoms)
    back = read_configurations(tmp_path / "b.xyz")
    np.testing.assert_allclose(back.positions, positions, atol=1e-8)
    assert back.types.tolist() == [14, 8, 0]
    assert back.periodic[0].tolist() == [True, False, True]
