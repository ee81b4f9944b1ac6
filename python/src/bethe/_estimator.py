"""Restricted Boltzmann machines as estimators of scikit-learn: learning."""

from __future__ import annotations

import ctypes as ct
import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _bits, _core
from ._compat import TagsMixin, validate_data
from ._progress import Progress, Watch
from ._use import UseMixin

if TYPE_CHECKING:
    from typing_extensions import Self

#: Arguments that are settings of a recipe, and what the recipe calls them.
SETTINGS = {"n_components": "hidden", "learning_rate": "rate", "batch_size": "batch", "n_iter": "epochs", "time_limit": "time", "validation_fraction": "validation"}

#: Training samples that are kept to anneal from (score_samples).
REFERENCE = 500

#: What belongs to an estimator as long as it lives and never enters a pickle: the
#: library's machine, with the arrays that it is of, and the learner of partial_fit.
_machines = weakref.WeakKeyDictionary()
_learners = weakref.WeakKeyDictionary()
_lock = threading.RLock()


class _RBM(UseMixin, TagsMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What machines with synapses of any kind have in common."""

    _synapses = "binary"
    _matrix = "synapses"  # array of the model file

    def __init__(
        self, n_components: int | None = None, *, learning_rate: float | None = None, batch_size: int | None = None, n_iter: int | None = None,
        time_limit: float | None = None, recipe: Mapping[str, Any] | None = None, binarize: float | None = 0.5, validation_fraction: float | None = None,
        init: _RBM | str | os.PathLike | None = None, warm_start: bool = False, folder: str | os.PathLike | None = None,
        random_state: int | np.random.RandomState | None = None, verbose: int = 0,
        callbacks: Callable[[_RBM, Progress], Any] | Sequence[Callable[[_RBM, Progress], Any]] | None = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.time_limit = time_limit
        self.recipe = recipe
        self.binarize = binarize
        self.validation_fraction = validation_fraction
        self.init = init
        self.warm_start = warm_start
        self.folder = folder
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    # Data and settings.

    def _validated(self, X, reset=False, **settings):
        return validate_data(self, X, accept_sparse="csr", dtype=_bits.DTYPES, reset=reset, **settings)

    def _settings(self):
        """Return the recipe as the library reads it: what is not given follows from what is."""
        if self.recipe is not None and not isinstance(self.recipe, Mapping):
            raise ValueError(f"recipe is {self.recipe!r}: it must be a dict of settings, such as {{'sweeps': 2}}")
        recipe = dict(self.recipe or {})
        if recipe.setdefault("synapses", self._synapses) == "real" != self._synapses or self._synapses == "real" != recipe["synapses"]:
            raise ValueError(f"recipe['synapses'] is {recipe['synapses']!r}: BinarySynapseRBM learns binary, sampled or sign, RealSynapseRBM real")
        for argument, setting in SETTINGS.items():
            value = getattr(self, argument)
            if value is None or setting == "validation":
                continue
            if setting in recipe:
                raise ValueError(f"{argument} is given twice: as an argument, and as recipe[{setting!r}]")
            kind = Real if argument in ("learning_rate", "time_limit") else Integral
            if not isinstance(value, kind) or isinstance(value, bool):
                raise ValueError(f"{argument} is {value!r}: it must be {'a number' if kind is Real else 'an integer'}")
            recipe[setting] = f"{float(value)!r}s" if setting == "time" else float(value) if kind is Real else int(value)
        if recipe["synapses"] == "binary":
            del recipe["synapses"]
        return recipe

    def _seed(self):
        """Return the seed: random_state itself if it is an integer, as bethe train --seed takes it."""
        if isinstance(self.random_state, Integral) and self.random_state >= 0:
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _request(self, seed):
        return {
            "recipe": self._settings(), "seed": seed, "program": f"bethe {_core.library.version['version']} (Python)", "data": "array",
            "names": {setting: argument for argument, setting in SETTINGS.items()},
        }

    def _first(self):
        """Return the handle of the machine that learning starts from, or None."""
        if self.warm_start and hasattr(self, "coupling_"):
            return self._machine()
        if self.init is None:
            return None
        if isinstance(self.init, _RBM):
            return self.init._machine()
        return read_machine(self.init)

    # Learning.

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Learn from samples.

        The machine is the one that ``bethe train`` learns with the same settings and seed.
        Ctrl-C ends learning within 0.1 s; with ``folder`` the same call goes on where it was.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Values above ``binarize`` are 1, the others 0.
        y : array-like of shape (n_samples,), default=None
            Labels; looked at if ``recipe`` has a ``label_weight`` above 0.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            Of a setting out of its range, and of data that are no numbers.
        BetheError
            Of learning that diverged, and of files that cannot be written.
        """
        _core.library.get()  # a child that was forked is told at once
        X = self._validated(X, reset=True)
        first = self._first()
        seed = self._seed()
        request = self._request(seed)
        labels = self._labels(y, X.shape[0], request["recipe"])
        if self.validation_fraction is not None:
            request["validation_share"] = float(self.validation_fraction)
        if self.folder is not None:
            request.update(folder=str(self.folder), resume=True)
        _bits.look(X, self.binarize)
        samples = _bits.packed(X, self.binarize)
        job = _core.Job("bethe_learn", samples, _core.words(request), None if labels is None else _core.pointer(labels), 0, first or 0)
        with Watch(self, self.verbose, self.callbacks) as watch:
            job.run(watch, saves=self.folder is not None)
        report = job.report()
        self._take(_core.Handle("bethe_learned", job))
        for name, states in job.arrays().items():
            setattr(self, name + "_", states)
        self.history_ = job.records()
        self.recipe_ = report["recipe"]
        self.result_ = report["result"]
        self.n_steps_ = report["result"]["steps"]
        self.n_iter_ = max(1, round(self.history_[-1]["epoch"])) if self.history_ else 1
        self.bound_ = report["result"]["bound_per_sample"]
        self._keep_reference(X, seed)
        with _lock:
            _learners.pop(self, None)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the means of the hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        means : ndarray of shape (n_samples, n_components), float32
            Means of the hidden spins given each sample, from -1 to 1: what
            ``bethe features`` writes.
        """
        machine = self._machine()
        X = self._validated(X)
        out = np.empty((X.shape[0], self._n_features_out), np.float32)
        self._by_rows(X, lambda x, part: _core.call("bethe_transform", machine, _core.pointer(x), len(x), 1.0, _core.pointer(part)), out)
        return out

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Take a step for each batch of ``batch_size`` samples, at a constant rate.

        Chains and the optimiser's memory go on from call to call, but not in a copy or a
        pickle: the next call there starts from the machine alone. ``n_iter`` and what the
        recipe says of falling rates, averages and settling are not used: ``fit`` learns a
        better machine of the same samples.

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
        fresh = not hasattr(self, "coupling_")
        X = self._validated(X, reset=fresh)
        _bits.look(X, self.binarize)
        with _lock:
            learner = _learners.get(self)
        if learner is not None and learner[0] is not self._synapse_array:
            learner = None  # the machine has changed since
        size = int(self.batch_size or json.loads(_core.text_of("bethe_recipe", None))["batch"])
        progress = _core.CProgress()
        for k in range(0, X.shape[0], size):
            samples = _bits.packed(X[k : k + size], self.binarize)
            if learner is None:
                seed = self._seed()
                first = self._machine() if not fresh else self._first()
                learner = None, _core.Handle("bethe_online_new", samples, _core.words(self._request(seed)), first or 0)
                self._keep_reference(X, seed)
            _core.call("bethe_online_step", learner[1], samples, 0, ct.byref(progress))
        if learner is None:
            return self
        self._take(_core.Handle("bethe_online_machine", learner[1]))
        self.n_steps_ = progress.step
        self.n_iter_ = 1
        with _lock:
            _learners[self] = self._synapse_array, learner[1]
        return self

    def _labels(self, y, count, recipe):
        """Return labels numbered from 0 on, or None if they are not looked at."""
        if not recipe.get("label_weight"):
            return None
        if y is None:
            raise ValueError("recipe['label_weight'] is above 0: fit needs labels y")
        classes, labels = np.unique(np.asarray(y), return_inverse=True)
        if labels.shape != (count,):
            raise ValueError(f"y has shape {np.shape(y)}: a label for each of {count} samples is needed")
        self.classes_ = classes
        return np.ascontiguousarray(labels, dtype=np.int64)

    def _keep_reference(self, X, seed):
        """Keep some samples to anneal from."""
        count = X.shape[0]
        chosen = np.sort(np.random.RandomState(seed % 2**32).permutation(count)[:REFERENCE])
        self._reference = np.concatenate([np.packbits(b, axis=1) for b in _bits.blocks(X[chosen], self.binarize)])

    # The machine.

    def _take(self, handle):
        """Take the arrays of a machine."""
        arrays = handle.arrays()
        for name in (self._matrix, "posterior_mean", "prior_mean", "scouts"):
            self.__dict__.pop(name + "_", None)
            if name in arrays:
                setattr(self, name + "_", arrays[name])
        self.intercept_visible_, self.intercept_hidden_ = arrays["visible_field"], arrays["hidden_field"]
        self.offset_visible_, self.offset_hidden_ = arrays["visible_offset"], arrays["hidden_offset"]
        self.coupling_ = float(arrays["coupling"])
        self._meta = _core.text_of("bethe_machine_meta", handle)
        for array in arrays.values():
            array.flags.writeable = False
        self.n_features_in_ = self._synapse_array.shape[0]
        with _lock:
            _machines[self] = self._parts(), handle

    @property
    def _synapse_array(self):
        """The synapses: n_features_in_ x n_components."""
        return getattr(self, self._matrix + "_")

    def _parts(self):
        """Return what the machine is made of; equal objects make the same machine."""
        return (
            self._synapse_array, getattr(self, "posterior_mean_", None), getattr(self, "prior_mean_", None), self.intercept_visible_,
            self.intercept_hidden_, self.offset_visible_, self.offset_hidden_, self.coupling_, self._meta,
        )

    def _arrays(self):
        """Return the arrays of the model file."""
        arrays = {self._matrix: self._synapse_array}
        for name in ("posterior_mean", "prior_mean"):
            if hasattr(self, name + "_"):
                arrays[name] = getattr(self, name + "_")
        return arrays | {
            "visible_field": self.intercept_visible_, "hidden_field": self.intercept_hidden_, "visible_offset": self.offset_visible_,
            "hidden_offset": self.offset_hidden_, "coupling": np.float64(self.coupling_),
        }

    def _machine(self):
        """Return the handle of the machine; of arrays that were replaced a new one."""
        check_is_fitted(self, "coupling_")
        _core.library.get()  # before a lock that a thread of the parent may have held when it forked
        with _lock:
            parts, handle = _machines.get(self, (None, None))
            mine = self._parts()
            if parts is None or any(a is not b for a, b in zip(parts[:-2], mine[:-2])) or parts[-2:] != mine[-2:]:
                handle = _core.machine(self._meta, self._arrays())
                _machines[self] = mine, handle
            return handle

    @property
    def _n_features_out(self):
        return self._synapse_array.shape[1]

    @property
    def meta_(self):
        """How the machine was made: meta.json of the model file."""
        return json.loads(self._meta)


class BinarySynapseRBM(_RBM):
    """A restricted Boltzmann machine whose synapses are one bit each.

    Learning climbs a lower bound on the log-likelihood, by a distribution over the
    synapses: H. Huang, Phys. Rev. E 102, 030301 (arXiv:1911.07662). The energy of
    units s, h = ±1 (a feature of 1 is s = +1, one of 0 is s = -1) is

    ``-J sum (s_i - mu_i) xi_im (h_m - nu_m) - b.s - c.h``.

    Settings that are None have the values that suit the others, as in ``bethe train``.

    Parameters
    ----------
    n_components : int, default=None
        Hidden units; None: those of ``bethe.recipe()``.
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
        Threshold above which a value is 1. None: X holds bits, 0 and 1 or -1 and 1,
        and anything else is an error.
    validation_fraction : float, default=None
        Share of the samples that are held out; their log-likelihood is measured along the way.
    init : estimator or path, default=None
        Machine that learning starts from; None: random synapses.
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
    bound_ : float
        Lower bound on the log-likelihood, nats a sample; an estimate where it was annealed.
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
    n_components : int, default=None
        Hidden units; None: those of ``bethe.recipe()``.
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
    _matrix = "weights"


def read_machine(path):
    """Return the handle of a model file; a file that is not there is FileNotFoundError."""
    with open(path, "rb"):
        pass
    return _core.Handle("bethe_machine_read", str(path).encode())


def from_handle(handle):
    """Return an estimator that is fitted by a machine."""
    arrays = handle.arrays()
    if "hidden_field" not in arrays:
        raise ValueError(f"a machine of the arrays {', '.join(arrays)}: only those of a visible and a hidden layer are estimators; the command bethe uses others")
    kind = RealSynapseRBM if "weights" in arrays else BinarySynapseRBM
    meta = json.loads(_core.text_of("bethe_machine_meta", handle))
    estimator = kind(len(arrays["hidden_field"]), random_state=meta.get("seed") or None)
    estimator._take(handle)
    estimator.n_steps_ = meta.get("steps", 0)
    return estimator
