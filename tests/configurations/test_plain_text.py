"""Tables without a box."""

import numpy as np
import pytest

from glassclf.configurations import read_configurations


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        (tmp_path / "coords.txt").write_text(text)
        return read_configurations(tmp_path / "coords.txt", **options)

    return read


def test_type_then_coordinates(read):
    X = read("# type x y\n\n1 0.5 0.25\n2 1.5 0.75\n\n", box=[2.0, 3.0], periodic=False)
    assert len(X) == 1
    assert X.types.tolist() == [1, 2]
    assert X.positions.tolist() == [[0.5, 0.25], [1.5, 0.75]]
    assert X.cells[0].tolist() == [[2, 0], [0, 3]]
    assert X.periodic.tolist() == [[False, False]]
    assert read("A 0 0 0\nB 1 1 1\n", box=np.eye(3) * 4).types.tolist() == [0, 1]
    assert read("A 0 0 0\r\nB 1 1 0\r\n", box=[[4, 0], [1, 4]]).n_dims == 2


@pytest.mark.parametrize(
    ("text", "box", "message"),
    [
        ("1 0 0\n", None, "coords.txt carries no box: pass box="),
        ("1 0 0\n", 3.0, "box must have 2 or 3 lengths or lattice vectors, got 3.0"),
        ("1 0 0\n", [1.0], "box must have 2 or 3 lengths or lattice vectors"),
        ("1 0 0\n", [1.0, -1.0], "box lengths must be positive"),
        ("1 0 0\n", [1, 1, 1], "line 1: expected the type and 3 coordinates, as box has 3"),
        ("1 0\n", [1, 1], "line 1: expected the type and 2 coordinates, as box has 2"),
        (
            "#\n1 0 0 0\n1 0 0 1\n",
            [1, 1],
            "line 3: box has 2 dimensions, but z changes from 0.0 to",
        ),
        ("#\n1 0 0\n1 0 z\n", [1, 1], "line 3: expected a finite number, got 'z'"),
        ("#\n1 0 0\n1 0\n", [1, 1], "line 3: expected 3 columns, got 2"),
        ("1 0 0\nx1 0 0\n", [1, 1], "line 2: a type must be an integer"),
        ("1.5 0 0\n", [1, 1], "line 1: a type must be an integer"),
        ("A 0 0\nAB 1 1\n", [2, 2], "line 2: a type must be an integer"),
        ("# nothing\n", [1, 1], "coords.txt is empty"),
    ],
)
def test_errors_name_file_and_line(read, text, box, message):
    with pytest.raises(ValueError, match=".") as error:
        read(text, box=box)
    assert message in str(error.value)


def test_periodic_goes_to_the_configuration(read):
    with pytest.raises(ValueError, match="periodic must be a bool or 2 bools"):
        read("1 0 0\n", box=[1.0, 1.0], periodic=[True, False, True])
