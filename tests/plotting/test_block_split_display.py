"""The drawing of a split in space."""

import numpy as np
import pytest

from glassclf.configurations import FieldPoints
from glassclf.model_selection import BlockSplit
from glassclf.plotting import BlockSplitDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def test_points_of_a_slice_are_drawn_in_the_colour_of_their_part():
    points = np.argwhere(np.ones((12, 12, 12)))
    X = FieldPoints([np.zeros((12, 12, 12))], points)
    cv = BlockSplit(4, block=6, gap=2, random_state=0)
    display = BlockSplitDisplay.from_splitter(cv, X, split=2, axis=1, slab=(5, 5))
    train, test = list(cv.split(X))[2]
    rest = np.setdiff1d(np.arange(len(X)), [*train, *test])
    for line, rows in zip(display.ax_.lines, (rest, train, test)):
        expected = points[rows][points[rows][:, 1] == 5][:, [0, 2]]
        assert np.array_equal(line.get_xydata(), expected)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels[1:] == [f"train ({len(train)})", f"test ({len(test)})"]
    assert display.ax_.get_xlabel() == "axis 0"
    matplotlib.pyplot.close(display.figure_)


def test_what_cannot_be_drawn_is_refused():
    X = FieldPoints([np.zeros((12, 12, 12))], np.argwhere(np.ones((12, 12, 12))))
    cv = BlockSplit(4, block=6, gap=2, random_state=0)
    with pytest.raises(ValueError, match="split must be one of 0 to 3, got 9"):
        BlockSplitDisplay.from_splitter(cv, X, split=9)
    with pytest.raises(ValueError, match="axis must be 0, 1 or 2, got 5"):
        BlockSplitDisplay.from_splitter(cv, X, axis=5)
    with pytest.raises(ValueError, match="slab: no point lies from 50 to 60 along axis 0"):
        BlockSplitDisplay.from_splitter(cv, X, slab=(50, 60))
    matplotlib.pyplot.close("all")


def test_groups_take_the_place_of_points_that_x_does_not_know():
    points = np.argwhere(np.ones((12, 12)))
    cv = BlockSplit(2, block=4, gap=1, box=(12, 12), random_state=0)
    display = BlockSplitDisplay.from_splitter(cv, np.zeros((144, 3)), groups=points)
    assert sum(len(line.get_xydata()) for line in display.ax_.lines) == 144
    matplotlib.pyplot.close(display.figure_)
