"""Write the lowest supported version of every dependency but torch, as constraints for pip.

The numbers come from ``LOWEST`` in setup.py, that of torch from constraints.txt.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def lowest_versions():
    for statement in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "LOWEST":
            return ast.literal_eval(statement.value)
    raise ValueError("setup.py has no LOWEST")


def main(path):
    pins = [f"{name}=={version}" for name, version in lowest_versions().items() if name != "torch"]
    pins += [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.startswith("torch==")
    ]
    Path(path).write_text("\n".join(pins) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
