"""
Where the glass begins
======================

While a melt cools, the energy of its inherent structures falls and then stays: two straight lines
through the two parts cross at the glass transition temperature. This example fits them to the
bundled runs, and shows what moves the crossing: other runs, and other windows. Quote a Tg with its
interval *and* with its windows.

Run it from a checkout::

    python examples/plot_glass_transition.py     # a few seconds

It prints a table and writes ``glass_transition.png`` into ``glass_transition_output``.
"""

# %%
# The pairs of windows to try: that of the glass is the same, those of the liquid begin and end at
# other temperatures.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from glassclf.datasets import load_kob_andersen
from glassclf.plotting import CoolingCurvesDisplay, GlassTransitionDisplay
from glassclf.thermodynamics import GlassTransition, compare_glass_transitions, cooling_curves

# Few resamples, to test that the script works: its intervals then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_BOOTSTRAP = 100 if QUICK else 5000
LOW = (0.05, 0.206)
HIGH = ((0.479, 0.8), (0.479, 0.635), (0.5, 0.8), (0.547, 1.0), (0.635, 1.0))


def name_of(window):
    return f"{window[0]:g} to {window[1]:g}"


# %%
# The fits. The runs are named, so that the comparisons below know that they are the same.
def fit_transitions(curves):
    fitted = {}
    print(f"{len(curves)} runs, {curves.cooling_steps:,} steps; low window {name_of(LOW)}\n")
    print(f"{'high window':<16}{'Tg':>7}{'interval over runs':>22}{'slopes, low / high':>22}")
    for high in HIGH:
        transition = GlassTransition(LOW, high, n_bootstrap=N_BOOTSTRAP, random_state=0)
        transition.fit(curves.temperature, curves.energy, groups=curves.runs)
        low_end, high_end = transition.tg_interval_
        interval = f"{low_end:.3f} to {high_end:.3f}"
        ratio = f"{transition.slope_ratio_:.2f}"
        print(f"{name_of(high):<16}{transition.tg_:>7.3f}{interval:>22}{ratio:>22}")
        fitted[name_of(high)] = transition
    return fitted


# %%
# Are the differences real? All fits see the same runs, so that each resample draws the same runs
# for both of a pair: differences are resolved that the two intervals alone would leave open.
def compare(fitted):
    result = compare_glass_transitions(fitted, n_bootstrap=N_BOOTSTRAP, random_state=0)
    print("\ndifferences, on the same runs:")
    for sentence in result.sentences[: len(fitted) - 1]:
        print(f"  {sentence}")


# %%
# The figure: the whole curve, the crossing with its windows shaded, and Tg for each high window.
def draw(curves, fitted, path):
    figure, (left, centre, right) = plt.subplots(1, 3, figsize=(15, 4.2), layout="constrained")
    CoolingCurvesDisplay.from_curves({curves.cooling_steps: curves}, ax=left)
    GlassTransitionDisplay.from_estimator(fitted[name_of(HIGH[0])], ax=centre)
    for place, transition in enumerate(fitted.values()):
        low_end, high_end = transition.tg_interval_
        right.plot(transition.tg_window_range_, [place] * 2, color="0.8", linewidth=9, zorder=1)
        right.plot([low_end, high_end], [place] * 2, color="#0072b2", linewidth=2)
        right.plot(transition.tg_, place, "D", color="#0072b2", markersize=6)
    right.plot([], [], color="0.8", linewidth=9, label="windows moved by a quarter")
    right.plot([], [], color="#0072b2", linewidth=2, label="95 % interval over runs")
    right.set(xlabel="Tg", ylabel="high window", yticks=range(len(fitted)), yticklabels=fitted)
    right.set_ylim(len(fitted) + 0.1, -0.5)  # leaves room for the legend
    right.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(output="glass_transition_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print(f"GLASSCLF_QUICK=1: {N_BOOTSTRAP} resamples; the intervals mean nothing")
    curves = cooling_curves(load_kob_andersen())
    fitted = fit_transitions(curves)
    compare(fitted)
    draw(curves, fitted, output / "glass_transition.png")
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Where the glass begins.")
    parser.add_argument("--output", default="glass_transition_output", help="folder of the figure")
    main(parser.parse_args().output)
