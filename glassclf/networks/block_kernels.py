"""Loops over the pixels of images, to be compiled: normalisation, ReLU and pooling in one.

Images ``x`` have shape (n, height, width, n_channels), as they lie in memory. With ``step=2``
squares of 2 x 2 pixels are averaged, at the far borders what there is of them; with ``step=1``
nothing is. Normalisation and ReLU are ``max(scale * (x - mean) + shift, 0)``.
"""


def add_statistics(x, sums):
    """Add up the values of each channel, and their squares.

    Parameters
    ----------
    x : ndarray of float32
    sums : ndarray of float64 of shape (2, n_channels)
        Increased in place.
    """
    for image in range(len(x)):
        for row in range(x.shape[1]):
            for column in range(x.shape[2]):
                for channel in range(x.shape[3]):
                    value = sums.dtype.type(x[image, row, column, channel])
                    sums[0, channel] += value
                    sums[1, channel] += value * value


def average_active(x, mean, scale, shift, step, pooled):
    """Normalise, cut off below zero, and average over squares.

    Parameters
    ----------
    x : ndarray of float32
    mean, scale, shift : ndarray of float32 of shape (n_channels,)
    step : int
    pooled : ndarray of float32 of shape (n, ceil(height / step), ceil(width / step), n_channels)
        Written to.
    """
    zero = scale.dtype.type(0)
    for image in range(len(x)):
        for to_row in range(pooled.shape[1]):
            rows = range(to_row * step, min(to_row * step + step, x.shape[1]))
            for to_column in range(pooled.shape[2]):
                columns = range(to_column * step, min(to_column * step + step, x.shape[2]))
                share = scale.dtype.type(1 / (len(rows) * len(columns)))
                for channel in range(x.shape[3]):
                    pooled[image, to_row, to_column, channel] = 0
                for row in rows:
                    for column in columns:
                        for channel in range(x.shape[3]):
                            value = x[image, row, column, channel] - mean[channel]
                            value = scale[channel] * value + shift[channel]
                            # Not the other way round: what is not a number stays.
                            value = zero if value < 0 else value
                            pooled[image, to_row, to_column, channel] += share * value


def add_gradients(x, mean, scale, shift, step, gradient, sums):
    """Add up the gradients behind the normalisation, and their products with its centred input.

    Parameters
    ----------
    x : ndarray of float32
    mean, scale, shift : ndarray of float32 of shape (n_channels,)
    step : int
    gradient : ndarray of float32 of the shape of ``pooled``
    sums : ndarray of float64 of shape (2, n_channels)
        Increased in place.
    """
    for image in range(len(x)):
        for row in range(x.shape[1]):
            n_rows = min(step, x.shape[1] - row // step * step)
            for column in range(x.shape[2]):
                n_columns = min(step, x.shape[2] - column // step * step)
                share = 1 / (n_rows * n_columns)
                for channel in range(x.shape[3]):
                    value = x[image, row, column, channel] - mean[channel]
                    active = scale[channel] * value + shift[channel] > 0
                    slope = share * gradient[image, row // step, column // step, channel] * active
                    sums[0, channel] += slope
                    sums[1, channel] += slope * value


def pass_gradients(x, mean, scale, shift, step, gradient, slope, constant, of_x):
    """Pass gradients on to the input, which moves the statistics, too.

    Parameters
    ----------
    x : ndarray of float32
    mean, scale, shift : ndarray of float32 of shape (n_channels,)
    step : int
    gradient : ndarray of float32 of the shape of ``pooled``
    slope, constant : ndarray of float32 of shape (n_channels,)
        What the statistics add: ``slope * (x - mean) + constant``.
    of_x : ndarray of float32 of the shape of x
        Written to.
    """
    for image in range(len(x)):
        for row in range(x.shape[1]):
            n_rows = min(step, x.shape[1] - row // step * step)
            for column in range(x.shape[2]):
                n_columns = min(step, x.shape[2] - column // step * step)
                share = scale.dtype.type(1 / (n_rows * n_columns))
                for channel in range(x.shape[3]):
                    value = x[image, row, column, channel] - mean[channel]
                    active = scale[channel] * value + shift[channel] > 0
                    behind = gradient[image, row // step, column // step, channel] * share * active
                    of_x[image, row, column, channel] = (
                        scale[channel] * behind + slope[channel] * value + constant[channel]
                    )
