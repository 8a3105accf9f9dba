"""What a film looks like along its direction of growth, and which part of it is bulk."""

import numbers
from contextlib import contextmanager

import numpy as np
from sklearn.utils import Bunch

from glassclf.configurations.box import is_rectangular
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.neighbors import pairs_one_way

SUBSTRATE = 2
# A slab is filled where the density is at least this share of that of the film.
FILLED = 0.5
# The surface layer is about 3 sigma wide and the layering at the substrate fades within 6; what is
# farther away than 10 does not feel them at all.
MARGIN, WIDE_MARGIN = 6.0, 10.0
# A particle of the film has so many neighbours in reach, one of gas has not.
FEWEST_NEIGHBORS, REACH = 3, 1.5
COLUMN_WIDTH = 2.0
SLAB_WIDTH = 2.0
DENSITY_TOLERANCE = 0.15
COMPOSITION_ERRORS = 4.0


class NoBulkError(ValueError):
    """No part of a film is bulk, although nothing is wrong with the film or the parameters."""


def film_profile(film, bin_width=1.0):
    """Density and composition of a film in slabs along the direction of growth.

    Parameters
    ----------
    film : Configuration
        In two dimensions: x along the substrate and periodic, y the direction of growth and open;
        types 0 (A), 1 (B) and 2 (substrate).
    bin_width : float, default=1.0
        Height of a slab, in sigma_AA.

    Returns
    -------
    profile : sklearn.utils.Bunch
        ``y`` : ndarray of shape (n_bins,), centres of the slabs; ``edges`` : ndarray of shape
        (n_bins + 1,), multiples of ``bin_width``; ``n_particles`` : ndarray of int of shape
        (n_bins,), without the substrate; ``density`` : ndarray of shape (n_bins,), those per area;
        ``composition`` : ndarray of shape (n_bins,), share of type 1 among them, NaN in an empty
        slab; ``substrate_top`` : float, height of the highest particle of the substrate;
        ``surface`` : float, height of the surface of the film, see Notes.

    Raises
    ------
    TypeError
        If the film is no Configuration.
    ValueError
        If it is not in the format of a film, or ``bin_width`` is not a positive number.

    Notes
    -----
    The surface is where the density falls through one half of that of the film, above the highest
    slab that is filled to more than that. It is not the highest particle: one particle of gas would
    lift it to the lid.

    Examples
    --------
    >>> from glassclf.testing import toy_films
    >>> from glassclf.thermodynamics import film_profile
    >>> profile = film_profile(toy_films(1)[0])
    >>> profile.density[8:12].round(1)
    array([1.2, 1.2, 1.1, 1.1])
    >>> round(profile.surface), float(profile.y[profile.n_particles > 0].max())
    (30, 34.5)
    """
    _check_film(film)
    if not _is_positive(bin_width):
        raise ValueError(f"bin_width must be a positive number, got {bin_width!r}")
    is_film = film.types != SUBSTRATE
    heights, is_b = film.positions[is_film, 1], film.types[is_film] == 1
    substrate_top = float(film.positions[~is_film, 1].max())
    low = int(np.floor(film.positions[:, 1].min() / bin_width))
    high = int(np.ceil(max(film.positions[:, 1].max(), film.box[1]) / bin_width))
    edges = np.arange(min(low, 0), high + 1) * float(bin_width)
    slabs = _count_slabs(heights, is_b, edges, film.box[0])
    return Bunch(
        y=(edges[:-1] + edges[1:]) / 2,
        edges=edges,
        substrate_top=substrate_top,
        surface=_surface(slabs, edges),
        **slabs,
    )


def bulk_region(film, margin=None):
    """Find the part of a film that is bulk: away from its ends, of one density and composition.

    Parameters
    ----------
    film : Configuration
        As in :func:`film_profile`.
    margin : float, default=None
        Distance to keep from the substrate and from the lowest place of the surface, in sigma_AA.
        None: 10 where that leaves at least half of the film, else 6.

    Returns
    -------
    region : sklearn.utils.Bunch
        ``y_low``, ``y_high`` : float, its ends; ``density``, ``composition`` : float, particles per
        area and share of type 1; ``n_particles`` : int; ``margin`` : float, the one kept;
        ``lowest_surface`` : float, height of the film where it is thinnest; ``substrate_top``,
        ``surface`` : float, as in :func:`film_profile`.

    Raises
    ------
    TypeError
        If the film is no Configuration.
    ValueError
        If it is not in the format of a film, or ``margin`` is not a number of at least 0.
    NoBulkError
        If no part of the film is bulk; the message says why. It is a ValueError too.

    Notes
    -----
    Deposited films are rough. A valley may be 6 sigma deep, and what keeps its distance from the
    mean surface then reaches the bottom of the valley. So the film is cut into columns about 2
    sigma wide, and the distance is kept from the lowest of their tops. Gas is left out: particles
    with less than three neighbours within 1.5 sigma.

    What lies between the margins is cut into slabs about 2 sigma high. A slab is of the bulk if its
    density is within 15 % of the median of the slabs, and its composition within four standard
    errors (binomial) of theirs; the region is the largest number of such slabs in a row.

    Examples
    --------
    >>> from glassclf.testing import toy_films
    >>> from glassclf.thermodynamics import bulk_region
    >>> region = bulk_region(toy_films(1)[0])
    >>> round(region.y_low), round(region.y_high), round(region.density, 2)
    (8, 23, 1.15)
    """
    if margin is not None and not (_is_positive(margin) or _is_zero(margin)):
        raise ValueError(f"margin must be None or a number of at least 0, got {margin!r}")
    profile = film_profile(film)
    lowest_surface = _lowest_surface(film, profile.substrate_top)
    thickness = lowest_surface - profile.substrate_top
    if margin is None:
        margin = WIDE_MARGIN if thickness >= 4 * WIDE_MARGIN else MARGIN
    low, high = profile.substrate_top + margin, lowest_surface - margin
    if high - low < SLAB_WIDTH:
        raise NoBulkError(
            f"the film has no bulk: it is {thickness:.1f} sigma thick where it is thinnest, and a "
            f"margin of {margin:g} at the substrate and at the surface must leave {SLAB_WIDTH:g}: "
            "make a thicker film"
        )
    edges = np.linspace(low, high, int((high - low) / SLAB_WIDTH) + 1)
    is_film = film.types != SUBSTRATE
    heights, is_b = film.positions[is_film, 1], film.types[is_film] == 1
    slabs = _count_slabs(heights, is_b, edges, film.box[0])
    alike = _is_like_the_others(slabs)
    if not alike.any():
        raise NoBulkError(
            f"the film has no bulk: between {low:.1f} and {high:.1f} no part has the density and "
            f"composition of most others, densities are {slabs['density'].round(2).tolist()}"
        )
    first, last = _longest_run(alike)
    y_low, y_high = float(edges[first]), float(edges[last])
    inside = (heights >= y_low) & (heights < y_high)
    return Bunch(
        y_low=y_low,
        y_high=y_high,
        n_particles=int(inside.sum()),
        density=float(inside.sum() / (film.box[0] * (y_high - y_low))),
        composition=float(is_b[inside].mean()),
        margin=float(margin),
        lowest_surface=lowest_surface,
        substrate_top=profile.substrate_top,
        surface=profile.surface,
    )


