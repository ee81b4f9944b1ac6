"""What a machine is used for: features, likelihoods, samples, missing parts."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from . import _bits, _core
from ._compat import FINITE

#: What seeds a call.
Seed = Union[int, np.random.RandomState, None]

#: ln Z of machines, with the handles that they are of.
_log_partitions = weakref.WeakKeyDictionary()
_lock = threading.RLock()

#: How ln Z is annealed for score_samples, where it is not exact. evaluate takes more.
SCORE = {"temperatures": 2000, "chains": 64, "equilibration": 800, "seed": 1}

#: Rows of which features are computed between two looks at Python's signals.
ROWS = 2048


def seed_of(random_state):
    """Return a seed: an integer itself, else one that is drawn."""
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


class UseMixin:
    """Methods of a machine that is there."""

    def _samples(self, X):
        """Return X as samples of the library."""
        return _bits.packed(self._validated(X), self.binarize)

    def _starts(self):
        """Return the heavy states that learning met as samples of the library, or None."""
        scouts = getattr(self, "scouts_", None)
        return None if scouts is None else _core.samples(*scouts.shape, [scouts])

    def free_energy(self, X: ArrayLike) -> np.ndarray:
        """Return free energies.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        energies : ndarray of shape (n_samples,)
            F(s) = -ln of the sum over hidden states of exp(-energy), in nats; the
            log-likelihood of a sample is -F - ln Z.
        """
        machine = self._machine()
        X = self._validated(X)
        out = np.empty(X.shape[0])
        self._by_rows(X, lambda x, part: _core.call("bethe_free_energy", machine, _core.pointer(x), len(x), _core.pointer(part)), out)
        return out

    def _by_rows(self, X, work, out):
        """Call work with some rows of X, as bytes, and those of out, in turn."""
        first = 0
        for block in _bits.blocks(X, self.binarize):
            for k in range(0, len(block), ROWS):
                x = block[k : k + ROWS]
                work(x, out[first : first + len(x)])
                first += len(x)

    def log_partition(self, X: ArrayLike | None = None) -> float:
        """Return ln Z, exactly where the smaller layer has at most 25 units.

        Elsewhere it is annealed with a fixed seed from samples that ``fit`` has kept, so
        that equal machines give equal values, and a warning says if the estimate is not to
        be believed. ``evaluate`` anneals longer, and tells intervals.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Samples to anneal from, of a machine that was not fitted here.

        Returns
        -------
        ln_z : float
            In nats.
        """
        machine = self._machine()
        with _lock:
            known = _log_partitions.get(machine)
        if known is not None:
            return known
        reference = getattr(self, "_reference", None)
        if reference is not None:
            samples = _core.samples(len(reference), self.n_features_in_, [np.ascontiguousarray(np.unpackbits(reference, axis=1, count=self.n_features_in_))])
        elif X is not None:
            samples = self._samples(X)
        elif min(self._synapse_array.shape) <= 25:
            samples = _core.samples(1, self.n_features_in_, [])
        else:
            raise ValueError("this machine was not fitted here: give log_partition samples X to anneal from")
        found = _core.Job("bethe_evaluate", machine, samples, self._starts() or 0, _core.words(SCORE)).run().report()["log_likelihood"]
        doubts = (found.get("equilibrium") or {}).get("reasons")
        if doubts:
            warnings.warn(f"ln Z of this machine was annealed, and the estimate is not to be believed: {'; '.join(doubts)}. evaluate(X) with more temperatures tells more", RuntimeWarning, stacklevel=3)
        value = found["log_weight"] - found.get("best", found["mean"])
        with _lock:
            _log_partitions[machine] = value
        return value

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return log-likelihoods.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_likelihoods : ndarray of shape (n_samples,)
            Logarithm of the probability of each sample in nats: minus the free energy, minus `log_partition`.
        """
        energies = self.free_energy(X)
        return -energies - self.log_partition(X)

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
            Mean of `score_samples`, nats a sample.
        """
        return float(np.mean(self.score_samples(X)))

    def evaluate(
        self, X: ArrayLike, *, temperatures: int | None = None, chains: int | None = None, equilibration: int | None = None, draws: int = 0,
        random_state: Seed = 1, anneal: bool = False,
    ) -> dict[str, Any]:
        """Measure the log-likelihood of samples as ``bethe eval`` does.

        It is exact where the smaller layer has at most 25 units. Elsewhere it is annealed in
        both directions, from tempered equilibrium, with 95 % intervals and a verdict.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        temperatures : int, default=None
            Of annealing, in each direction; None: as ``bethe eval``.
        chains : int, default=None
            Annealed in each direction; None: as ``bethe eval``.
        equilibration : int, default=None
            Sweeps of tempered chains; None: as ``bethe eval``.
        draws : int, default=0
            Machines drawn from the posterior that are measured as well; at least 2, or 0.
        random_state : int, RandomState or None, default=1
            Seed.
        anneal : bool, default=False
            Anneal also where the exact value is in reach.

        Returns
        -------
        report : dict
            ``samples``, ``log_likelihood`` (``mean``, ``exact``, ``forward_ais``,
            ``forward_interval``, ``reverse_ais``, ``reverse_interval``, ``equilibrium``, ...)
            and ``uncertainty`` of ``draws``: docs/likelihood.md.
        """
        request = {"temperatures": temperatures, "chains": chains, "equilibration": equilibration}
        request = {k: int(v) for k, v in request.items() if v is not None}
        request.update(seed=seed_of(random_state), draws=int(draws), anneal=bool(anneal))
        return _core.Job("bethe_evaluate", self._machine(), self._samples(X), self._starts() or 0, _core.words(request)).run().report()

    def sample(self, n_samples: int = 1, *, n_sweeps: int = 1000, tempered: bool = False, random_state: Seed = None) -> np.ndarray:
        """Draw samples by independent Gibbs chains that start at random.

        Parameters
        ----------
        n_samples : int, default=1
            Chains, a sample each.
        n_sweeps : int, default=1000
            Sweeps of each chain.
        tempered : bool, default=False
            Whether each chain is the lowest of a ladder of temperatures.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features_in_), uint8
            Bits 0 and 1.
        """
        request = {"count": int(n_samples), "sweeps": int(n_sweeps), "tempered": bool(tempered), "seed": seed_of(random_state)}
        return _core.Job("bethe_sample", self._machine(), _core.words(request)).run().arrays()["samples"]

    def _swept(self, X, n_sweeps, random_state):
        request = {"sweeps": int(n_sweeps), "seed": seed_of(random_state)}
        return _core.Job("bethe_gibbs", self._machine(), self._samples(X), _core.words(request)).run().arrays()

    def gibbs(self, v: ArrayLike, n_sweeps: int = 1, *, random_state: Seed = None) -> np.ndarray:
        """Go on from samples by Gibbs sweeps.

        Parameters
        ----------
        v : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, a chain each.
        n_sweeps : int, default=1
            Sweeps.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        v_new : ndarray of shape (n_samples, n_features), uint8
            Bits 0 and 1.
        """
        return self._swept(v, n_sweeps, random_state)["samples"]

    def reconstruct(self, X: ArrayLike, n_sweeps: int = 1, *, random_state: Seed = None) -> np.ndarray:
        """Return what the hidden units, drawn given samples, say of the samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        n_sweeps : int, default=1
            Sweeps between the samples and what is returned.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_features), float32
            Of 1, given the hidden units of the last sweep.
        """
        return self._swept(X, n_sweeps, random_state)["visible_mean"]

    def complete(self, X: ArrayLike, *, n_chains: int = 5, n_sweeps: int = 500, random_state: Seed = None) -> np.ndarray:
        """Infer missing values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN where a value is not known.
        n_chains : int, default=5
            Gibbs chains of each sample.
        n_sweeps : int, default=500
            Of each chain; the first third is not averaged.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_features), float32
            Of 1 given the known values of the sample; known values are 0 and 1.
        """
        machine = self._machine()
        X = self._validated(X, **{FINITE: "allow-nan"})
        if hasattr(X, "toarray"):
            raise ValueError("complete takes dense data: sparse ones say of no value that it is not known")
        missing = np.isnan(X) if X.dtype.kind == "f" else np.zeros(X.shape, bool)
        threshold = 0 if self.binarize is None else self.binarize
        with np.errstate(invalid="ignore"):
            out = (X > threshold).astype(np.float32)
        request = {"chains": int(n_chains), "sweeps": int(n_sweeps), "seed": seed_of(random_state)}
        patterns, which = np.unique(np.packbits(missing, axis=1), axis=0, return_inverse=True)
        which = which.reshape(-1)
        unsettled = looked = 0
        for k in range(len(patterns)):
            rows = np.flatnonzero(which == k)
            gone = missing[rows[0]]
            if not gone.any():
                continue
            known = np.flatnonzero(~gone).astype(np.int64)
            samples = _core.samples(len(rows), X.shape[1], [np.ascontiguousarray(out[rows], dtype=np.uint8)])
            job = _core.Job("bethe_complete", machine, samples, _core.pointer(known), len(known), _core.words(request)).run()
            out[np.ix_(rows, gone)] = job.arrays()["mean"][:, gone]
            report = job.report()
            unsettled, looked = unsettled + report["unsettled"], looked + report["looked_at"]
        if unsettled:
            warnings.warn(f"the chains of {unsettled} of {looked} samples have not settled: take more than {n_sweeps} sweeps", RuntimeWarning, stacklevel=2)
        return out

    def denoise(self, X: ArrayLike, flip: float, *, n_chains: int = 10, n_sweeps: int = 300, random_state: Seed = None) -> np.ndarray:
        """Infer what samples were before each bit was flipped, by exact Bayes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Noisy samples.
        flip : float
            Probability that a bit was flipped, between 0 and 0.5.
        n_chains : int, default=10
            Gibbs chains of each sample.
        n_sweeps : int, default=300
            Of each chain; the first third is not averaged.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_features), float32
            Of 1 before the noise.
        """
        request = {"flip": float(flip), "chains": int(n_chains), "sweeps": int(n_sweeps), "seed": seed_of(random_state)}
        job = _core.Job("bethe_denoise", self._machine(), self._samples(X), _core.words(request)).run()
        report = job.report()
        if report["unsettled"]:
            warnings.warn(f"the chains of {report['unsettled']} of {report['looked_at']} samples have not settled: take more than {n_sweeps} sweeps", RuntimeWarning, stacklevel=2)
        return job.arrays()["mean"]

    def save(self, path: str | os.PathLike) -> None:
        """Write a model file, which ``bethe`` and ``numpy.load`` open.

        Parameters
        ----------
        path : path
            An .npz file; it is replaced as a whole or not at all.
        """
        _core.call("bethe_machine_write", self._machine(), str(path).encode())
