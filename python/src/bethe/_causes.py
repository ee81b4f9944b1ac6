"""Directed machines of winner-take-all causes as estimators of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._machine import Machine
from ._progress import Progress
from ._use import Seed, seed_of, whole


class _Causes(Machine):
    """What mixtures and trees have in common: all is exact."""

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the posteriors of the causes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        posteriors : ndarray of shape (n_samples, n_features_out), float32
            Probability of each cause given each sample: what ``bethe features`` writes. Of a tree the
            probabilities of the states of all groups come after those of the causes.
        """
        return self._posteriors(X)

    def _posteriors(self, X):
        self._machine()
        X = self._validated(X)
        return self._by_jobs(X, "bethe_features", "features", None, np.empty((X.shape[0], self._n_features_out), np.float32))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the likeliest cause of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        causes : ndarray of shape (n_samples,), int64
            Numbers of causes, from 0.
        """
        return self._posteriors(X)[:, : len(self.log_weights_)].argmax(1)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return log-likelihoods, exactly.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_likelihoods : ndarray of shape (n_samples,)
            Logarithm of the probability of each sample, in nats.
        """
        self._machine()
        X = self._validated(X)
        return self._by_jobs(X, "bethe_log_weights", "log_weight", None, np.empty(X.shape[0]))

    def evaluate(self, X: ArrayLike) -> dict[str, Any]:
        """Measure the log-likelihood of samples as ``bethe eval`` does, exactly.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        report : dict
            ``samples`` and ``log_likelihood``, with ``mean`` and its ``sample_error``.
        """
        return _core.Job("bethe_evaluate", self._machine(), self._samples(X), 0, None).run().report()

    def sample(self, n_samples: int = 1, *, random_state: Seed = None) -> np.ndarray:
        """Draw independent samples, from the causes down.

        Parameters
        ----------
        n_samples : int, default=1
            Samples.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features_in_), uint8
            Bits 0 and 1.
        """
        return self._drawn(n_samples, random_state)["samples"]

    def _drawn(self, n_samples, random_state):
        request = {"count": whole("n_samples", n_samples), "seed": seed_of(random_state)}
        return _core.Job("bethe_sample", self._machine(), _core.words(request)).run().arrays()

    def complete(self, X: ArrayLike) -> np.ndarray:
        """Infer missing values, exactly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN where a value is not known.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_features), float32
            Of 1 given the known values of the sample; known values are 0 and 1.
        """
        return self._filled(X, self._machine(), {"chains": 1})[0]

    def _shown(self, X, n_samples, n_sweeps, random_state):
        """Return what pictures of samples show: probabilities of 1 given the causes."""
        if X is not None:
            raise ValueError(f"samples of a {type(self).__name__} are independent: there are no chains that start at X")
        return self._drawn(n_samples, random_state)["visible_mean"]

    @property
    def weights_(self) -> np.ndarray:
        """Probability of each cause before anything is seen."""
        return np.exp(self.log_weights_)


class _Mixture(_Causes):
    """What mixtures have in common, with synapses of any kind."""

    _names = {"n_components": "hidden", "rule": "rule", "n_iter": "epochs", "validation_fraction": "validation"}
    _words = ("rule",)

    def __init__(
        self, n_components: int | None = None, *, rule: str | None = None, n_iter: int | None = None, recipe: Mapping[str, Any] | None = None, binarize: float | None = 0.5,
        shape: tuple[int, int] | None = None, validation_fraction: float | None = None, folder: str | os.PathLike | None = None,
        random_state: int | np.random.RandomState | None = None, verbose: int = 0,
        callbacks: Callable[[_Mixture, Progress], Any] | Sequence[Callable[[_Mixture, Progress], Any]] | None = None,
    ) -> None:
        self.n_components = n_components
        self.rule = rule
        self.n_iter = n_iter
        self.recipe = recipe
        self.binarize = binarize
        self.shape = shape
        self.validation_fraction = validation_fraction
        self.folder = folder
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks


class BinarySynapseMixture(_Mixture):
    """A mixture of winner-take-all causes whose synapses are one bit each.

    One of K causes is on and says how likely each feature is 1. Likelihood, posterior of the
    causes, completion and samples are exact: docs/spikes.md. It is learned by ``bethe train --model mixture``.

    Parameters
    ----------
    n_components : int, default=None
        Causes; None: those of ``bethe.recipe()``.
    rule : str, default=None
        "em" passes over all samples and never falls; "stdp" sees samples once, one after the other, as
        a chip would. None: "em".
    n_iter : int, default=None
        Passes through the samples.
    recipe : dict, default=None
        More settings, such as ``{"restarts": 3}``, or of "stdp" ``{"counter_bits": 6}``.
    binarize : float or None, default=0.5
        Threshold above which a value is 1. None: X holds bits, 0 and 1 or -1 and 1,
        and anything else is an error.
    shape : (int, int), default=None
        Height and width of the pictures that samples are, row by row.
    validation_fraction : float, default=None
        Share of the samples that are held out; their log-likelihood is measured at the end.
    folder : path, default=None
        Run folder. ``fit`` writes checkpoints there and goes on from them.
    random_state : int, RandomState or None, default=None
        An integer is the seed itself: equal seeds give equal bytes.
    verbose : int, default=0
        1 shows progress, by tqdm if it is installed.
    callbacks : callable or list of callables, default=None
        Called with the estimator and a `Progress` some 50 times a second.

    Attributes
    ----------
    synapses_ : ndarray of shape (n_features_in_, n_components), int8
        Synapses, -1 or 1: feature i is 1 with log-odds 2 (b_i + J xi_ik) if cause k is on.
    posterior_mean_ : ndarray of shape (n_features_in_, n_components), float32
        Posterior means of the synapses.
    coupling_ : float
        J.
    intercept_visible_ : ndarray of shape (n_features_in_,)
        Fields b.
    log_weights_ : ndarray of shape (n_components,)
        Logarithm of the probability of each cause.
    weights_ : ndarray of shape (n_components,)
        Probability of each cause.
    bound_ : float
        Lower bound on the log-likelihood, nats per sample.
    history_ : list of dict
        Records of learning.
    recipe_ : dict
        All settings.
    result_ : dict
        What ``bethe train --json`` prints.
    meta_ : dict
        How the machine was made: ``meta.json`` of the model file.
    n_features_in_ : int
        Visible units.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, if X had any.

    See Also
    --------
    RealSynapseMixture : The same with real means.
    BinarySynapseTree : Causes above groups of states.
    BinarySynapseRBM : Hidden units that add up what they say.

    Examples
    --------
    >>> import numpy as np
    >>> from bethe import BinarySynapseMixture
    >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
    >>> mixture = BinarySynapseMixture(2, random_state=2).fit(X)
    >>> len(set(mixture.predict(X))), mixture.weights_.round(2).tolist()
    (2, [0.5, 0.5])
    """

    _fixed = {"model": "mixture", "synapses": "binary"}


class RealSynapseMixture(_Mixture):
    """A mixture of winner-take-all causes with real means, the baseline of the binary ones.

    It is the classical mixture of Bernoulli distributions, learned in the same loop: ``bethe train
    --model mixture --synapses real``. Its rule is "em". Attributes are those of `BinarySynapseMixture`, but for ``fields_``,
    which takes the place of ``synapses_``, ``posterior_mean_``, ``coupling_`` and ``intercept_visible_``.

    Parameters
    ----------
    n_components : int, default=None
        Causes.
    rule : str, default=None
        "em".
    n_iter : int, default=None
        Passes through the samples.
    recipe : dict, default=None
        More settings.
    binarize : float or None, default=0.5
        Threshold above which a value is 1.
    shape : (int, int), default=None
        Height and width of pictures.
    validation_fraction : float, default=None
        Share of the samples that are held out.
    folder : path, default=None
        Run folder.
    random_state : int, RandomState or None, default=None
        Seed.
    verbose : int, default=0
        1 shows progress.
    callbacks : callable or list of callables, default=None
        Called with the estimator and a `Progress`.

    Attributes
    ----------
    fields_ : ndarray of shape (n_features_in_, n_components)
        Half the log-odds of 1 of each feature given each cause.

    See Also
    --------
    BinarySynapseMixture : Synapses that are bits.
    """

    _fixed = {"model": "mixture", "synapses": "real"}

    def _setting(self, name, setting, value):
        if name == "rule" and value != "em":
            raise ValueError(f"rule is {value!r}: real means are learned by 'em' alone")
        return super()._setting(name, setting, value)