def film_name(index, info):
    """Name a film for a message, by its place in the set and what its info says.

    Parameters
    ----------
    index : int
    info : dict

    Returns
    -------
    name : str
        Such as "film 3 (ka2d-film-001, vapor-deposited, inherent)".
    """
    facts = [str(info[name]) for name in ("run", "material", "state") if name in info]
    return f"film {index}" + (f" ({', '.join(facts)})" if facts else "")


@contextmanager
def film_errors(index, info):
    """Name the film in the message of a ValueError from within.

    Parameters
    ----------
    index : int
    info : dict

    Raises
    ------
    ValueError
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{film_name(index, info)}: {error}") from error


def _check_film(film):
    if not isinstance(film, Configuration):
        raise TypeError(f"a film must be a Configuration, got {type(film).__name__}")
    if film.n_dims != 2 or film.periodic.tolist() != [True, False]:
        raise ValueError(
            "a film must be two-dimensional, periodic along x and open along y, got "
            f"{film.n_dims} dimensions and periodic={film.periodic.tolist()}"
        )
    if not is_rectangular(film.cell):
        raise ValueError(f"a film must have a rectangular box, got {film.box.tolist()}")
    present = np.unique(film.types)
    if SUBSTRATE not in present or present[0] == SUBSTRATE or present[-1] > SUBSTRATE:
        raise ValueError(
            "a film must have particles of type 0 or 1 on a substrate of type 2, and no others, "
            f"got the types {present.tolist()}"
        )


def _is_positive(value):
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_number and 0 < value < np.inf


def _is_zero(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and value == 0


def _count_slabs(heights, is_b, edges, width):
    n_particles = np.histogram(heights, edges)[0]
    n_b = np.histogram(heights[is_b], edges)[0]
    composition = np.full(len(n_b), np.nan)
    np.divide(n_b, n_particles, out=composition, where=n_particles > 0)
    density = n_particles / (width * np.diff(edges))
    return {"n_particles": n_particles, "density": density, "composition": composition}


def _surface(slabs, edges):
    # The median over particles, not over slabs: empty ones are no part of the film.
    typical = np.median(np.repeat(slabs["density"], slabs["n_particles"]))
    threshold = FILLED * typical
    density = np.append(slabs["density"], 0.0)
    top = int(np.flatnonzero(density >= threshold)[-1])
    share = (density[top] - threshold) / (density[top] - density[top + 1])
    bin_width = edges[1] - edges[0]
    return float(edges[top] + (0.5 + share) * bin_width)


def _lowest_surface(film, substrate_top):
    """Height of the film where it is thinnest; that of the substrate where there is a hole."""
    pairs = pairs_one_way(film, REACH)
    ends = np.concatenate([pairs.sources, pairs.targets])
    n_neighbors = np.bincount(ends, minlength=film.n_particles)
    is_dense = (film.types != SUBSTRATE) & (n_neighbors >= FEWEST_NEIGHBORS)
    n_columns = max(int(film.box[0] / COLUMN_WIDTH), 1)
    shares = film.positions[is_dense, 0] / film.box[0] % 1.0
    tops = np.full(n_columns, substrate_top)
    columns = np.minimum((shares * n_columns).astype(int), n_columns - 1)
    np.maximum.at(tops, columns, film.positions[is_dense, 1])
    return float(tops.min())


def _is_like_the_others(slabs):
    density, composition = slabs["density"], slabs["composition"]
    typical, share = np.median(density), np.nanmedian(composition)
    error = np.sqrt(share * (1 - share) / np.maximum(slabs["n_particles"], 1))
    same_density = np.abs(density - typical) <= DENSITY_TOLERANCE * typical
    # NaN, the composition of an empty slab, is like nothing.
    return same_density & (np.abs(composition - share) <= COMPOSITION_ERRORS * error)


def _longest_run(flags):
    """Return the ends of the longest run of True, the first of equally long ones."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    starts, stops = ends[::2], ends[1::2]
    longest = int(np.argmax(stops - starts))
    return starts[longest], stops[longest]
