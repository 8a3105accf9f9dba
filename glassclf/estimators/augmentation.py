"""Augmentation of training batches: the parameter ``augment`` of the estimators."""

import inspect

import numpy as np
from sklearn.base import clone

from glassclf.estimators.augmentation_base import Augmentation
from glassclf.estimators.shifts_and_crops import Crops, Shifts
from glassclf.estimators.turns_and_mirrors import LatticeSymmetry, Mirrors, QuarterTurns
from glassclf.networks import GraphBatch

NAMES = {"quarter_turns": QuarterTurns, "mirrors": Mirrors, "shifts": Shifts, "crops": Crops}


def augmentation_of(estimator):
    """Turn the ``augment`` parameter of a network that has read its input into a callable.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    augmentation : Augmentations or None
    """
    return make_augmentation(
        estimator.augment,
        getattr(estimator, "_n_spatial", None),
        getattr(estimator, "_direction_channels", None),
    )


def make_augmentation(augment, n_spatial=None, direction_channels=None):
    """Turn the ``augment`` parameter into one callable on batches.

    Parameters
    ----------
    augment : str, callable, list, tuple or None
        Name out of ``NAMES``, an instance such as ``Shifts(axes=(0,))``, a function of a batch that
        returns a batch, or several of these, applied one after the other.
    n_spatial : int or None, default=None
        Spatial axes of the images, fields or profiles; None for graphs.
    direction_channels : dict or None, default=None
        What the images tell of their channels, as parameters of turns and mirror images; empty
        where they hold directions in a way that neither can turn.

    Returns
    -------
    augmentation : Augmentations or None
        None where there is nothing to do.

    Raises
    ------
    ValueError
        If a name is unknown, or a part does not suit samples of this kind.
    TypeError
        If a part is something else, such as a class.
    """
    if augment is None:
        return None
    given = augment if isinstance(augment, (list, tuple)) else [augment]
    parts = [_make_part(part) for part in given]
    if direction_channels is not None:
        parts = [_with_directions(part, direction_channels) for part in parts]
    for part in parts:
        if isinstance(part, Augmentation):
            part.check(n_spatial)
    return Augmentations(parts) if parts else None


def _with_directions(part, known):
    """A turn or mirror image that turns the directions, too, which the images are known to hold."""
    if not isinstance(part, LatticeSymmetry):
        return part
    if not known:
        raise ValueError(
            f"{type(part).__name__} in augment cannot turn the directions in a grey picture: show "
            'the network channels="orientation", or use "shifts" alone'
        )
    own = {name: getattr(part, name) for name in known if len(getattr(part, name))}
    for name in own:
        if np.ravel(own[name]).tolist() != np.ravel(known[name]).tolist():
            raise ValueError(
                f"X has {name}={known[name]!r}, {type(part).__name__} in augment was given "
                f"{own[name]!r}: leave it out, X tells it"
            )
    return clone(part).set_params(**known)


def _make_part(part):
    if isinstance(part, str):
        if part not in NAMES:
            raise ValueError(f"augment must name one of {', '.join(NAMES)}, got {part!r}")
        return NAMES[part]()
    if inspect.isclass(part):
        raise TypeError(f"augment takes instances: write {part.__name__}(), not the class")
    if not callable(part):
        raise TypeError(
            f"augment must be a name ({', '.join(NAMES)}), an augmentation, a function of a batch, "
            f"or a list of these; got {part!r}"
        )
    return part


def _check_values(part, batch, augmented):
    """Raise unless an own function has returned finite numbers of the type it was given."""
    for name in ("types", "vectors", "distances") if isinstance(batch, GraphBatch) else (None,):
        before, after = (
            each if name is None else getattr(each, name) for each in (batch, augmented)
        )
        what = f"{_name_of(part)}, given as augment, must return" + (f" {name} of" if name else "")
        if after.dtype != before.dtype:
            raise ValueError(f"{what} {before.dtype}, as it was given, got {after.dtype}")
        if not after.isfinite().all():
            raise ValueError(f"{what} finite numbers, got NaN or infinite ones")


class Augmentations:
    """Several augmentations, one after the other.

    Parameters
    ----------
    parts : list of callable

    Raises
    ------
    ValueError
        When called, if a part returns another number of samples, another type, or numbers that
        are not finite.
    """

    def __init__(self, parts):
        self.parts = parts

    def __call__(self, batch):
        """Augment a batch; an own function is checked, as it may return anything."""
        for part in self.parts:
            augmented = part(batch)
            if type(augmented) is not type(batch) or len(augmented) != len(batch):
                raise ValueError(
                    f"{_name_of(part)}, given as augment, must return a {type(batch).__name__} of "
                    f"{len(batch)} samples, as it was given, got {type(augmented).__name__}"
                    + (f" of {len(augmented)}" if hasattr(augmented, "__len__") else "")
                )
            if type(part) not in NAMES.values():
                _check_values(part, batch, augmented)
            batch = augmented
        return batch

    def warn_of_pixels(self, sizes):
        """Warn if pixels of these widths along the spatial axes would be deformed."""
        for part in self.parts:
            if isinstance(part, Augmentation):
                part.warn_of_pixels(sizes)

    def extent_after(self, extent):
        """Spatial extent of images that had this extent before; None where nobody can tell."""
        for part in self.parts:
            if not isinstance(part, Augmentation):
                # A function of the user may do anything.
                return None
            extent = part.extent_after(extent)
        return extent


def _name_of(part):
    return getattr(part, "__qualname__", type(part).__qualname__)
