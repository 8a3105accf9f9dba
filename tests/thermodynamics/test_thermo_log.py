"""Logs that LAMMPS itself writes: what stands in them is what comes out."""

import numpy as np
import pytest

from glassclf.simulation.lammps_engine import start_lammps
from glassclf.thermodynamics import read_cooling_curves

N_ATOMS = 64
SYSTEM = """
{before}
dimension 2
atom_style atomic
lattice sq 1.0
region box block 0 8 0 8 -0.5 0.5
create_box 1 box
create_atoms 1 box
mass * 1.0
pair_style lj/cut 2.5
pair_coeff * * 1.0 0.9
velocity all create 2.0 1
fix motion all nvt temp 2.0 2.0 0.1
fix flat all enforce2d
thermo 50
"""
COOLING = """
run 100
unfix motion
fix motion all nvt temp 2.0 0.5 0.1
thermo_style custom step temp pe press
run 200
"""


@pytest.fixture
def run_lammps(tmp_path):
    """Run commands and return the log, and the energies that LAMMPS itself reports at the end."""

    def run_lammps(commands, before="units lj", name="log.lammps"):
        lammps = start_lammps(tmp_path / name)
        lammps.commands_string(SYSTEM.format(before=before) + commands)
        last = [lammps.get_thermo(name) for name in ("temp", "pe") if "run" in commands]
        lammps.close()
        return tmp_path / name, last

    return run_lammps


def test_several_runs_with_two_kinds_of_columns(run_lammps):
    path, (temperature, energy) = run_lammps(COOLING)
    curves = read_cooling_curves(path)
    # Three rows and five, of which the first repeats the third.
    assert curves.energy.shape == (1, 7)
    assert curves.temperature[-1] > 1.5
    place = np.abs(curves.temperature - temperature).argmin()
    # Units lj are per particle already; the log rounds to eight digits.
    assert curves.energy[0, place] == pytest.approx(energy, rel=1e-6)


def test_energies_of_all_atoms_are_divided_by_their_number(run_lammps):
    per_particle, _ = run_lammps(COOLING)
    curves = read_cooling_curves(per_particle)
    command = "thermo_modify norm no\n"
    changed = COOLING.replace("run", f"{command}run")
    path, (_, total) = run_lammps(changed, name="total.log")
    assert total < -N_ATOMS
    np.testing.assert_allclose(read_cooling_curves(path).energy, curves.energy, rtol=1e-6)
    # The same without a trace of the commands: then the user has to tell.
    path, _ = run_lammps(changed, before="echo none\nunits lj", name="silent.log")
    with pytest.raises(
        ValueError, match="silent.log does not say whether its energies are per par"
    ):
        read_cooling_curves(path)
    told = read_cooling_curves(path, n_particles=N_ATOMS)
    np.testing.assert_allclose(told.energy, curves.energy, rtol=1e-6)


def test_a_new_style_undoes_what_was_modified(run_lammps):
    # LAMMPS forgets "norm no" when the style is set again.
    modified = COOLING.replace("thermo_style", "thermo_modify norm no\nthermo_style")
    path, (_, energy) = run_lammps(modified)
    assert energy > -10
    curves = read_cooling_curves(path)
    expected, _ = run_lammps(COOLING, name="plain.log")
    np.testing.assert_allclose(curves.energy, read_cooling_curves(expected).energy, rtol=1e-6)
    # And everything when it is cleared.
    path, _ = run_lammps(COOLING, before="units lj\nthermo_modify norm no\nclear\nunits lj")
    np.testing.assert_allclose(
        read_cooling_curves(path).energy, read_cooling_curves(expected).energy, rtol=1e-6
    )


def test_logs_of_lammps_before_2018(run_lammps):
    path, _ = run_lammps(COOLING)
    whole = read_cooling_curves(path)
    lines = path.read_text().split("\n")
    lines = [
        "Memory usage per processor = 2.3 Mbytes" if line.startswith("Per MPI rank") else line
        for line in lines
    ]
    path.write_text("\n".join(lines))
    np.testing.assert_array_equal(read_cooling_curves(path).energy, whole.energy)


def test_inherent_energies_of_minimisations(run_lammps):
    quench = "minimize 0 1e-4 1000 10000\nrun 100\n"
    path, _ = run_lammps(COOLING + 2 * quench + "minimize 0 1e-4 1000 10000")
    inherent = read_cooling_curves(path, minimized=True)
    thermal = read_cooling_curves(path)
    assert inherent.energy.shape == (1, 3)
    # The row with which a run begins after a minimisation is that of the minimum: left out.
    # The others are those at multiples of 50 steps, and the last.
    assert thermal.energy.shape == (1, 7 + 2 * 3)
    before, _ = run_lammps(COOLING, name="before.log")
    assert np.isin(read_cooling_curves(before).energy, thermal.energy).all()
    for temperature, energy in zip(inherent.temperature, inherent.energy[0]):
        same = np.flatnonzero(thermal.temperature == temperature)
        assert (energy < thermal.energy[0, same] - 0.05).all()


