"""Opening the study of a search: where it is kept, under which name, and whether it is that one."""

import contextlib
import os
import time
from importlib.util import find_spec

import joblib
import numpy as np

from glassclf.estimators.fingerprint import WITHOUT_EFFECT, data_fingerprint, describe, digits
from glassclf.model_selection.journal import open_journal

FACTS = "glassclf"
# Seconds between tries to make the tables of a database.
PAUSES = (0.1, 0.5, 2.0)
# Longer texts, such as those of arrays, are kept as their beginning and a hash.
LONG_TEXT = 200
# Parameters of any estimator that change no result.
QUIET = {*WITHOUT_EFFECT, "cache", "memory", "n_jobs", "n_threads"}


def open_storage(storage):
    """Turn the ``storage`` parameter into a storage of Optuna.

    Parameters
    ----------
    storage : str, path-like, optuna storage or None
        A URL such as "sqlite:///study.db", or the path of a journal file.

    Returns
    -------
    storage : optuna.storages.BaseStorage
        In memory for None.

    Raises
    ------
    ConnectionError
        If it cannot be reached.
    ValueError
        If it is no journal file.
    ImportError
        If PostgreSQL is meant and its driver is not installed.
    """
    from optuna.storages import InMemoryStorage

    if storage is None:
        return InMemoryStorage()
    if not isinstance(storage, (str, os.PathLike)):
        return storage
    name = os.fspath(storage)
    if "://" not in name:
        try:
            return open_journal(name)
        except OSError as error:
            raise ConnectionError(
                f"storage={name!r} cannot be reached: {error}; give the path of a journal file in "
                "a folder that exists and that you may write to, or the URL of a database"
            ) from error
    url = _with_driver(name)
    try:
        return _open_database(url)
    except Exception as error:  # of Optuna, SQLAlchemy or the driver
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConnectionError(
            f"storage={_without_password(name)!r} cannot be reached: {reason[0]}; give the URL of "
            'a database, such as "sqlite:///study.db" or "postgresql://user@host/name", or the '
            "path of a journal file"
        ) from error


def _open_database(url):
    """Open a database, whose tables other workers may be making right now."""
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DBAPIError

    for pause in PAUSES:
        try:
            return RDBStorage(url)
        except DBAPIError as error:
            # Two that make the table of the version at once write the same row into it.
            if "already exists" not in str(error) and "alembic_version" not in str(error):
                raise
        time.sleep(pause)
    return RDBStorage(url)


def _with_driver(url):
    """SQLAlchemy looks for psycopg2; the extra brings its successor."""
    if url.startswith("postgresql://") and find_spec("psycopg2") is None:
        if find_spec("psycopg") is None:
            raise ImportError('PostgreSQL needs psycopg: pip install "glassclf[cluster]"')
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
    return url


def _without_password(url):
    scheme, found, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    # Behind the question mark stand options, of which one may be the password, too.
    return f"{scheme}{found}{user.partition(':')[0]}{at}{place.partition('?')[0]}"


def name_of_study(study_name, X, y, groups, by_sample):
    """Name of a study: one for each set of data.

    Parameters
    ----------
    study_name : str or None
    X, y, groups : object
    by_sample : dict
        Parameters of ``fit`` with one value for each sample, such as forces.

    Returns
    -------
    name : str
        Ends in eight digits of a hash of the data.
    """
    hashes = data_fingerprint(X, y, groups, None)
    hashes |= {f"fit {name}": joblib.hash(values) for name, values in by_sample.items()}
    return f"{study_name or 'search'}-{digits(hashes)}"


def study_facts(estimator, space, objectives, folds):
    """What all trials of a study must have in common, as texts.

    Parameters
    ----------
    estimator : estimator
    space : Space
    objectives : Objectives
    folds : list of (ndarray of int, ndarray of int)

    Returns
    -------
    facts : dict
        Texts; that of the estimator is a dict of them, by parameter.
    """
    searched = set(space.distributions or ())
    parameters = {
        name: _describe(value)
        for name, value in sorted(estimator.get_params(deep=True).items())
        if name not in searched and name.rpartition("__")[2] not in QUIET
    }
    return {
        "space": space.description,
        "scoring": ", ".join(
            f"{direction} {name}{_scored_by(objectives.scoring, name)}"
            for name, direction in objectives.directions.items()
        ),
        "estimator": {"class": _describe(type(estimator)), **parameters},
        "cv": joblib.hash([[np.asarray(rows) for rows in fold] for fold in folds])[:8],
    }


def _scored_by(scoring, name):
    """What tells two scores of one name apart."""
    scorer = scoring.get(name) if isinstance(scoring, dict) else scoring
    # Those of a list have names of scikit-learn.
    return "" if scorer is None or isinstance(scorer, (list, tuple)) else f" ({_describe(scorer)})"


def _describe(value):
    # An estimator inside is told by its own parameters, which stand there too.
    if hasattr(value, "get_params") and not isinstance(value, type):
        return describe(type(value))
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(_describe, value)) + "]"
    else:
        try:
            text = describe(value)
        except (RecursionError, TypeError, ValueError):
            text = describe(type(value))
    return text if len(text) <= LONG_TEXT else f"{text[:LONG_TEXT]}... {joblib.hash(text)[:8]}"


def open_study(storage, name, objectives, sampler, pruner, facts):
    """Make a study, or join the one that is there.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
    name : str
    objectives : dict of str
        "maximize" or "minimize" by the name of what is optimised.
    sampler : optuna.samplers.BaseSampler or None
    pruner : optuna.pruners.BasePruner or None
        None prunes nothing.
    facts : dict of str
        What all its trials must have in common.

    Returns
    -------
    study : optuna.Study

    Raises
    ------
    ValueError
        If the study of that name is another one.
    """
    import optuna

    directions = list(objectives.values())
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=directions,
        sampler=sampler,
        pruner=pruner or optuna.pruners.NopPruner(),
        load_if_exists=True,
    )
    # First, as another worker may be at the same place: its facts stand there before its trials.
    n_trials = len(study.get_trials(deepcopy=False))
    there = study.user_attrs.get(FACTS)
    if there is None:
        present = [direction.name.lower() for direction in study.directions]
        if n_trials or present != directions:
            raise ValueError(
                f"the study {name!r} in this storage was not made by this search (directions "
                f"{present}, {n_trials} trials): take another study_name"
            )
        study.set_user_attr(FACTS, facts)
        return study
    for fact, value in facts.items():
        if there.get(fact) != value:
            raise ValueError(
                f"the study {name!r} in this storage was made with another {fact}: "
                f"{_difference(there.get(fact), value)}; take another study_name, or the {fact} of "
                "then"
                + (" (a splitter that shuffles needs a random_state)" if fact == "cv" else "")
            )
    return study


def _difference(there, here):
    """What differs, in words; of several parameters the first that does."""
    if isinstance(there, dict) and isinstance(here, dict):
        names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]} ({_difference(there.get(names[0]), here.get(names[0]))}){more}"
    return f"there {there}, here {here}"


def snapshot(study, trial):
    """Copy a study into memory, for a trial that is evaluated in another process.

    Parameters
    ----------
    study : optuna.Study
    trial : optuna.Trial
        Running.

    Returns
    -------
    trial : optuna.Trial
        Of the copy, with the same number. It knows the trials of now, and reports to the copy.
    """
    import optuna

    copy = optuna.create_study(
        study_name=study.study_name,
        directions=study.directions,
        sampler=optuna.samplers.RandomSampler(0),
        pruner=study.pruner,
    )
    copy.add_trials(study.get_trials(deepcopy=False))
    place = copy.get_trials(deepcopy=False)[trial.number]
    return optuna.Trial(copy, place._trial_id)


@contextlib.contextmanager
def quiet_optuna():
    """Keep Optuna's log to warnings within the context: the search tells of itself."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
