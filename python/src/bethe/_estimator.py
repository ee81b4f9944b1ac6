"""Machines with hidden units as estimators of scikit-learn."""

from __future__ import annotations

import ctypes as ct
import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import _bits, _core
from ._chains import ChainsMixin
from ._machine import Machine, read_machine
from ._progress import Progress

if TYPE_CHECKING:
    from typing_extensions import Self

#: Learners of partial_fit, which never enter a pickle.
_learners = weakref.WeakKeyDictionary()
_lock = threading.RLock()


class _RBM(ChainsMixin, Machine):
    """What machines with hidden units, with synapses of any kind, have in common."""

    _names = {
        "n_components": "hidden", "units": "units", "hidden_units": "hidden_units", "learning_rate": "rate", "batch_size": "batch", "n_iter": "epochs", "time_limit": "time",
        "validation_fraction": "validation",
    }
    _words = "units", "hidden_units"
    _synapses = "binary"
    _of_holes = "; the command `bethe train --missing nan` learns from samples with holes"

    def __init__(
        self, n_components: int | Sequence[int] | None = None, *, units: str | None = None, hidden_units: str | None = None, learning_rate: float | None = None,
        batch_size: int | None = None, n_iter: int | None = None, time_limit: float | None = None, recipe: Mapping[str, Any] | None = None, binarize: float | None = 0.5,
        shape: tuple[int, int] | None = None, validation_fraction: float | None = None, init: _RBM | str | os.PathLike | None = None, warm_start: bool = False,
        folder: str | os.PathLike | None = None, random_state: int | np.random.RandomState | None = None, verbose: int = 0,
        callbacks: Callable[[_RBM, Progress], Any] | Sequence[Callable[[_RBM, Progress], Any]] | None = None,
    ) -> None:
        self.n_components = n_components
        self.units = units
        self.hidden_units = hidden_units
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.time_limit = time_limit
        self.recipe = recipe
        self.binarize = binarize
        self.shape = shape
        self.validation_fraction = validation_fraction
        self.init = init
        self.warm_start = warm_start
        self.folder = folder
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    # Settings.

    def _check_recipe(self, recipe):
        if recipe.get("model", "rbm") not in ("rbm", ""):
            raise ValueError(f"recipe['model'] is {recipe['model']!r}: BinarySynapseMixture and BinarySynapseTree are of other models than rbm")
        if recipe.setdefault("synapses", self._synapses) == "real" != self._synapses or self._synapses == "real" != recipe["synapses"]:
            raise ValueError(f"recipe['synapses'] is {recipe['synapses']!r}: BinarySynapseRBM learns binary, sampled or sign, RealSynapseRBM real")
        if recipe["synapses"] == "binary":
            del recipe["synapses"]

    def _setting(self, name, setting, value):
        if name != "n_components":
            return super()._setting(name, setting, value)
        if isinstance(value, (tuple, list, np.ndarray)) and len(value):
            value = [super(_RBM, self)._setting(name, setting, n) for n in value]
            return value if len(value) > 1 else value[0]
        if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)):
            raise ValueError(f"n_components is {value!r}: it must be an integer, the number of hidden units, or a tuple of them, one a hidden layer of a deep machine, such as (100, 50)")
        return int(value)

    def _settings(self):
        recipe = super()._settings()
        if isinstance(recipe.get("hidden"), list):  # a deep machine
            if "layers" in recipe:
                raise ValueError("n_components is given twice: as an argument, and as recipe['layers']")
            recipe["layers"] = recipe["hidden"]
            recipe["hidden"] = recipe["layers"][0]
        return recipe

    def _first(self):
        if self.warm_start and hasattr(self, "_order"):
            return self._machine()
        if self.init is None:
            return None
        if isinstance(self.init, Machine):
            return self.init._machine()
        if not isinstance(self.init, (str, os.PathLike)):
            raise ValueError(f"init is {self.init!r}: it must be an estimator or the path of a model file")
        return read_machine(self.init)

    # Learning.

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:  # noqa: D102 (that of Machine)
        super().fit(X, y)
        with _lock:
            _learners.pop(self, None)
        return self

    fit.__doc__ = Machine.fit.__doc__

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Take a step for each batch of ``batch_size`` samples, at a constant rate.

        Chains and the optimiser's memory go on from call to call, but not in a copy or a
        pickle: the next call there starts from the machine alone. ``n_iter`` and what the
        recipe says of falling rates, averages and settling are not used: ``fit`` learns a
        better machine of the same samples. The scale of real numbers and the number of colours are
        those of the first call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : None
            Not used.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            Of a setting out of its range, and of samples of another number of features.
        BetheError
            Of learning that diverged.
        """
        _core.library.get()
        fresh = not hasattr(self, "_order")
        self._check_arguments()
        X = self._validated(X, reset=fresh, ensure_min_samples=2 if fresh and self._kind() == "gauss" else 1)
        kind = self._kind()
        self._look(X, kind)
        with _lock:
            learner = _learners.get(self)
        if learner is not None and learner[0] is not self._first_synapses:
            learner = None  # the machine has changed since
        size = self._settings().get("batch") or json.loads(_core.text_of("bethe_recipe", None))["batch"]
        if size < 1:
            raise ValueError(f"batch_size {size}: it must be at least 1")
        progress, seed = _core.CProgress(), None
        for k in range(0, X.shape[0], size):
            samples = self._packed(X[k : k + size], kind)
            if learner is None:
                seed = self._seed()
                first = self._machine() if not fresh else self._first()
                learner = None, _core.Handle("bethe_online_new", samples, _core.words(self._request(seed, X.shape[1])), first or 0)
            _core.call("bethe_online_step", learner[1], samples, 0, ct.byref(progress))
        if learner is None:
            return self
        self._take(_core.Handle("bethe_online_machine", learner[1]))
        if seed is not None:
            self._keep_reference(X, seed)
        self.n_steps_ = progress.step
        self.n_iter_ = 1
        with _lock:
            _learners[self] = self._first_synapses, learner[1]
        return self

    # The machine.

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the means of the hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        means : ndarray of shape (n_samples, n_features_out), float32
            Means of the hidden units given each sample, what ``bethe features`` writes: of spins from -1
            to 1, of groups the probability of each state, of Gaussian units any number. Of a deep machine
            those of all hidden layers, the first one first.
        """
        machine = self._machine()
        X = self._validated(X)
        out = np.empty((X.shape[0], self._n_features_out), np.float32)
        if self._plain():
            self._by_rows(X, lambda x, part: _core.call("bethe_transform", machine, _core.pointer(x), len(x), 1.0, _core.pointer(part)), out)
        else:
            self._by_jobs(X, "bethe_features", "features", None, out)
        return out

    def _plain(self):
        """Return whether the machine is of spins with one hidden layer."""
        return self._about["units"] == self._about["hidden_units"] == "spin" and len(self._about["layers"]) == 1

    @property
    def _first_synapses(self):
        """The synapses of the first hidden layer: visible features x hidden features."""
        matrix = getattr(self, "synapses_", None)
        matrix = self.weights_ if matrix is None else matrix
        return matrix[0] if isinstance(matrix, list) else matrix


