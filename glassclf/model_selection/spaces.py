"""What a search of parameters may try: from the estimator itself, a dict, or a function."""

import difflib
import math
import warnings
from numbers import Integral, Real

from glassclf.estimators.fingerprint import describe

FORMS = {
    "int": "('int', low, high) or ('int', low, high, 'log'), with whole numbers",
    "float": "('float', low, high) or ('float', low, high, 'log'), with finite numbers",
    "choice": "('choice', (value, ...)), with one value at least",
}
# What JSON keeps, in which Optuna stores choices.
STORABLE = (bool, int, float, str, type(None))

FOREST = {"max_features": ("float", 0.05, 1.0), "min_samples_leaf": ("int", 1, 10, "log")}
BOOSTING = {
    "learning_rate": ("float", 0.01, 0.3, "log"),
    "max_leaf_nodes": ("int", 4, 64, "log"),
    "min_samples_leaf": ("int", 2, 50, "log"),
}
# Ends of a pipeline with few features of unit variance, or of the order of 1 as an RDF.
OF_SKLEARN = {
    "HistGradientBoostingClassifier": BOOSTING,
    "HistGradientBoostingRegressor": BOOSTING,
    "LogisticRegression": {"C": ("float", 1e-3, 1e3, "log")},
    "RandomForestClassifier": FOREST,
    "RandomForestRegressor": FOREST,
    "Ridge": {"alpha": ("float", 1e-3, 1e3, "log")},
    "SVC": {"C": ("float", 1e-2, 1e3, "log"), "gamma": ("float", 1e-4, 1.0, "log")},
}


def search_space(estimator):
    """Collect the search space of an estimator and of all estimators within it.

    Known are the featurizers and networks of glassclf, classes of your own with ``_search_space``,
    and of scikit-learn logistic and ridge regression, support vector classification, random
    forests and histogram-based boosting. Other steps of a pipeline stay as they are.

    Parameters
    ----------
    estimator : estimator
        A single one, or a pipeline, union or meta-estimator, however nested. Its own parameters
        decide too: ``threshold``, for example, is searched with ``schedule="threshold"`` alone.

    Returns
    -------
    space : dict of str to optuna.distributions.BaseDistribution
        By the full name of each parameter, such as "mpnnclassifier__lr"; empty where nothing is
        known. It is yours to change.

    Raises
    ------
    TypeError
        If the ``_search_space`` of a class is no dict, or has something other than tuples.
    ValueError
        If one of its tuples is malformed, or it names what is no parameter of the class.

    Examples
    --------
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.model_selection import search_space
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> space = search_space(make_pipeline(RDFFeaturizer(), LogisticRegression()))
    >>> sorted(space)
    ['logisticregression__C', 'rdffeaturizer__n_bins', 'rdffeaturizer__r_max']
    >>> space["rdffeaturizer__r_max"]
    FloatDistribution(high=5.0, log=False, low=1.5, step=None)
    """
    known = estimator.get_params()
    space = {}
    for prefix, owner in _owners(estimator).items():
        own = owner.get_params()
        for name, entry in _entries(owner).items():
            where = f"{name!r} in the _search_space of {type(owner).__name__}"
            distribution = _distribution(entry, where)
            if name not in own:
                raise ValueError(f"{where} is no parameter of it{_hint(name, own)}")
            # What holds a frozen estimator does not let its parameters be set.
            if prefix + name in known:
                space[prefix + name] = distribution
    return space


