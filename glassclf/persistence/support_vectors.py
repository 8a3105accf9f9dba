"""A check of the arrays of a support vector machine."""

from scipy.sparse import issparse


def check_support_vectors(state):
    """Refuse an SVC whose arrays do not fit together: libsvm would read beyond their ends.

    Parameters
    ----------
    state : dict
        Attributes of the SVC, fitted or not.

    Raises
    ------
    ValueError
        If an array has another shape than the others ask for.
    """
    if "support_vectors_" not in state:
        return
    vectors, coefficients = state["support_vectors_"], state["_dual_coef_"]
    n_classes = len(state["classes_"])
    n_pairs = n_classes * (n_classes - 1) // 2
    n_vectors = int(state["_n_support"].sum())
    n_fitted, n_features = state["shape_fit_"]
    shapes = {
        "_n_support": (n_classes,),
        "support_": (n_vectors,),
        "_dual_coef_": (n_classes - 1, n_vectors),
        "_intercept_": (n_pairs,),
    }
    if state["kernel"] != "precomputed":
        shapes["support_vectors_"] = (n_vectors, n_features)
    for name in ("_probA", "_probB"):
        shapes[name] = (n_pairs if len(state[name]) else 0,)
    for name, shape in shapes.items():
        if state[name].shape != shape:
            raise ValueError(f"{name} of SVC has shape {state[name].shape}, expected {shape}")
    support = state["support_"]
    if (state["_n_support"] < 0).any() or ((support < 0) | (support >= n_fitted)).any():
        raise ValueError("support_ of SVC names samples that there are not")
    sparse = {issparse(vectors), issparse(coefficients), bool(state["_sparse"])}
    if len(sparse) > 1:
        raise ValueError("the support vectors of SVC are neither all sparse nor all dense")
    if issparse(coefficients) and coefficients.nnz != (n_classes - 1) * n_vectors:
        raise ValueError("_dual_coef_ of SVC lacks values")
