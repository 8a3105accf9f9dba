"""What a search tells while it runs: a bar with the best score, a line for each trial."""

from glassclf.estimators.progress import may_draw, open_bar, print_line
from glassclf.model_selection.sharing import counts

BAR = "{desc} {percentage:3.0f}%|{bar}| {n}/{total} trials [{elapsed}<{remaining}{postfix}]"


class SearchBar:
    """Progress of a study, all its workers together.

    Parameters
    ----------
    n_trials : int
    verbose : int
        0: nothing, 1: the bar, 2: a line for each trial of this process as well.
    """

    def __init__(self, n_trials, verbose):
        self.n_trials, self.verbose = n_trials, verbose if may_draw() else 0
        self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def show(self, study):
        """Move the bar to where the study is.

        Parameters
        ----------
        study : optuna.Study
        """
        if self.verbose < 1:
            return
        trials = [trial for trial in study.get_trials(deepcopy=False) if counts(trial)]
        n_done = sum(trial.state.is_finished() for trial in trials)
        if self._bar is None:
            # Those of earlier calls say nothing about the time left.
            self._bar = open_bar("search", BAR, total=self.n_trials, initial=n_done)
        done = [trial for trial in trials if trial.state.name == "COMPLETE"]
        if done and len(study.directions) == 1:
            best = max(trial.value for trial in done)
            self._bar.set_postfix_str(f"best {best:.4g}", refresh=False)
        self._bar.update(n_done - self._bar.n)

    def tell(self, trial, outcome):
        """Print a line about a trial that has ended.

        Parameters
        ----------
        trial : optuna.Trial
        outcome : Outcome
        """
        if self.verbose < 2:
            return
        what = outcome.text or ", ".join(f"{value:.4g}" for value in outcome.values or ())
        print_line(f"trial {trial.number} {outcome.state.lower()}: {what} with {trial.params}")