class BinarySynapseRBM(_RBM):
    """A restricted Boltzmann machine whose synapses are one bit each.

    One hidden layer or several, of spins, real numbers or colours. Learning climbs a lower bound on the log-likelihood, by a distribution over the
    synapses: H. Huang, Phys. Rev. E 102, 030301 (arXiv:1911.07662). The energy of
    spins s, h = ±1 (a feature of 1 is s = +1, one of 0 is s = -1) is

    ``-J sum (s_i - mu_i) xi_im (h_m - nu_m) - b.s - c.h``;

    other kinds of units are in docs/units.md, deep machines in docs/deep.md.

    Settings that are None have the values that suit the others, as in ``bethe train``.

    Parameters
    ----------
    n_components : int or tuple of int, default=None
        Hidden units, or groups of them; None: those of ``bethe.recipe()``. A tuple such as (100, 50) is of a deep
        machine: the size of each hidden layer, the first one first; with ``recipe={"stack": True}`` of a stack of
        machines that are learned one after the other (a deep belief network).
    units : str, default=None
        Kind of the visible units: "spin", "gauss" (real numbers, each column standardised inside) or
        "potts:K" (whole numbers 0 to K - 1, colours; "potts": as many as X has). None: spins.
    hidden_units : str, default=None
        Kind of the hidden units: "spin", "gauss", "group:K" (exactly one of K is on) or "group?:K" (at
        most one). None: spins.
    learning_rate : float, default=None
        Rate of the synapses at its highest.
    batch_size : int, default=None
        Samples a step.
    n_iter : int, default=None
        Passes through the samples.
    time_limit : float, default=None
        Seconds of learning; what ends first, ``n_iter`` or it, ends learning.
    recipe : dict, default=None
        More settings by the names of ``run.json``, such as ``{"sweeps": 2}``: see
        ``bethe train --help``.
    binarize : float or None, default=0.5
        Of spins: threshold above which a value is 1. None: X holds bits, 0 and 1 or -1 and 1,
        and anything else is an error.
    shape : (int, int), default=None
        Height and width of the pictures that samples are, row by row: the model file keeps it, and pictures
        have it. None: samples are no pictures.
    validation_fraction : float, default=None
        Share of the samples that are held out; their log-likelihood is measured along the way.
    init : estimator or path, default=None
        Machine of the same kind that learning starts from; None: random synapses.
    warm_start : bool, default=False
        Whether ``fit`` starts from the machine that the estimator has.
    folder : path, default=None
        Run folder. ``fit`` writes checkpoints there and goes on from them.
    random_state : int, RandomState or None, default=None
        An integer is the seed itself: equal seeds give equal bytes.
    verbose : int, default=0
        1 shows progress, by tqdm if it is installed.
    callbacks : callable or list of callables, default=None
        Called with the estimator and a `Progress` some 50 times a second. What one
        raises ends ``fit`` and comes through it.

    Attributes
    ----------
    synapses_ : ndarray of shape (n_features_in_, n_components), int8
        Synapses xi, -1 or 1.
    posterior_mean_ : ndarray of shape (n_features_in_, n_components), float32
        Posterior means of the synapses, from -1 to 1.
    coupling_ : float
        J, which all synapses share.
    intercept_visible_ : ndarray of shape (n_features_in_,)
        Fields b of visible units.
    intercept_hidden_ : ndarray of shape (n_components,)
        Fields c of hidden units.
    offset_visible_ : ndarray of shape (n_features_in_,)
        Offsets mu.
    offset_hidden_ : ndarray of shape (n_components,)
        Offsets nu.
    sigma_visible_, mean_visible_ : ndarray of shape (n_varying,)
        Of Gaussian visible units: deviation given the hidden units, and mean, in the units of X. Columns that do not
        vary are no units.
    data_mean_, data_deviation_ : ndarray of shape (n_features_in_,)
        Of Gaussian visible units: those of the columns of X.
    bound_ : float
        Lower bound on the log-likelihood, nats per sample; an estimate where it was annealed.
    history_ : list of dict
        Records of learning: ``metrics.jsonl`` of a run folder.
    recipe_ : dict
        All settings.
    result_ : dict
        What ``bethe train --json`` prints.
    meta_ : dict
        How the machine was made: ``meta.json`` of the model file.
    scouts_ : ndarray of shape (n_states, n_features_in_), uint8
        Heavy states far from the samples that learning met, if it did: `evaluate` begins its search there.
    n_steps_ : int
        Steps of learning.
    n_iter_ : int
        Passes through the samples.
    n_features_in_ : int
        Visible units.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, if X had any.

    See Also
    --------
    RealSynapseRBM : The same with real synapses.
    BinarySynapseMixture : One of many causes at a time, with exact likelihood.

    Notes
    -----
    Units of several features, colours and groups, have a row or a column of synapses for each. Of a deep
    machine or a stack ``synapses_``, ``posterior_mean_``, ``intercept_hidden_`` and ``offset_hidden_`` are lists, one a
    hidden layer, and ``coupling_`` has one for each; of a stack ``intercept_visible_`` and ``offset_visible_`` are lists too.

    Examples
    --------
    >>> import numpy as np
    >>> from bethe import BinarySynapseRBM
    >>> X = np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]] * 25)
    >>> rbm = BinarySynapseRBM(2, n_iter=50, batch_size=20, random_state=1).fit(X)
    >>> rbm.synapses_.shape, rbm.synapses_.dtype
    ((4, 2), dtype('int8'))
    """


