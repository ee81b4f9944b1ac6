"""From arrays, data frames and sparse matrices to bits, and to numbers."""

import warnings

import numpy as np
from scipy import sparse

from . import _core

#: Types that are taken as they are; others become float64.
DTYPES = [np.float64, np.float32, np.uint8, np.bool_, np.int8, np.int16, np.int32, np.int64]

#: Rows that become bits at a time, so that little memory is needed beside the data.
ROWS = 4096


def look(X, binarize):
    """Warn about values that a threshold is hardly meant for; raise for those that are no bits.

    Parameters
    ----------
    X : array or CSR matrix
    binarize : float or None
    """
    values = X.data if sparse.issparse(X) else X
    if values.dtype == np.bool_ or values.size == 0:
        return
    low, high = values.min(), values.max()
    if low >= 0 and high <= 1:
        if binarize is None and values.dtype.kind == "f" and not ((values == 0) | (values == 1)).all():
            raise ValueError("X has values between 0 and 1, and binarize=None takes bits alone: set binarize to the threshold above which a value is 1, such as 0.5")
        return
    two = low == -1 and high == 1 and not sparse.issparse(X) and ((values == -1) | (values == 1)).all()
    if two:
        return
    if binarize is None:
        raise ValueError(f"X has values from {low} to {high}, and binarize=None takes bits alone, 0 and 1 or -1 and 1: set binarize to the threshold above which a value is 1")
    if binarize == 0.5:
        warnings.warn(
            f"X has values from {low:g} to {high:g}: all above binarize=0.5 become 1, the others 0. Set binarize to the threshold that you mean (such as {(float(low) + float(high)) / 2:g}), or scale X. "
            "BinarySynapseRBM learns real numbers as they are with units='gauss', levels with units='potts'",
            UserWarning, stacklevel=5,
        )


def words_of(X):
    """Return the names of columns of a frame that hold no numbers, as text."""
    kinds = getattr(X, "dtypes", None)
    if not hasattr(kinds, "items"):
        return ""
    return ", ".join(str(name) for name, kind in kinds.items() if getattr(kind, "kind", "O") not in "biuf")


def alike(X, binarize):
    """Return whether a threshold leaves all values of X alike."""
    threshold = 0 if binarize is None else binarize
    values = X.data if sparse.issparse(X) else X
    if sparse.issparse(X) and X.nnz < X.shape[0] * X.shape[1]:
        return not (values > threshold).any()
    above = values.max() > threshold
    return bool(above == (values.min() > threshold))


def blocks(X, binarize):
    """Yield X as blocks of rows of bytes 0 and 1, in C order; bytes that are bits already are not copied."""
    threshold = 0 if binarize is None else binarize
    if sparse.issparse(X):
        if threshold < 0:
            raise ValueError(f"binarize={binarize}: zeros of sparse data would be 1; a threshold of at least 0 is needed, or X.toarray()")
        for first in range(0, X.shape[0], ROWS):
            part = X[first : first + ROWS]
            out = np.zeros(part.shape, np.uint8)
            rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
            out[rows, part.indices] = part.data > threshold
            yield out
        return
    if X.dtype == np.bool_ and 0 <= threshold < 1:
        yield np.ascontiguousarray(X).view(np.uint8)
        return
    if X.dtype == np.uint8 and 0 <= threshold < 1 and (X.size == 0 or X.max() <= 1):
        yield np.ascontiguousarray(X)
        return
    for first in range(0, X.shape[0], ROWS):
        yield np.ascontiguousarray(X[first : first + ROWS] > threshold).view(np.uint8)


def packed(X, binarize):
    """Return the handle of X as samples of the library."""
    return _core.samples(X.shape[0], X.shape[1], blocks(X, binarize))


def numbers(X):
    """Return validated X as numbers of the library: float32, in C order."""
    with np.errstate(over="ignore"):  # the library tells of numbers that are too large
        return np.ascontiguousarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float32)
