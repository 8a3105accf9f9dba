"""Workers that come, go and die share the trials of a study exactly."""

import os
import signal
import subprocess
import sys
import threading
import time

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.model_selection.liveness import BEAT, WORKER, Worker, _place, _process
from glassclf.model_selection.sharing import (
    DEATHS,
    ERROR,
    MAX_DEATHS,
    RETRY_OF,
    claim,
    counts,
    finish,
    give_back,
    is_complete,
    take_back,
    worker_of_last,
)
from glassclf.model_selection.studies import open_storage


class Stranger(Worker):
    """A worker in another process, which lives or not."""

    def __init__(self, process, grace_period=1e6):
        super().__init__(grace_period)
        self.process = process

    @property
    def record(self):
        return {"name": self.name, "process": self.process}


@pytest.fixture
def study(tmp_path):
    sampler = optuna.samplers.RandomSampler(0)
    storage = open_storage(tmp_path / "journal.log")
    return optuna.create_study(storage=storage, sampler=sampler, direction="maximize")


def suggest(trial):
    return trial.suggest_float("C", 1e-2, 1e2, log=True)


def states(study):
    return [trial.state.name for trial in study.trials]


def test_a_process_that_ended_is_dead_at_once(study, dead):
    worker = Worker(1e6)
    trial = claim(study, 3, Stranger(dead))
    value = suggest(trial)
    take_back(study, Stranger(dead))
    assert states(study) == ["FAIL", "WAITING"]
    assert not counts(study.trials[0])
    again = claim(study, 3, worker)
    assert suggest(again) == value
    assert again.user_attrs[RETRY_OF] == 0
    assert again.user_attrs[DEATHS] == 1
    take_back(study, worker)
    take_back(study, Worker(1e-9))
    assert states(study) == ["FAIL", "RUNNING"]


def test_a_number_that_another_process_has_now_is_told_by_its_start():
    own = _process(os.getpid())
    study = optuna.create_study()
    claim(study, 3, Stranger({**own, "start": own["start"] - 1}))
    claim(study, 3, Stranger(own))
    take_back(study, Worker(1e6))
    assert states(study) == ["FAIL", "RUNNING"]


def test_a_child_that_nobody_has_waited_for_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    alive = _process(child.pid)
    study = optuna.create_study()
    claim(study, 1, Stranger(alive))
    take_back(study, Worker(1e6))
    assert states(study) == ["RUNNING"]
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    take_back(study, Worker(1e6))
    assert states(study) == ["FAIL"]
    child.communicate()


@pytest.mark.parametrize("process", [None, {"place": None, "pid": 1, "start": None}, "elsewhere"])
def test_without_a_process_the_signs_of_life_count(study, process):
    process = {**_process(os.getpid()), "place": "far away"} if process == "elsewhere" else process
    worker, trial = Worker(0.2), claim(study, 3, Stranger(process))
    suggest(trial)
    for number in range(3):
        trial.set_user_attr(BEAT, number)
        take_back(study, worker)
        time.sleep(0.15)
    assert states(study) == ["RUNNING"]
    time.sleep(0.1)
    # Who has just come has seen nothing yet.
    take_back(study, Worker(0.2))
    assert states(study) == ["RUNNING"]
    take_back(study, worker)
    assert states(study) == ["FAIL", "WAITING"]


def test_a_trial_that_was_never_signed_is_taken_back(study):
    study.ask()
    worker = Worker(0.05)
    take_back(study, worker)
    time.sleep(0.1)
    take_back(study, worker)
    assert states(study) == ["FAIL"]
    assert not is_complete(study, 1)
    assert claim(study, 1, worker).number == 1


def test_signs_of_life_are_given():
    study, worker = optuna.create_study(), Worker(0.2)
    trials = [claim(study, 2, worker) for _ in range(2)]
    with worker.beating(trials):
        deadline = time.monotonic() + 20
        while not all(trial.user_attrs.get(BEAT, 0) >= 2 for trial in study.trials):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        # A trial that is over is no trouble.
        finish(study, 0, "FAIL")
        time.sleep(0.1)
    assert not any(thread.name == "glassclf-beat" for thread in threading.enumerate())


def test_after_three_deaths_a_trial_has_failed(study, dead):
    worker = Worker(1e6)
    for number in range(MAX_DEATHS):
        value = suggest(claim(study, 1, Stranger(dead)))
        assert is_complete(study, 1) is False
        take_back(study, worker)
        assert study.trials[number].params == {"C": value}
    assert states(study) == ["FAIL"] * MAX_DEATHS
    last = study.trials[-1]
    assert last.user_attrs[ERROR] == "the workers that ran it died, 3 times in a row"
    assert [counts(trial) for trial in study.trials] == [False, False, True]
    assert len({trial.params["C"] for trial in study.trials}) == 1
    assert is_complete(study, 1)
    assert claim(study, 1, worker) is None
    # Whoever found that out is the one to end the search.
    assert worker_of_last(study) == worker.name


def test_a_queued_trial_keeps_its_parameters_when_its_worker_dies_early(study, dead):
    value = suggest(claim(study, 3, Stranger(dead)))
    worker = Worker(1e6)
    take_back(study, worker)
    claim(study, 3, Stranger(dead))
    take_back(study, worker)
    assert states(study) == ["FAIL", "FAIL", "WAITING"]
    assert suggest(claim(study, 3, worker)) == value
    assert study.trials[-1].user_attrs[DEATHS] == 2


