"""The one funnel for what users hold."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations, as_configurations

TRIPLE = ([[0.5, 0.5], [1.0, 1.5]], [0, 1], [2.0, 2.0])


def test_a_set_passes_through():
    X = Configurations([Configuration(*TRIPLE)])
    assert as_configurations(X) is X


def test_configurations_and_triples_give_equal_sets():
    one = Configuration(*TRIPLE)
    arrays = tuple(np.array(part) for part in TRIPLE)
    cases = ([one, TRIPLE], (one, arrays), [one, list(TRIPLE)], np.array([one, one]))
    for case in cases:
        X = as_configurations(case)
        assert X.positions.tolist() == TRIPLE[0] * 2
        assert X.types.tolist() == TRIPLE[1] * 2
        assert X.cells.tolist() == [[[2, 0], [0, 2]]] * 2
    assert len(as_configurations((TRIPLE, TRIPLE, TRIPLE))) == 3


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (5, TypeError, "X must be a Configurations, or a list .* got int"),
        ("abc", TypeError, "got str"),
        ({"positions": 1}, TypeError, "got dict"),
        (None, TypeError, "got NoneType"),
        (np.zeros((3, 2)), TypeError, r"got an array of float64 with shape \(3, 2\)"),
        (Configuration(*TRIPLE), TypeError, r"got one: pass a list, \[Configuration\]"),
        (tuple(np.array(part) for part in TRIPLE), TypeError, r"pass a list, \[triple\]"),
        ((c for c in [TRIPLE]), TypeError, r"read more than once, got generator: pass list\(X\)"),
        (iter([TRIPLE]), TypeError, r"read more than once, got list_iterator: pass list\(X\)"),
        ([], ValueError, "a set needs at least one configuration"),
        ([TRIPLE, 3], TypeError, "configuration 1: X must be .* got int"),
        ([TRIPLE, TRIPLE[:2]], TypeError, "configuration 1: X must be .* got tuple"),
        (
            [TRIPLE, (TRIPLE[0], [0], TRIPLE[2])],
            ValueError,
            r"configuration 1: types must have shape \(2,\)",
        ),
        (
            [TRIPLE, ([[0, np.nan]], [0], [1, 1])],
            ValueError,
            "configuration 1: positions must be finite",
        ),
        (
            [TRIPLE, ([[0, 0, 0]], [0], [1, 1, 1])],
            ValueError,
            "configuration 0 is 2D, configuration 1 is 3D",
        ),
    ],
)
def test_everything_else_is_refused_with_its_index(X, error, message):
    with pytest.raises(error, match=message):
        as_configurations(X)


class TestAtoms:
    """ase.Atoms, in two and three dimensions."""

    @pytest.fixture(autouse=True)
    def _ase(self):
        self.Atoms = pytest.importorskip("ase").Atoms

    def atoms(self, **changes):
        values = {
            "numbers": [14, 8],
            "positions": [[0.5, 0.5, 0.0], [1.0, 1.5, 0.0]],
            "cell": [3.0, 4.0, 5.0],
            "pbc": [True, True, False],
        }
        return self.Atoms(**{**values, **changes})

    def test_a_plane_is_two_dimensional(self):
        X = as_configurations([self.atoms(info={"T": 0.5, "array": np.zeros(3)})])
        assert X.positions.tolist() == TRIPLE[0]
        assert X.types.tolist() == [14, 8]
        assert X.cells.tolist() == [[[3, 0], [0, 4]]]
        assert X.periodic.tolist() == [[True, True]]
        assert X.info["T"].tolist() == [0.5]
        assert list(X.info) == ["T"]

    def test_a_thin_periodic_box_is_two_dimensional(self):
        assert as_configurations([self.atoms(cell=[3.0, 4.0, 1.0], pbc=True)]).n_dims == 2
        assert as_configurations([self.atoms(cell=[3.0, 4.0, 5.0], pbc=True)]).n_dims == 3

    def test_atoms_without_a_cell_get_an_open_box_in_three_dimensions(self):
        water = [[0.0, 0.0, 0.0], [0.76, 0.59, 0.0], [-0.76, 0.59, 0.0]]
        for positions in (water, [[0.0, 0.0, 0.0]]):
            X = as_configurations([self.Atoms([1] * len(positions), positions)])
            assert X.n_dims == 3
            assert not X.periodic.any()
            np.testing.assert_allclose(X.positions - X.positions[0], positions)
            assert ((X.positions > 0) & (X.positions < X[0].box)).all()

    def test_a_plane_needs_no_lattice_vector_along_z(self):
        assert as_configurations([self.atoms(cell=[3.0, 4.0, 0.0])]).n_dims == 2

    def test_a_solid_is_three_dimensional(self):
        cell = [[3.0, 0, 0], [1.0, 4.0, 0], [0, 0.5, 5.0]]
        positions = [[0.5, 0.5, 0.0], [1.0, 1.5, 2.0]]
        X = as_configurations([self.atoms(positions=positions, cell=cell)])
        assert X.positions.tolist() == positions
        assert X.cells[0].tolist() == cell
        assert X.periodic[0].tolist() == [True, True, False]

    def test_an_array_of_types_goes_before_atomic_numbers(self):
        atoms = self.atoms()
        atoms.new_array("types", np.array([1, 0]))
        assert as_configurations([atoms]).types.tolist() == [1, 0]

    def test_subclasses_are_atoms_too(self):
        class MyAtoms(self.Atoms):
            pass

        assert len(as_configurations([MyAtoms(self.atoms())])) == 1

    def test_atoms_stay_untouched(self):
        atoms = self.atoms()
        X = as_configurations([atoms])
        X.positions += 1
        X.types += 1
        assert atoms.positions.tolist() == self.atoms().positions.tolist()
        assert atoms.numbers.tolist() == [14, 8]

    def test_errors(self):
        with pytest.raises(TypeError, match=r"got one: pass a list, \[Atoms\]"):
            as_configurations(self.atoms())
        with pytest.raises(ValueError, match="configuration 1: pbc is set, but there is no cell"):
            as_configurations([self.atoms(), self.atoms(cell=None)])
        slab = self.atoms(positions=[[0, 0, 0], [0, 0, 1]], cell=[3.0, 4.0, 0.0])
        with pytest.raises(ValueError, match=r"no lattice vector along z: .*center\(vacuum"):
            as_configurations([slab])
        with pytest.raises(ValueError, match="configuration 0: positions is empty"):
            as_configurations([self.Atoms(cell=[1, 1, 1])])
