"""The command line: what a file or a checkpoint directory holds."""

import argparse
import json
import sys
from pathlib import Path

import glassclf


def main(arguments=None):
    """Run the command ``glassclf``.

    Parameters
    ----------
    arguments : sequence of str, default=None
        None: those of the process.

    Raises
    ------
    SystemExit
        With code 2 after an error, told in one line.
    """
    parser = argparse.ArgumentParser(prog="glassclf", description=glassclf.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"glassclf {glassclf.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    show = commands.add_parser(
        "show",
        help="tell what a file or directory holds, without loading it",
        description="Tell what a saved model, a stored set of configurations or a checkpoint "
        "directory holds. Nothing in it is run.",
    )
    show.add_argument("path", type=Path, help="what save, Configurations.save or checkpoint= wrote")
    show.set_defaults(lines=lambda given: lines_of(given.path.expanduser()))
    given = parser.parse_args(arguments)
    try:
        lines = given.lines(given)
    except (OSError, ValueError) as error:
        message = " ".join(str(error).split())
        print(f"glassclf: {printable(message)}", file=sys.stderr)
        raise SystemExit(2) from None
    print("\n".join(map(printable, lines)))


def printable(text):
    """Escape what a terminal would take for a command: a file may be anybody's.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def lines_of(path):
    """Describe a file or a directory.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    lines : list of str

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it is damaged or something else.
    """
    from glassclf.configurations.store import FORMAT as STORE_FORMAT

    if path.is_dir():
        return trainings_in(path)
    metadata = read_metadata(path)
    return store_lines(path) if metadata.get("format") == STORE_FORMAT else model_lines(path)


def read_metadata(path):
    """Metadata of a safetensors file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    metadata : dict
        Empty for a file of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def model_lines(path):
    """Describe a saved model: versions, steps, settings, cards.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    lines : list of str

    Raises
    ------
    ValueError
        If the file is damaged or something else.
    """
    from glassclf.persistence.classes import known_class
    from glassclf.persistence.decoding import classes_in
    from glassclf.persistence.saving import read_model

    header, _ = read_model(path)
    versions = [f"{name} {version}" for name, version in header["versions"].items()]
    lines = [f"{path}: a model, saved by {versions[0]} ({', '.join(versions[1:])})"]
    needed = [name for name, kind in classes_in(header["model"]) if known_class(name, kind) is None]
    if needed:
        lines.append(f"loads only with trusted={tuple(sorted(set(needed)))}")
    try:
        for step in header["steps"]:
            lines += step_lines(step)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: its steps cannot be shown ({error!r})") from error
    return lines


def step_lines(step):
    """Describe one step of a model.

    Parameters
    ----------
    step : dict
        From the header of the file.

    Returns
    -------
    lines : list of str
    """
    *outer, name = step["step"].split(" > ")
    indent = "  " * len(outer)
    parameters, changed = step["parameters"], step["changed"]
    package, _, cls = step["class"].rpartition(".")
    label = cls if name == cls else f"{name}: {cls}"
    lines = [f"{indent}{label}({', '.join(f'{key}={parameters[key]}' for key in changed)})"]
    if package == "glassclf.featurizers":
        # Everything that the features depend on, whatever the defaults of a later version are.
        rest = [f"{key}={value}" for key, value in parameters.items() if key not in changed]
        lines.append(f"{indent}  by default {', '.join(rest)}")
    if "card" in step:
        from glassclf.estimators.card import TrainingCard

        lines += [f"{indent}  {line}" for line in repr(TrainingCard(step["card"])).split("\n")]
    return lines


def store_lines(path):
    """Describe a stored set of configurations.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    lines : list of str
    """
    from glassclf.configurations import Configurations
    from glassclf.estimators.card import info_summary, summary_text

    X = Configurations.open(path)
    lines = [f"{path}: configurations", f"  {X!r}"]
    return lines + [f"  {name}: {summary_text(value)}" for name, value in info_summary(X).items()]


def trainings_in(folder):
    """Describe the checkpoints of a directory, or of those in it.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    lines : list of str

    Raises
    ------
    ValueError
        If there is none.
    """
    from glassclf.estimators.checkpoint import LATEST, PREVIOUS

    lines = []
    for inner in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        found = [inner / name for name in (LATEST, PREVIOUS) if (inner / name).is_file()]
        if found:
            lines += checkpoint_lines(found[0])
    if not lines:
        raise ValueError(f"{folder} holds no checkpoint of glassclf")
    return lines


def checkpoint_lines(path):
    """Describe a checkpoint: how far the training is, its last scores, what it is of.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    lines : list of str
    """
    from glassclf.estimators.checkpoint import read_state
    from glassclf.estimators.history import COLUMNS

    state = read_state(path)
    history = json.loads(state["history"])
    running = state["order"] is not None
    done = history[:-1] if running else history
    ended = "finished" if "final_weights" in state else "to be continued"
    lines = [f"{path.parent}: a training, {ended}, {len(done)} epochs done"]
    if running:
        lines.append(f"  {state['n_done']} of {len(state['order'])} samples into the next epoch")
    if done:
        scores = [f"{name} {done[-1][name]:.4g}" for name in COLUMNS if name in done[-1]]
        lines.append(f"  last epoch: {', '.join(scores)}")
    fingerprints = state["fingerprints"]
    for kind in ("parameters", "data"):
        values = [f"{name}={value}" for name, value in fingerprints[kind].items()]
        lines.append(f"  {kind}: {', '.join(values)}")
    return lines
