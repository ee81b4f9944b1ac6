"""What a machine of any family is used for: likelihoods, and files."""

from __future__ import annotations

import os
import pathlib
from numbers import Integral, Real
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from . import _bits, _core
from ._compat import FINITE

#: What seeds a call.
Seed = Union[int, np.random.RandomState, None]

#: Rows of which features are computed between two looks at Python's signals.
ROWS = 2048


def seed_of(random_state):
    """Return a seed: an integer itself, else one that is drawn."""
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def whole(name, value):
    """Return an argument that must be a positive integer."""
    if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)) or value < 1:
        raise ValueError(f"{name} is {value!r}: it must be an integer of at least 1")
    return int(value)


class UseMixin:
    """Methods of a machine that is there."""

    def _samples(self, X):
        """Return X as samples of the library."""
        self._machine()  # which tells whether there is one
        return self._packed(self._validated(X))

    def _by_rows(self, X, work, out):
        """Call work with some rows of X, as bytes, and those of out, in turn."""
        first = 0
        for block in _bits.blocks(X, self.binarize):
            for k in range(0, len(block), ROWS):
                x = block[k : k + ROWS]
                work(x, out[first : first + len(x)])
                first += len(x)

    def _by_jobs(self, X, function, name, request, out):
        """Write an array that a job gives of validated X to out, some rows at a time."""
        machine, request = self._machine(), _core.words(request)
        for k in range(0, X.shape[0], ROWS):
            samples = self._packed(X[k : k + ROWS])
            out[k : k + ROWS] = _core.Job(function, machine, samples, request).run().arrays()[name]
        return out

    def score(self, X: ArrayLike, y: None = None) -> float:
        """Return the mean log-likelihood.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : None
            Not used.

        Returns
        -------
        log_likelihood : float
            Mean of `score_samples`, nats per sample.
        """
        return float(np.mean(self.score_samples(X)))

    def _filled(self, X, machine, request):
        """Return X with what is missing, NaN, inferred; the rows of which chains have not settled, and were looked at."""
        X = self._validated(X, **{FINITE: "allow-nan"})
        if hasattr(X, "toarray"):
            raise ValueError("complete takes dense data: sparse ones say of no value that it is not known")
        missing = np.isnan(X) if X.dtype.kind == "f" else np.zeros(X.shape, bool)
        if self._kind() == "spin":
            if not missing.all():
                _bits.look(X[~missing], self.binarize)
            threshold = 0 if self.binarize is None else self.binarize
            with np.errstate(invalid="ignore"):
                out = (X > threshold).astype(np.float32)
        else:
            out = np.where(missing, 0, X).astype(np.float32)
        patterns, which = np.unique(np.packbits(missing, axis=1), axis=0, return_inverse=True)
        which = which.reshape(-1)
        unsettled = looked = 0
        for k in range(len(patterns)):
            rows = np.flatnonzero(which == k)
            gone = missing[rows[0]]
            if not gone.any():
                continue
            known = np.flatnonzero(~gone).astype(np.int64)
            if self._kind() == "spin":
                samples = _core.samples(len(rows), X.shape[1], [np.ascontiguousarray(out[rows], dtype=np.uint8)])
            else:
                samples = _core.numbers(self._kind(), np.ascontiguousarray(out[rows]))
            job = _core.Job("bethe_complete", machine, samples, _core.pointer(known), len(known), _core.words(request)).run()
            mean = job.arrays()["mean"]
            if mean.ndim == 3:  # the probability of each colour
                mean = mean.argmax(2)
            out[np.ix_(rows, gone)] = mean[:, gone]
            report = job.report()
            unsettled, looked = unsettled + report["unsettled"], looked + report["looked_at"]
        return out, unsettled, looked

    def save(self, path: str | os.PathLike) -> None:
        """Write a model file, which ``bethe`` and ``numpy.load`` open.

        Parameters
        ----------
        path : path
            An .npz file; it is replaced as a whole or not at all.
        """
        machine, path = self._machine(), pathlib.Path(path)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder: name a file in it, such as {path / 'model.npz'}")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path.parent} is no folder: make it first")
        _core.call("bethe_machine_write", machine, str(path).encode())
