"""Displays of films: what is drawn is what was computed."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations
from glassclf.plotting import FilmDisplay, StabilityDisplay, animate_growth
from glassclf.testing import toy_films
from glassclf.thermodynamics import bulk_energies, bulk_region, film_profile

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def films():
    return toy_films(3)


def discs_of(ax):
    (discs,) = [one for one in ax.collections if hasattr(one, "get_widths")]
    return discs


def test_film_is_drawn_with_true_diameters_and_profiles_on_one_height(films):
    film = films[0]
    display = FilmDisplay.from_film(film, bin_width=2.0)
    discs = discs_of(display.ax_[0])
    assert set(np.round(discs.get_widths(), 3)) == {1.0, 0.88, 0.76}
    at = discs.get_offsets()
    assert {tuple(row) for row in film.positions} <= {tuple(row) for row in at}
    profile = film_profile(film, bin_width=2.0)
    for axis, values in zip(display.ax_[1:], (profile.density, profile.composition)):
        (steps,) = [one for one in axis.patches if hasattr(one, "get_data")]
        np.testing.assert_array_equal(steps.get_data().values, values)
        np.testing.assert_array_equal(steps.get_data().edges, profile.edges)
    assert len({axis.get_ylim() for axis in display.ax_}) == 1
    assert display.ax_[0].get_ylim()[1] > film.positions[:, 1].max()
    display.figure_.canvas.draw()


def test_bulk_and_surface_are_marked(films):
    display = FilmDisplay.from_film(films[0], margin=8.0)
    region = bulk_region(films[0], margin=8.0)
    for axis in display.ax_:
        heights = sorted(line.get_ydata()[0] for line in axis.lines if len(line.get_ydata()))
        assert heights == [region.y_low, region.y_high, region.surface]
    without = FilmDisplay(films[0], film_profile(films[0])).plot()
    assert not without.ax_[1].texts
    assert display.ax_[1].texts[0].get_text() == "bulk"
    assert display.ax_[1].get_title() == ""


def test_a_film_without_bulk_is_drawn_without_one():
    film = toy_films(1, n_rows=8)[0]
    with pytest.raises(ValueError, match="the film has no bulk"):
        bulk_region(film)
    display = FilmDisplay.from_film(film)
    assert display.region is None
    assert display.ax_[1].get_title() == "without bulk region"
    heights = [line.get_ydata()[0] for line in display.ax_[1].lines]
    assert heights == [film_profile(film).surface]
    (steps,) = [one for one in display.ax_[1].patches if hasattr(one, "get_data")]
    np.testing.assert_array_equal(steps.get_data().values, film_profile(film).density)
    # What is wrong with the input is still said.
    with pytest.raises(ValueError, match="margin must be None or a number"):
        FilmDisplay.from_film(film, margin=-1)


def test_particles_on_the_side_are_drawn_on_both_sides():
    film = Configuration(
        [[0.1, 3.0], [9.9, 4.0], [5.0, 5.0], [5.0, 0.5]], [0, 1, 0, 2], [10.0, 9.0], (True, False)
    )
    display = FilmDisplay(film, film_profile(film)).plot()
    at = {tuple(row) for row in discs_of(display.ax_[0]).get_offsets().round(3).tolist()}
    assert at == {(0.1, 3.0), (10.1, 3.0), (9.9, 4.0), (-0.1, 4.0), (5.0, 5.0), (5.0, 0.5)}


def test_axes_that_are_given_are_used(films):
    figure, axes = pyplot.subplots(1, 3)
    display = FilmDisplay.from_film(films[0], ax=axes)
    assert list(display.ax_) == list(axes)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="drawing a film needs 3 axes, got 1"):
        FilmDisplay.from_film(films[0], ax=axes[0])


def growing(n_rows=(12, 4, 8), **info):
    films = Configurations(toy_films(1, n_rows=n)[0] for n in n_rows)
    films.info["n_deposited"] = [14 * n for n in n_rows]
    films.info.update(info)
    return films


def test_growth_is_shown_in_order_and_written(tmp_path):
    image = pytest.importorskip("PIL.Image")
    animation = animate_growth(growing(), tmp_path / "growth.gif", frames_per_second=5)
    with image.open(tmp_path / "growth.gif") as written:
        assert written.n_frames == 3
        assert written.info["duration"] == 200
    figure = animation._fig
    titles, numbers = [], []
    for frame in range(3):
        animation._draw_frame(frame)
        titles.append(figure.axes[0].get_title())
        numbers.append(len(discs_of(figure.axes[0]).get_offsets()))
    assert titles == ["56 particles", "112 particles", "168 particles"]
    assert numbers == sorted(numbers)


def test_only_snapshots_of_the_growth_are_shown_where_they_are_marked():
    films = growing(state=["growing", "growing", "inherent"])
    animation = animate_growth(films, ax=pyplot.subplots()[1])
    assert len(list(animation.new_frame_seq())) == 2
    animation._draw_was_started = True


def test_bad_input_of_the_animation(tmp_path):
    with pytest.raises(ValueError, match='must have "n_deposited"'):
        animate_growth(toy_films(1))
    with pytest.raises(ValueError, match="films must be of one run, got 2: .*== 'a'"):
        animate_growth(growing(run=["a", "b", "a"]))
    for speed in (0, -1.0):
        with pytest.raises(ValueError, match="frames_per_second must be positive"):
            animate_growth(growing(), frames_per_second=speed)
    for name in ("growth.mp4", "growth"):
        with pytest.raises(ValueError, match=f"path must end in .gif.*got .*{name}"):
            animate_growth(growing(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_stability_draws_bulk_energies_of_inherent_films(films):
    warmer = toy_films(2, substrate_temperature=0.231, random_state=1)
    both = Configurations.concatenate([films, warmer])
    display = StabilityDisplay.from_films(both, margin=7.0)
    inherent = both[both.info["state"] == "inherent"]
    bulk = bulk_energies(inherent, margin=7.0)
    np.testing.assert_allclose(display.raw, bulk.energy)
    np.testing.assert_allclose(
        display.energy, bulk.energy - display.slope * (bulk.composition - bulk.composition.mean())
    )
    drawn = np.sort(np.concatenate([line.get_ydata() for line in display.ax_.lines]))
    for material in ("vapor-deposited", "liquid-cooled"):
        for temperature in (0.189, 0.231):
            chosen = (display.material == material) & (display.substrate_temperature == temperature)
            assert np.isclose(drawn, display.energy[chosen].mean()).any()
    display.figure_.canvas.draw()


def test_stability_of_one_film_each_and_of_one_material(films):
    deposited = films[films.info["material"] == "vapor-deposited"]
    other = toy_films(1, substrate_temperature=0.231, random_state=1)[:2]
    display = StabilityDisplay.from_films(Configurations.concatenate([deposited, other]))
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "vapor-deposited, mean" in labels
    assert "liquid-cooled, mean" not in labels
    display.figure_.canvas.draw()
    single = StabilityDisplay.from_films(films[:4], slope=-1.4)
    assert single.slope == -1.4


def test_bad_input_of_the_stability(films):
    with pytest.raises(ValueError, match="no slope can be fitted"):
        StabilityDisplay.from_films(films[:4])
    with pytest.raises(ValueError, match="none of the films is in the state 'inherent'"):
        StabilityDisplay.from_films(films[films.info["state"] == "thermal"])
    lacking = Configurations(list(films))
    del lacking.info["material"]
    with pytest.raises(ValueError, match=r"films.info must have .* it lacks \['material'\]"):
        StabilityDisplay.from_films(lacking)