class RealSynapseRBM(_RBM):
    """A restricted Boltzmann machine with real synapses, the baseline of the binary ones.

    It is learned in the same loop, by persistent contrastive divergence: ``bethe train
    --synapses real``. Parameters and attributes are those of `BinarySynapseRBM`, but for
    ``weights_``, which takes the place of ``synapses_`` and ``posterior_mean_``.

    Parameters
    ----------
    n_components : int or tuple of int, default=None
        Hidden units, or those of each hidden layer; None: those of ``bethe.recipe()``.
    units : str, default=None
        Kind of the visible units.
    hidden_units : str, default=None
        Kind of the hidden units.
    learning_rate : float, default=None
        Rate of the synapses at its highest.
    batch_size : int, default=None
        Samples a step.
    n_iter : int, default=None
        Passes through the samples.
    time_limit : float, default=None
        Seconds of learning.
    recipe : dict, default=None
        More settings, such as ``{"decay": 0.001}``.
    binarize : float or None, default=0.5
        Threshold above which a value is 1.
    shape : (int, int), default=None
        Height and width of pictures.
    validation_fraction : float, default=None
        Share of the samples that are held out.
    init : estimator or path, default=None
        Machine that learning starts from.
    warm_start : bool, default=False
        Whether ``fit`` starts from the machine that the estimator has.
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
    weights_ : ndarray of shape (n_features_in_, n_components), float32
        Synapses w in units of the coupling: the weight of an edge is ``coupling_ * weights_``.
    coupling_ : float
        J, the unit of the synapses.

    See Also
    --------
    BinarySynapseRBM : Synapses that are bits.
    """

    _synapses = "real"