def test_what_is_given_back_is_no_death(study):
    value = suggest(claim(study, 3, Worker(1e6)))
    for number in range(MAX_DEATHS + 1):
        give_back(study, study.trials[number])
        trial = claim(study, 3, Worker(1e6))
        assert suggest(trial) == value
        assert trial.user_attrs[DEATHS] == 0
    give_back(study, study.trials[0])
    assert states(study) == ["FAIL"] * (MAX_DEATHS + 1) + ["RUNNING"]


def test_who_was_taken_for_dead_by_mistake_does_not_count(study):
    slow, other = Stranger(None), Worker(1e-9)
    trial = claim(study, 1, slow)
    suggest(trial)
    for _ in range(2):
        take_back(study, other)
    again = claim(study, 1, other)
    assert finish(study, again.number, "COMPLETE", [1.0])
    assert finish(study, trial.number, "COMPLETE", [2.0]) is False
    give_back(study, trial)
    assert states(study) == ["FAIL", "COMPLETE"]
    assert study.best_value == 1.0
    with pytest.raises(ValueError, match="values are required|No values"):
        finish(study, study.ask().number, "COMPLETE")


def test_who_comes_too_late_gives_the_trial_back():
    class Crowded(optuna.storages.InMemoryStorage):
        """Another worker makes a trial just before the one that is asked for."""

        def create_new_trial(self, *arguments, **named):
            if earlier:
                earlier.pop()()
            return super().create_new_trial(*arguments, **named)

    study = optuna.create_study(storage=Crowded())
    earlier = [lambda: claim(study, 1, Worker(1e6))]
    assert claim(study, 1, Worker(1e6)) is None
    assert states(study) == ["RUNNING", "FAIL"]
    assert not counts(study.trials[1])


def test_who_was_taken_for_dead_before_it_could_sign_claims_nothing(study):
    class Slow(Worker):
        def sign(self, trial):
            finish(study, trial.number, "FAIL")
            super().sign(trial)

    assert claim(study, 1, Slow(1e6)) is None
    assert claim(study, 1, Worker(1e6)).number == 1


def test_a_grid_loses_no_point(study, dead):
    values = [0.1, 1.0, 10.0, 50.0]
    study.sampler = optuna.samplers.GridSampler({"C": values}, seed=0)
    claim(study, 9, Stranger(dead))  # dies before it asks for parameters
    give_back(study, claim(study, 9, Worker(1e6)))
    worker, done = Worker(1e6), []
    while not is_complete(study, 9):
        take_back(study, worker)
        trial = claim(study, 9, worker)
        done.append(suggest(trial))
        finish(study, trial.number, "COMPLETE", [1.0])
    assert sorted(done) == values
    assert claim(study, 9, worker) is None


# Workers claim (c), end a trial (d), give it back (b) or are killed (k), in any order.
courses = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("cdbk")), max_size=40)


@given(n_trials=st.integers(1, 6), course=courses)
def test_any_course_gives_the_budget_exactly(dead, n_trials, course):
    check_course(None, dead, n_trials, course)


@pytest.mark.slow
@settings(max_examples=5)
@given(n_trials=st.integers(1, 6), course=courses)
def test_any_course_in_a_database_does_too(tmp_path_factory, dead, n_trials, course):
    check_course(f"sqlite:///{tmp_path_factory.mktemp('x')}/study.db", dead, n_trials, course)


def check_course(storage, dead, n_trials, course):
    sampler = optuna.samplers.RandomSampler(0)
    study = optuna.create_study(storage=storage, sampler=sampler, direction="maximize")
    alive = _process(os.getpid())
    workers, running = [Stranger(alive) for _ in range(4)], {}
    rest = [(place, what) for _ in range(n_trials * 2) for what in "cd" for place in range(4)]
    for place, what in [*course, *rest]:
        worker = workers[place]
        take_back(study, worker)
        if what == "c" and worker not in running:
            trial = claim(study, n_trials, worker)
            if trial is not None:
                suggest(trial)
                running[worker] = trial
        elif what == "k" and worker in running:
            running.pop(worker).set_user_attr(WORKER, {"name": worker.name, "process": dead})
            workers[place] = Stranger(alive)
        elif worker in running:
            trial = running.pop(worker)
            if what == "b":
                give_back(study, trial)
            else:
                assert finish(study, trial.number, "COMPLETE", [trial.params["C"]])
        assert sum(counts(trial) for trial in study.trials) <= n_trials
    assert is_complete(study, n_trials)
    counted = [trial for trial in study.trials if counts(trial)]
    assert len(counted) == n_trials
    for trial in study.trials:
        retries = [t for t in study.trials if t.user_attrs.get(RETRY_OF) == trial.number]
        assert len(retries) == (0 if counts(trial) else 1)
        assert all(retry.params == trial.params for retry in retries)


def test_workers_in_threads_share_the_budget_exactly(study, dead):
    """Real simultaneity: eight workers claim and end trials, some give theirs back."""
    n_trials = 20

    def work(number):
        own = optuna.load_study(
            study_name=study.study_name,
            storage=study._storage,
            sampler=optuna.samplers.RandomSampler(number),
        )
        worker = Worker(1e6)
        for step in range(1000):
            if is_complete(own, n_trials):
                return
            trial = claim(own, n_trials, worker)
            if trial is None:
                time.sleep(0.01)
                continue
            suggest(trial)
            if (number + step) % 5 == 0:
                give_back(own, trial)
            else:
                finish(own, trial.number, "COMPLETE", [1.0])

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_complete(study, n_trials)
    finished = [trial for trial in study.trials if counts(trial) and trial.state.is_finished()]
    assert len(finished) == n_trials


def test_the_place_of_a_process_is_known_on_linux():
    assert _place() is not None
    assert _process(os.getpid())["place"] == _place()
    assert _process(2**30) is None