def test_a_minimum_belongs_to_the_temperature_at_which_it_began(run_lammps):
    # Steps go on while LAMMPS minimises, and with them a temperature computed from the step.
    ramp = "variable T equal 2-1.5*step/200\nthermo_style custom step v_T pe temp\n"
    quench = "minimize 0 1e-4 1000 10000\n"
    path, (_, energy) = run_lammps(f"{ramp}{quench}reset_timestep 0\nrun 200\n{quench}")
    curves = read_cooling_curves(path, temperature="v_T", minimized=True)
    np.testing.assert_allclose(curves.temperature, [0.5, 2.0])
    assert curves.energy[0, 0] == pytest.approx(energy, rel=1e-6)


def test_columns_by_name(run_lammps):
    custom = "variable set equal ramp(2.0,0.5)\nthermo_style custom v_set step etotal ke\nrun 200"
    path, _ = run_lammps(custom)
    curves = read_cooling_curves(path, temperature="v_set", energy="TotEng")
    np.testing.assert_allclose(curves.temperature, np.linspace(0.5, 2, 5))
    words = r"expected the columns 'Temp' and 'PotEng' in one table, it has \['v_set', 'Step', 'To"
    with pytest.raises(ValueError, match=words):
        read_cooling_curves(path)


def test_a_log_that_is_cut_anywhere(run_lammps, tmp_path):
    path, _ = run_lammps(COOLING)
    text = path.read_text()
    whole = read_cooling_curves(path)
    begin = text.rindex("PotEng") + 100
    for end in range(begin, text.rindex("Loop time"), 7):
        cut = tmp_path / "cut.log"
        cut.write_text(text[:end])
        curves = read_cooling_curves(cut)
        assert 3 <= curves.energy.shape[1] <= 7
        # No value is half a value.
        assert np.isin(curves.energy, whole.energy).all()


def test_lines_between_the_rows_are_passed_over(run_lammps):
    path, _ = run_lammps(COOLING)
    whole = read_cooling_curves(path)
    lines = path.read_text().split("\n")
    place = next(index for index, line in enumerate(lines) if line.strip().startswith("200 "))
    lines.insert(place, "WARNING: Inconsistent image flags (src/domain.cpp:1051)")
    path.write_text("\n".join(lines))
    np.testing.assert_array_equal(read_cooling_curves(path).energy, whole.energy)
    lines[place + 1] += " 7"
    path.write_text("\n".join(lines))
    with pytest.raises(
        ValueError, match=f"log.lammps, line {place + 2}: expected 4 columns, got 5"
    ):
        read_cooling_curves(path)


def test_logs_without_a_table_to_read(run_lammps, tmp_path):
    path, _ = run_lammps("thermo_style multi\nrun 100")
    with pytest.raises(
        ValueError, match="line .*: expected a line of column names, got '---.*mult"
    ):
        read_cooling_curves(path)
    path, _ = run_lammps("thermo_modify line yaml\nrun 100", name="yaml.log")
    with pytest.raises(ValueError, match="expected a line of column names, got '---'"):
        read_cooling_curves(path)
    path, _ = run_lammps("", name="setup.log")
    with pytest.raises(ValueError, match="holds no table of a run"):
        read_cooling_curves(path)
    path, _ = run_lammps("run 100", name="run.log")
    with pytest.raises(ValueError, match="holds no table of a minimisation"):
        read_cooling_curves(path, minimized=True)
    path, _ = run_lammps("thermo_modify norm no\nrun 100", name="killed.log")
    text = path.read_text()
    path.write_text(text[: text.index("Loop time")])
    with pytest.raises(
        ValueError, match="the log ends before it says how many there are: pass n_p"
    ):
        read_cooling_curves(path)


def test_logs_of_several_runs_share_bins(run_lammps, tmp_path):
    for seed in (1, 2):
        run_lammps(f"velocity all create 2.0 {seed}" + COOLING, name=f"{seed}.lammps")
    curves = read_cooling_curves(tmp_path / "*.lammps", n_bins=2)
    assert curves.energy.shape == (2, 2)
    assert (curves.energy[:, 0] < curves.energy[:, 1]).all()