class BinarySynapseTree(_Causes):
    """A tree of winner-take-all groups whose synapses are one bit each.

    Each patch of the features has a group of states that sees it as a mixture does; causes above say
    which states are likely together. Likelihood, posteriors, completion and samples are exact: docs/spikes.md. It is learned by
    ``bethe train --model tree``.

    Parameters
    ----------
    n_components : int, default=None
        Causes; None: those of ``bethe.recipe()``.
    patch : int or (int, int), default=None
        Side of a patch of a picture, such as 4, or its height and width, such as (4, 7); of samples without ``shape``
        how many features. None: 7, or 49 features.
    n_states : int, default=None
        States of each group.
    n_iter : int, default=None
        Passes through the samples.
    recipe : dict, default=None
        More settings, such as ``{"restarts": 3}``.
    binarize : float or None, default=0.5
        Threshold above which a value is 1. None: X holds bits, 0 and 1 or -1 and 1,
        and anything else is an error.
    shape : (int, int), default=None
        Height and width of the pictures that samples are, row by row.
    validation_fraction : float, default=None
        Share of the samples that are held out; their log-likelihood is measured at the end.
    folder : path, default=None
        Run folder. ``fit`` writes checkpoints there and goes on from them.
    random_state : int, RandomState or None, default=None
        An integer is the seed itself: equal seeds give equal bytes.
    verbose : int, default=0
        1 shows progress, by tqdm if it is installed.
    callbacks : callable or list of callables, default=None
        Called with the estimator and a `Progress` some 50 times a second.

    Attributes
    ----------
    synapses_ : ndarray of shape (n_features_in_, n_states), int8
        Synapses of each feature with the states of the group of its patch.
    posterior_mean_ : ndarray of shape (n_features_in_, n_states), float32
        Their posterior means.
    coupling_ : float
        J of these.
    intercept_visible_ : ndarray of shape (n_features_in_,)
        Fields of the features.
    groups_ : ndarray of shape (n_features_in_,), int64
        Group of each feature.
    top_synapses_ : ndarray of shape (n_groups, n_states, n_components), int8
        Synapses of states with causes.
    top_posterior_mean_ : ndarray of shape (n_groups, n_states, n_components), float32
        Their posterior means.
    top_coupling_ : float
        J of these.
    feature_field_ : ndarray of shape (n_groups, n_states)
        Fields of the states.
    log_weights_ : ndarray of shape (n_components,)
        Logarithm of the probability of each cause.
    weights_ : ndarray of shape (n_components,)
        Probability of each cause.
    bound_ : float
        Lower bound on the log-likelihood, nats per sample.

    See Also
    --------
    BinarySynapseMixture : One group alone.
    """

    _names = {"n_components": "hidden", "patch": "patch", "n_states": "states", "n_iter": "epochs", "validation_fraction": "validation"}
    _fixed = {"model": "tree", "synapses": "binary"}

    def __init__(
        self, n_components: int | None = None, *, patch: int | tuple[int, int] | None = None, n_states: int | None = None, n_iter: int | None = None,
        recipe: Mapping[str, Any] | None = None, binarize: float | None = 0.5, shape: tuple[int, int] | None = None, validation_fraction: float | None = None,
        folder: str | os.PathLike | None = None, random_state: int | np.random.RandomState | None = None, verbose: int = 0,
        callbacks: Callable[[BinarySynapseTree, Progress], Any] | Sequence[Callable[[BinarySynapseTree, Progress], Any]] | None = None,
    ) -> None:
        self.n_components = n_components
        self.patch = patch
        self.n_states = n_states
        self.n_iter = n_iter
        self.recipe = recipe
        self.binarize = binarize
        self.shape = shape
        self.validation_fraction = validation_fraction
        self.folder = folder
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def _setting(self, name, setting, value):
        if name != "patch":
            return super()._setting(name, setting, value)
        if isinstance(value, Integral) and not isinstance(value, bool) and value > 0:
            return f"{value}x{value if self.shape is not None else 1}"
        if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(n, Integral) and n > 0 for n in value) and self.shape is not None:
            return f"{value[1]}x{value[0]}"
        raise ValueError(f"patch is {value!r}: it must be the side of a patch, such as 7, or of samples with a shape its height and width, such as (4, 7)")
