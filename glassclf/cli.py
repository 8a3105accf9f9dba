"""The command line: what a file or a checkpoint directory holds, and workers of a search."""

import argparse
import os
import sys
from pathlib import Path

import glassclf

# As in sysexits.h: a temporary failure.
TRY_AGAIN = 75


def main(arguments=None):
    """Run the command ``glassclf``.

    Parameters
    ----------
    arguments : sequence of str, default=None
        None: those of the process.

    Raises
    ------
    SystemExit
        With code 2 after an error, told in one line; with 75 where work was stopped that goes on
        when the same command is given again.
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
    worker = commands.add_parser(
        "worker",
        help="run trials of a search, together with other workers",
        description="Run trials of the study of a search until it is complete. Start as many "
        "workers as you like, on one machine or on several that share the storage: they divide the "
        "trials among themselves. The last one fits the best parameters and saves the model.",
    )
    worker.add_argument(
        "script", type=Path, help="Python file that defines search, X and y, and groups if need be"
    )
    worker.add_argument(
        "--output",
        type=Path,
        help="where the model is saved (default: the name of the script, with .safetensors)",
    )
    worker.set_defaults(lines=lambda given: worker_lines(given.script.expanduser(), given.output))
    given = parser.parse_args(arguments)
    try:
        lines = given.lines(given)
    except (OSError, ValueError) as error:
        message = " ".join(str(error).split())
        print(f"glassclf: {printable(message)}", file=sys.stderr)
        stopped = isinstance(error, (InterruptedError, TimeoutError))
        raise SystemExit(TRY_AGAIN if stopped else 2) from None
    try:
        print("\n".join(map(printable, lines)), flush=True)
    except BrokenPipeError:
        # Whoever reads has seen enough, as with "| head -1". Python must not flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def worker_lines(script, output):
    """Work on the search of a script, and tell how it went.

    Parameters
    ----------
    script : pathlib.Path
    output : pathlib.Path or None

    Returns
    -------
    lines : list of str
    """
    from glassclf.model_selection.worker import read_search, work
    from glassclf.persistence import save

    if not script.is_file():
        raise ValueError(f"{script} is no file: give the Python file that defines the search")
    output = output.expanduser() if output else script.with_suffix(".safetensors")
    if not output.parent.is_dir():  # which save would say after hours of work
        raise ValueError(f"{output.parent}, where the model is to be saved, is no folder")
    parts = read_search(script)
    search = parts["search"]
    search.set_params(verbose=max(1, search.verbose))
    fitted = work(**parts)
    name = search.study_.study_name
    if not fitted:
        return [f"study {name}: no trial is left for this worker"]
    lines = [f"study {name}: {len(search.cv_results_['params'])} trials"]
    if hasattr(search, "best_score_"):
        lines.append(f"best score {search.best_score_:.6g} with {search.best_params_}")
    else:
        lines += [f"on the front: {trial}" for trial in search.pareto_front_]
    if search.refit is not False:
        try:
            save(search.best_estimator_, output)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"study {name} is complete, but {error}; the study keeps its trials, and "
                "search.fit(X, y, groups) of the script fits the best one again"
            ) from error
        lines.append(f"fitted to all data and saved as {output}")
    return lines


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
    if is_checkpoint(path):
        return state_lines(path)
    metadata = read_metadata(path)
    if metadata.keys() == {"epoch"}:
        return [
            f"{path}: the best weights of a training, those after epoch {metadata['epoch']}",
            f"  how the training went tells: glassclf show {path.parent}",
        ]
    return store_lines(path) if metadata.get("format") == STORE_FORMAT else model_lines(path)


def is_checkpoint(path):
    """Tell whether a file begins as the state of a training does.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    answer : bool
    """
    from glassclf.estimators.checkpoint import MAGIC

    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


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
        if any((inner / name).is_file() for name in (LATEST, PREVIOUS)):
            state, notes = newest_state(inner)
            lines += training_lines(inner, state) + notes
    if not lines:
        raise ValueError(f"{folder} holds no checkpoint of glassclf")
    return lines


def newest_state(folder):
    """State from which a fit would go on.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    state : dict
    notes : list of str
        What is to be said of it.
    """
    from glassclf.estimators.checkpoint import LATEST, PREVIOUS, DamagedError, read_state

    latest, previous = folder / LATEST, folder / PREVIOUS
    if not latest.is_file():
        return read_state(previous), [f"  {LATEST} is missing: fit goes on from {PREVIOUS}"]
    try:
        return read_state(latest), []
    except DamagedError:
        if not previous.is_file():
            raise
        note = f"  {LATEST} is damaged: fit goes on from the state before it, {PREVIOUS}"
        return read_state(previous), [note]


def state_lines(path):
    """Describe one state of a training by itself.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    lines : list of str
    """
    from glassclf.estimators.checkpoint import read_state

    note = f"  one state of it; a fit with checkpoint={str(path.parent)!r} goes on from the newest"
    return [*training_lines(path, read_state(path)), note]


def training_lines(path, state):
    """Describe a training: how far it is, its last scores, what it is of.

    Parameters
    ----------
    path : pathlib.Path
        What stands first.
    state : dict

    Returns
    -------
    lines : list of str
    """
    from glassclf.estimators.history import COLUMNS

    history = state["history"]
    running = state["order"] is not None
    done = history[:-1] if running else history
    ended = "finished" if "final_weights" in state else "to be continued"
    lines = [f"{path}: a training, {ended}, {len(done)} epochs done"]
    if running:
        lines.append(f"  {state['n_done']} of {len(state['order'])} samples into the next epoch")
    if done:
        scores = [f"{name} {done[-1][name]:.4g}" for name in COLUMNS if name in done[-1]]
        lines.append(f"  last epoch: {', '.join(scores)}")
    # The digits are those that stand for {params} and {data} in the name of a directory.
    hashes = state["fingerprints"]
    settings = [f"{name}={value}" for name, value in hashes["parameters"].items()]
    lines.append(f"  parameters {hashes['digits']['params']}: {', '.join(settings)}")
    parts = [f"{name} {value[:8]}" for name, value in hashes["data"].items() if value is not None]
    lines.append(f"  data {hashes['digits']['data']}: {', '.join(parts)} (fingerprints)")
    return lines
