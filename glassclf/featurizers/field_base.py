"""What the featurizers of points in fields share."""

from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations.field_points import as_field_points


class FieldFeaturizer(TransformerMixin, BaseEstimator):
    """Base of the featurizers of :class:`~glassclf.configurations.FieldPoints`.

    A subclass writes ``_check(X)``, which refuses fields that are too small, and ``_reach``, the
    cells on each side of a point that its features depend on.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the fields; there is nothing to learn from their values.

        Parameters
        ----------
        X : FieldPoints
        y : ignored

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the fields are too small, or a parameter is not valid.
        """
        X = as_field_points(X)
        self._check(X)
        self.n_fields_, self.n_dims_ = len(X.fields), X.n_dims
        self._learn(X)
        return self

    def _learn(self, X):
        """Learn what else there is to learn."""

    def _checked(self, X):
        """Check the X of ``transform``."""
        check_is_fitted(self)
        X = as_field_points(X)
        self._check(X)
        if (len(X.fields), X.n_dims) != (self.n_fields_, self.n_dims_):
            raise ValueError(
                f"X has {len(X.fields)} fields of {X.n_dims} axes, {type(self).__name__} was "
                f"fitted on {self.n_fields_} of {self.n_dims_}"
            )
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags
