"""What a search optimises: scores, and what they cost."""

from dataclasses import dataclass

from sklearn.metrics import check_scoring

from glassclf.model_selection.search_results import COSTS


@dataclass
class Objectives:
    """Scores and costs of a search.

    Parameters
    ----------
    scoring : object
        The parameter, without costs: what scikit-learn's searches take.
    directions : dict of str
        "maximize" or "minimize" by the name of what is optimised.
    """

    scoring: object
    directions: dict

    @classmethod
    def of(cls, scoring, refit):
        """Read the parameters of a search.

        Parameters
        ----------
        scoring : str, callable, list, tuple, dict or None
        refit : bool or str

        Returns
        -------
        objectives : Objectives

        Raises
        ------
        ValueError
            If there are several scores and ``refit`` does not say which one counts.
        """
        if not isinstance(scoring, (list, tuple, dict)):
            # A callable may return several scores, of which refit names one.
            several = callable(scoring) and isinstance(refit, str)
            return cls(scoring, {refit if several else "score": "maximize"})
        named = scoring if isinstance(scoring, dict) else {name: name for name in scoring}
        scores = {name: what for name, what in named.items() if what not in COSTS}
        costs = [name for name, what in named.items() if what in COSTS]
        if misnamed := [name for name in costs if named[name] != name]:
            raise ValueError(
                f"scoring gives {named[misnamed[0]]!r} the name {misnamed[0]!r}: costs keep theirs"
            )
        if not scores:
            raise ValueError(f"scoring names costs only ({', '.join(costs)}): add a score")
        if isinstance(refit, str) and refit in scores:
            directions = {refit: "maximize"}
        elif refit is False:
            directions = dict.fromkeys(scores, "maximize") | dict.fromkeys(costs, "minimize")
        else:
            raise ValueError(
                f"scoring has several entries, so refit must name the score that counts, one of "
                f"{', '.join(scores)}, or be False for a front of trials; got {refit!r}"
            )
        kept = scores if isinstance(scoring, dict) else list(scores)
        return cls(kept, directions)


def scorer_of(estimator, scoring):
    """Make what scores a fitted estimator.

    Parameters
    ----------
    estimator : estimator
    scoring : str, callable, list, tuple, dict or None
        Without costs.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` returns a score or a dict of them, and raises what is raised.
    """
    if callable(scoring):
        return scoring
    if scoring is None or isinstance(scoring, str):
        return check_scoring(estimator, scoring)
    return check_scoring(estimator, scoring, raise_exc=True)


def is_multimetric(scorer):
    """Whether a scorer was made of several.

    Parameters
    ----------
    scorer : callable

    Returns
    -------
    answer : bool
    """
    return isinstance(getattr(scorer, "_scorers", None), dict)
