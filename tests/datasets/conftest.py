"""Small sets that look like cooling runs, without simulating any."""

import pytest

from glassclf.configurations import Configuration, Configurations


@pytest.fixture
def make_set():
    """Make a set of one-particle configurations from rows (run, steps, temperature, energy)."""

    def make(rows, state="inherent"):
        return Configurations(
            Configuration(
                [[0.5, 0.5]],
                [0],
                [1.0, 1.0],
                info={
                    "run": run,
                    "cooling_steps": steps,
                    "temperature": temperature,
                    "inherent_energy": energy,
                    "state": state,
                },
            )
            for run, steps, temperature, energy in rows
        )

    return make
