"""Which result a display draws, and what to do with that of another function."""

# What only the results of a function hold, and the display that draws them.
RESULTS = {
    "lr_range": ("smoothed_loss", "LearningRateRangeDisplay"),
    "crossover": ("slope_ratio", "CrossoverDisplay"),
    "transfer_matrix": ("null", "TransferDisplay"),
    "repeat_fit": ("history", "TrainingDisplay"),
}


def require_result(result, function):
    """Raise unless a result is that of a function.

    Parameters
    ----------
    result : object
    function : str
        Name out of ``RESULTS``.

    Raises
    ------
    TypeError
    """
    entry, display = RESULTS[function]
    if hasattr(result, entry):
        return
    got = f"{type(result).__name__}"
    for other, (its_entry, its_display) in RESULTS.items():
        if hasattr(result, its_entry):
            got = f"what {other} returned: {its_display}.from_result draws that"
    raise TypeError(f"{display}.from_result takes what {function} returned, got {got}")