class Space:
    """A search space in whatever form it was given: it suggests parameters to an estimator.

    Parameters
    ----------
    space : dict, callable or None
        By parameter name, distributions of Optuna or tuples as in ``_search_space``; or a function
        that is given a trial and returns parameters; None is :func:`search_space`.
    estimator : estimator
        Whose parameters they are.

    Attributes
    ----------
    distributions : dict of str to optuna.distributions.BaseDistribution, or None
        As Optuna is given them: choices that JSON does not hold are replaced by labels. None for a
        function.

    Examples
    --------
    >>> from optuna.trial import FixedTrial
    >>> from glassclf.estimators import CNNClassifier
    >>> from glassclf.model_selection.spaces import Space
    >>> space = Space({"n_filters": ("choice", ((8,), (8, 16)))}, CNNClassifier())
    >>> space.distributions
    {'n_filters': CategoricalDistribution(choices=('(8,)', '(8, 16)'))}
    >>> space.suggest(FixedTrial({"n_filters": "(8, 16)"}))
    {'n_filters': (8, 16)}
    """

    def __init__(self, space, estimator):
        self._estimator = estimator
        self._function = self.distributions = None
        if callable(space):
            self._function = space
            return
        if space is None:
            space = search_space(estimator)
            if not space:
                raise ValueError(_nothing_known(estimator))
        if not isinstance(space, dict):
            raise TypeError(
                "space must be None, a dict of parameter names or a function of a trial, got "
                f"{space!r}"
            )
        if not space:
            raise ValueError(
                "space is empty: give it one parameter at least, or space=None to search what "
                "search_space(estimator) knows"
            )
        given = {name: _distribution(entry, f"{name!r} in space") for name, entry in space.items()}
        _check_names(estimator, {name: getattr(d, "choices", ()) for name, d in given.items()})
        self.distributions, self._values = {}, {}
        for name, distribution in given.items():
            self.distributions[name], self._values[name] = _labelled(distribution)

    def suggest(self, trial):
        """Let a trial choose.

        Parameters
        ----------
        trial : optuna.trial.Trial

        Returns
        -------
        parameters : dict
            For ``set_params`` of the estimator.

        Raises
        ------
        TypeError, ValueError
            If a function returns no dict, names what is no parameter, or asked the trial nothing.
        """
        if self._function is None:
            return self.decode({n: _suggest(trial, n, d) for n, d in self.distributions.items()})
        parameters = self._call(trial)
        if not trial.params:
            raise ValueError(
                "space(trial) suggested no parameter, so that all trials would be the same: take "
                "values from trial.suggest_float and the like"
            )
        return parameters

    def decode(self, params):
        """Translate what Optuna stored.

        Parameters
        ----------
        params : dict
            ``params`` of a trial.

        Returns
        -------
        parameters : dict
            What ``suggest`` returned in that trial.
        """
        if self._function is None:
            return {name: self._values[name].get(value, value) for name, value in params.items()}
        from optuna.trial import FixedTrial

        return self._call(FixedTrial(params))

    @property
    def description(self):
        """Text that is the same in every process for the same space."""
        if self._function is not None:
            return describe(self._function)
        from optuna.distributions import distribution_to_json

        return "\n".join(
            f"{name}: {distribution_to_json(distribution)}"
            for name, distribution in sorted(self.distributions.items())
        )

    def _call(self, trial):
        parameters = self._function(trial)
        if not isinstance(parameters, dict):
            raise TypeError(
                f"space(trial) must return a dict of parameter names and values, got {parameters!r}"
            )
        _check_names(self._estimator, {name: (value,) for name, value in parameters.items()})
        return parameters


def _owners(estimator):
    """All estimators within an estimator, itself first, by the prefix of their parameters."""
    within = {f"{n}__": v for n, v in estimator.get_params().items() if _has_parameters(v)}
    return {"": estimator, **within}


def _has_parameters(value):
    return hasattr(value, "get_params") and not isinstance(value, type)


def _entries(owner):
    # Of the class: some meta-estimators hand out the attributes of what they hold.
    kind = type(owner)
    if kind.__module__.startswith("sklearn."):
        return OF_SKLEARN.get(kind.__name__, {})
    entries = getattr(kind, "_search_space", {})
    if not isinstance(entries, dict):
        raise TypeError(
            f"the _search_space of {kind.__name__} must be a dict of parameter names, got "
            f"{entries!r}"
        )
    return owner._get_search_space() if hasattr(kind, "_get_search_space") else entries


