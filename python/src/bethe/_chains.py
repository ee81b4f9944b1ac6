"""What machines with hidden units are used for: likelihoods by annealing, and chains."""

from __future__ import annotations

import threading
import warnings
import weakref
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._use import Seed, seed_of, whole

#: ln Z of machines, with the handles that they are of.
_log_partitions = weakref.WeakKeyDictionary()
_lock = threading.RLock()

#: How ln Z is annealed for score_samples, where it is not exact. evaluate takes more.
SCORE = {"temperatures": 2000, "chains": 64, "equilibration": 800, "seed": 1}


class ChainsMixin:
    """Methods of a machine with hidden units that is there."""

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
            log-likelihood of a sample is -F - ln Z, of real numbers a density in the units of X. Of a deep machine F
            is an upper bound on average, drawn with a fixed seed unless it can be summed.
        """
        machine = self._machine()
        X = self._validated(X)
        out = np.empty(X.shape[0])
        if not self._plain():
            return -self._by_jobs(X, "bethe_log_weights", "log_weight", {"seed": 1}, out)
        self._by_rows(X, lambda x, part: _core.call("bethe_free_energy", machine, _core.pointer(x), len(x), _core.pointer(part)), out)
        return out

    def log_partition(self, X: ArrayLike | None = None) -> float:
        """Return ln Z, exactly where the smaller layer has at most 25 units.

        Elsewhere it is annealed with a fixed seed from samples that ``fit`` has kept, or X, so
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
        samples = self._to_anneal_from(X)
        found = _core.Job("bethe_evaluate", machine, samples, self._starts() or 0, _core.words(SCORE)).run().report()["log_likelihood"]
        doubts = (found.get("equilibrium") or {}).get("reasons")
        if doubts:
            warnings.warn(f"ln Z of this machine was annealed, and the estimate is not to be believed: {'; '.join(doubts)}. evaluate(X) with more temperatures tells more", RuntimeWarning, stacklevel=3)
        value = found["log_weight"] - found.get("best", found["mean"])
        with _lock:
            _log_partitions[machine] = value
        return value

    def _to_anneal_from(self, X):
        """Return samples of the library that annealing starts from: those that fit has kept, else X."""
        reference = getattr(self, "_reference", None)
        if reference is not None and self._kind() == "spin":
            return _core.samples(len(reference), self.n_features_in_, [np.ascontiguousarray(np.unpackbits(reference, axis=1, count=self.n_features_in_))])
        if reference is not None:
            return _core.numbers(self._kind(), reference)
        if self._about["exact"]:  # any will do
            return self._packed(np.zeros((1, self.n_features_in_)))
        if X is None:
            raise ValueError("this machine was not fitted here: give log_partition samples X to anneal from")
        return self._samples(X)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return log-likelihoods.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_likelihoods : ndarray of shape (n_samples,)
            Logarithm of the probability of each sample in nats: minus the free energy, minus `log_partition`,
            which is annealed from X if the machine was not fitted here and is too large to be summed. Of real numbers
            it is that of the density, in the units of X.
        """
        energies = self.free_energy(X)
        return -energies - self.log_partition(X)

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
        request = {k: whole(k, v) for k, v in request.items() if v is not None}
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
        samples : ndarray of shape (n_samples, n_features_in_), uint8, float32 or int8
            Bits 0 and 1, real numbers in the units of the samples that were learned from, or colours.
        """
        request = {"count": whole("n_samples", n_samples), "sweeps": whole("n_sweeps", n_sweeps), "tempered": bool(tempered), "seed": seed_of(random_state)}
        return _core.Job("bethe_sample", self._machine(), _core.words(request)).run().arrays()["samples"]

    def _swept(self, X, n_sweeps, random_state):
        request = {"sweeps": whole("n_sweeps", n_sweeps), "seed": seed_of(random_state)}
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
        v_new : ndarray of shape (n_samples, n_features), uint8, float32 or int8
            Bits 0 and 1, real numbers or colours.
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
        means : ndarray of shape (n_samples, n_features), float32
            The probability of 1 given the hidden units of the last sweep, or the mean of a real number. Of colours the
            shape is (n_samples, n_features, n_colours): the probability of each.
        """
        return self._swept(X, n_sweeps, random_state)["visible_mean"]

    def _shown(self, X, n_samples, n_sweeps, random_state):
        """Return what pictures of samples show, from 0 to 1: what the hidden units of chains say."""
        kind = self._kind()
        if X is None and kind == "spin":
            X = np.random.RandomState(0).randint(0, 2, (n_samples, self.n_features_in_)).astype(np.uint8)
        if X is None:
            request = {"count": whole("n_samples", n_samples), "sweeps": whole("n_sweeps", n_sweeps), "seed": seed_of(random_state)}
            means = _core.Job("bethe_sample", self._machine(), _core.words(request)).run().arrays()["visible_mean"]
        else:
            means = self.reconstruct(X, n_sweeps, random_state=random_state)
        if kind == "gauss":  # two deviations on either side of the mean
            return np.clip((means - self.data_mean_) / (4 * np.where(self.data_deviation_ > 0, self.data_deviation_, 1)) + 0.5, 0, 1)
        return means @ np.linspace(0, 1, means.shape[2]) if means.ndim == 3 else means

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
        filled : ndarray of shape (n_samples, n_features), float32
            Known values as they are, bits as 0 and 1. Missing ones are the probability of 1 given the known values of the
            sample, the mean of a real number, or the likeliest colour.
        """
        request = {"chains": whole("n_chains", n_chains), "sweeps": whole("n_sweeps", n_sweeps), "seed": seed_of(random_state)}
        out, unsettled, looked = self._filled(X, self._machine(), request)
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
        request = {"flip": float(flip), "chains": whole("n_chains", n_chains), "sweeps": whole("n_sweeps", n_sweeps), "seed": seed_of(random_state)}
        job = _core.Job("bethe_denoise", self._machine(), self._samples(X), _core.words(request)).run()
        report = job.report()
        if report["unsettled"]:
            warnings.warn(f"the chains of {report['unsettled']} of {report['looked_at']} samples have not settled: take more than {n_sweeps} sweeps", RuntimeWarning, stacklevel=2)
        return job.arrays()["mean"]
