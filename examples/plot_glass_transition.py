"""
Where the glass begins
======================

While a melt cools, the energy of its inherent structures falls and then stays: two straight lines
through the two parts cross at the glass transition temperature. A slower cooling follows the liquid
further down and ends deeper. This example compares three rates of cooling, and shows what moves the
crossing: other runs, other rates, and other windows. Quote a Tg with its interval *and* with its
windows.

Run it from a checkout::

    python examples/plot_glass_transition.py     # a few seconds

It prints tables and writes ``glass_transition.png`` into ``glass_transition_output``.
"""

# %%
# The pairs of windows to try: that of the glass is the same, those of the liquid begin and end at
# other temperatures.
import argparse
import os
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from glassclf.datasets import load_cooling_curves
from glassclf.plotting import CoolingCurvesDisplay, GlassTransitionDisplay
from glassclf.thermodynamics import GlassTransition, compare_energies, compare_glass_transitions

# Few resamples, to test that the script works: its intervals then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_BOOTSTRAP = 100 if QUICK else 5000
LOW = (0.05, 0.2)
HIGH = ((0.5, 0.8), (0.6, 0.9), (0.7, 1.0), (0.5, 1.0))


def name_of(window):
    return f"{window[0]:g} to {window[1]:g}"


# %%
# The energy at the end of the cooling: it tells the rates apart with few runs.
def compare_ends(curves):
    result = compare_energies(curves, temperature=0.05)
    for name, mean, error in zip(result.names, result.mean, result.standard_error):
        print(f"{name}: {mean:.4f} +- {error:.4f} at T = 0.05, {len(curves[name])} runs")
    print()
    for sentence in result.sentences:
        print(f"  {sentence}")


# %%
# The fits, for each rate and each high window. Runs are named, so that comparisons know which fits
# see the same runs: there each resample draws the same runs for both. A fit warns where its
# interval reaches outside the data, as with far windows and fast coolings; here a star says so.
def fit_transitions(curves):
    fitted = {}
    print(f"\nTg and its interval over runs; low window {name_of(LOW)}\n")
    print(f"{'high window':<14}" + "".join(f"{name:>26}" for name in curves))
    for high in HIGH:
        cells = ""
        for name, each in curves.items():
            transition = GlassTransition(LOW, high, n_bootstrap=N_BOOTSTRAP, random_state=0)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                transition.fit(each.temperature, each.energy, groups=each.runs)
            fitted[name, high] = transition
            low_end, high_end = transition.tg_interval_
            star = "*" if caught else " "
            cells += f"{f'{transition.tg_:.3f} [{low_end:.3f}, {high_end:.3f}]{star}':>26}"
        print(f"{name_of(high):<14}{cells}")
    print("* reaches outside the data: these runs hardly show where the bend is")
    return fitted


def compare_rates(curves, fitted):
    same_windows = {name: fitted[name, HIGH[0]] for name in curves}
    result = compare_glass_transitions(same_windows, n_bootstrap=N_BOOTSTRAP, random_state=0)
    print("\ndo the rates differ in Tg?")
    for sentence in result.sentences:
        print(f"  {sentence}")


# %%
# The figure: the curves and where they part, one crossing with its windows shaded, and Tg by rate
# and window.
def draw(curves, fitted, path):
    figure, (left, centre, right) = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
    CoolingCurvesDisplay.from_curves(curves, ax=left)
    middle = list(curves)[1]
    GlassTransitionDisplay.from_estimator(fitted[middle, HIGH[0]], ax=centre)
    centre.set_title(middle)
    colors = [line.get_color() for line in left.get_legend().get_lines()]
    for index, (name, color) in enumerate(zip(curves, colors)):
        for place, high in enumerate(HIGH):
            transition, at = fitted[name, high], place + 0.2 * (index - 1)
            right.plot(transition.tg_interval_, [at, at], color=color, linewidth=2)
            label = name if place == 0 else None
            marker = "Dos"[index]
            right.plot(transition.tg_, at, marker, color=color, markersize=6, label=label)
    right.set(xlabel="Tg, with its interval over runs", ylabel="high window")
    right.set(yticks=range(len(HIGH)), yticklabels=[name_of(high) for high in HIGH])
    right.set_xlim(0, 1)  # some intervals are wider
    right.set_ylim(len(HIGH) + 0.3, -0.5)  # leaves room for the legend
    right.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(output="glass_transition_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print(f"GLASSCLF_QUICK=1: {N_BOOTSTRAP} resamples; the intervals mean nothing")
    # Some windows make no sense for some rates: the table shows it.
    warnings.filterwarnings("ignore", message="the lines cross at .* outside the data")
    curves = {f"{steps:,} steps": each for steps, each in load_cooling_curves().curves.items()}
    compare_ends(curves)
    fitted = fit_transitions(curves)
    compare_rates(curves, fitted)
    draw(curves, fitted, output / "glass_transition.png")
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Where the glass begins.")
    parser.add_argument("--output", default="glass_transition_output", help="folder of the figure")
    main(parser.parse_args().output)
