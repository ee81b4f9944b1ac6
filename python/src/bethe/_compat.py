"""What differs between versions of scikit-learn: validation of data, and tags."""

import inspect

from sklearn.utils.validation import check_array

try:  # from 1.6 on
    from sklearn.utils.validation import validate_data
except ImportError:

    def validate_data(estimator, X, **settings):
        """Validate X and look after n_features_in_ and feature_names_in_."""
        return estimator._validate_data(X, **settings)


#: The setting that allows NaN, which changed its name in 1.6.
FINITE = "ensure_all_finite" if "ensure_all_finite" in inspect.signature(check_array).parameters else "force_all_finite"


class TagsMixin:
    """Tags of estimators whose output is float32 and whose input may be sparse, in both interfaces."""

    def _more_tags(self):  # up to 1.5
        return {"preserves_dtype": ["float32"]}

    def __sklearn_tags__(self):  # from 1.6 on
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.sparse = True
        return tags