def _distribution(entry, where):
    """Make a distribution of Optuna from plain data."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(entry, (CategoricalDistribution, FloatDistribution, IntDistribution)):
        return entry
    if not isinstance(entry, tuple):
        raise TypeError(
            f"{where} must be a distribution of optuna or a tuple such as "
            f"('float', 1e-4, 1e-1, 'log'), got {entry!r}: write several values as "
            "('choice', (value, ...)), and set a single one in the estimator"
        )
    kind = entry[0] if entry else None
    if not isinstance(kind, str) or kind not in FORMS:
        raise ValueError(f"{where} must begin with 'int', 'float' or 'choice', got {entry!r}")
    if not _has_form(kind, entry):
        raise ValueError(f"{where} must be {FORMS[kind]}, got {entry!r}")
    if kind == "choice":
        return _categorical(entry[1])
    low, high = entry[1:3]
    log = len(entry) == 4
    if low > high:
        raise ValueError(f"{where} must have its lower bound first, got {entry!r}")
    if log and low <= 0:
        raise ValueError(f"{where} must have bounds above 0, as it has 'log', got {entry!r}")
    make, number = (IntDistribution, int) if kind == "int" else (FloatDistribution, float)
    return make(number(low), number(high), log=log)


def _has_form(kind, entry):
    if kind == "choice":
        return len(entry) == 2 and isinstance(entry[1], (list, tuple)) and len(entry[1]) > 0
    number = Integral if kind == "int" else Real
    return entry[3:] in ((), ("log",)) and [_is_finite(v, number) for v in entry[1:3]] == [True] * 2


def _is_finite(value, number):
    return isinstance(value, number) and not isinstance(value, bool) and math.isfinite(value)


def _categorical(choices):
    from optuna.distributions import CategoricalDistribution

    with warnings.catch_warnings():
        # About choices that JSON does not hold; Space gives these labels.
        warnings.filterwarnings("ignore", message="Choices for a categorical distribution")
        return CategoricalDistribution(choices)


def _labelled(distribution):
    """Replace choices that JSON does not hold by labels; return also what each label stands for."""
    labels, values = [], {}
    choices = getattr(distribution, "choices", ())
    taken = {choice for choice in choices if isinstance(choice, str)}
    for choice in choices:
        if isinstance(choice, STORABLE):
            labels.append(choice)
            continue
        text = repr(choice)
        # An address is another one in every process.
        text = describe(choice) if " at 0x" in text else text
        free = (text, *(f"{text} ({n})" for n in range(2, len(choices) + 2)))
        label = next(label for label in free if label not in taken)
        taken.add(label)
        values[label] = choice
        labels.append(label)
    return (_categorical(labels) if values else distribution), values


def _suggest(trial, name, distribution):
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    ask = trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
    low, high = distribution.low, distribution.high
    return ask(name, low, high, step=distribution.step, log=distribution.log)


def _check_names(estimator, values):
    """Check that the estimator has the parameters, given the values that each may take."""
    known = set(estimator.get_params())
    for name, options in values.items():
        # A step that is put in brings its own.
        for option in filter(_has_parameters, options):
            known |= {f"{name}__{inner}" for inner in option.get_params()}
    for name in values:
        if name not in known:
            raise ValueError(
                f"space names {name!r}, which is no parameter of {type(estimator).__name__}"
                f"{_hint(name, known)}"
            )


def _hint(name, known):
    """Names that were meant perhaps, for the end of a message."""
    known, name = sorted(known), str(name)
    last = name.rpartition("__")[2]
    near = [one for one in known if one.rpartition("__")[2] == last]
    near = near[:3] or difflib.get_close_matches(name, known)
    if not near:
        return ": get_params() lists those that there are"
    return f": did you mean {' or '.join(map(repr, near))}?"


def _nothing_known(estimator):
    owners = _owners(estimator)
    leaves = [p for p in owners if not any(o != p and o.startswith(p) for o in owners)]
    steps = ", ".join(type(owners[leaf]).__name__ for leaf in leaves)
    parameters = estimator.get_params().items()
    examples = [name for name, value in parameters if _is_finite(value, Real)]
    example = examples[0] if examples else "parameter"
    return (
        f"space is empty: no search space is known for {steps}; give one, such as "
        f"space={{{example!r}: ('float', 1e-4, 1e-1, 'log')}}"
    )
