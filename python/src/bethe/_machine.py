"""What estimators of all families have in common: settings, learning, the machine and its arrays."""

from __future__ import annotations

import json
import os
import pathlib
import re
import threading
import types
import warnings
import weakref
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _bits, _core
from ._compat import TagsMixin, validate_data
from ._progress import Watch
from ._use import UseMixin

if TYPE_CHECKING:
    from typing_extensions import Self

#: Training samples that are kept to anneal from (score_samples).
REFERENCE = 500

#: Attributes that hold the arrays of a model file, where their names differ. Of a deep machine
#: and a stack names with a number are lists.
ATTRIBUTES = {
    "visible_field": "intercept_visible", "hidden_field": "intercept_hidden", "visible_offset": "offset_visible", "hidden_offset": "offset_hidden",
    "field": "intercept_hidden", "offset": "offset_hidden", "field_0": "intercept_visible", "offset_0": "offset_visible",
    "visible_sigma": "sigma_visible", "visible_mean": "mean_visible", "ln_weight": "log_weights", "group": "groups", "meta.json": "_metas",
}

#: What belongs to an estimator as long as it lives and never enters a pickle: the library's machine,
#: with what it is made of.
_machines = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def attribute(name):
    """Return the attribute that holds an array of a model file, and its place in a list, or None."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name] + "_", None
    numbered = re.fullmatch(r"(.+)_(\d+)", name)
    if numbered:
        return ATTRIBUTES.get(numbered[1], numbered[1]) + "_", int(numbered[2]) - 1
    return name + "_", None


class Machine(UseMixin, TagsMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What machines of all families have in common."""

    #: Arguments that are settings of a recipe, and what the recipe calls them.
    _names = {}

    #: Arguments of those that are words, and those that are any numbers; others are integers.
    _words = ()
    _reals = ("learning_rate", "time_limit")

    #: Settings that are the class's own.
    _fixed = {}

    #: Kind of the visible units.
    units = None

    #: What else learns from samples with missing values.
    _of_holes = ""

    def __init_subclass__(cls, **more):
        """Give each class an __init__ of its own, so that errors of Python call it by the name of the class."""
        super().__init_subclass__(**more)
        of = cls.__init__
        if not isinstance(of, types.FunctionType):
            return
        cls.__init__ = types.FunctionType(of.__code__, of.__globals__, of.__name__, of.__defaults__, of.__closure__)
        cls.__init__.__kwdefaults__, cls.__init__.__annotations__ = of.__kwdefaults__, of.__annotations__
        cls.__init__.__qualname__ = f"{cls.__name__}.__init__"

    # Data and settings.

    def _kind(self):
        """Return the kind of the visible units: that of the machine, if there is one."""
        return self._about["units"] if hasattr(self, "_about") else self._asked_kind()

    def _asked_kind(self):
        if self.units is None and isinstance(self.recipe, Mapping):
            return self.recipe.get("units") or "spin"
        if self.units is not None and not isinstance(self.units, str):
            raise ValueError(f"units is {self.units!r}: it must be a text, 'spin', 'gauss' or 'potts:K' with the number K of colours")
        return self.units or "spin"

    def _validated(self, X, reset=False, **settings):
        try:
            return validate_data(self, X, accept_sparse="csr", dtype=_bits.DTYPES, reset=reset, **settings)
        except ValueError as e:
            if "contains NaN" in str(e):
                raise ValueError(
                    f"Input X contains NaN, and a {type(self).__name__} learns from complete samples: impute them first (SimpleImputer of scikit-learn). "
                    f"complete infers what is missing once there is a machine{self._of_holes}"
                ) from e
            words = _bits.words_of(X)
            if not words:
                raise
            raise ValueError(f"X has columns that are no numbers: {words}. OneHotEncoder or OrdinalEncoder of scikit-learn make numbers of them ({e})") from e

    def _packed(self, X, kind=None):
        """Return validated X as samples of the library."""
        kind = kind or self._kind()
        if kind == "spin":
            return _bits.packed(X, self.binarize)
        try:
            return _core.numbers(kind, _bits.numbers(X))
        except ValueError as e:
            remedy = "; KBinsDiscretizer(encode='ordinal') of scikit-learn makes colours of real numbers" if "whole number" in str(e) else ""
            raise ValueError(f"units={kind!r}: {e}{remedy}") from e

    def _look(self, X, kind):
        """Warn about values that are hardly meant so; raise for those that cannot be."""
        if kind == "spin":
            _bits.look(X, self.binarize)
            if _bits.alike(X, self.binarize):
                warnings.warn(f"all values of X are alike with binarize={self.binarize}: there is nothing to learn", UserWarning, stacklevel=4)

    def _settings(self):
        """Return the recipe as the library reads it: what is not given follows from what is."""
        if self.recipe is not None and not isinstance(self.recipe, Mapping):
            raise ValueError(f"recipe is {self.recipe!r}: it must be a dict of settings, such as {{'sweeps': 2}}")
        recipe = dict(self.recipe or {})
        self._check_recipe(recipe)
        for name, setting in self._names.items():
            value = getattr(self, name)
            if value is None or setting == "validation":
                continue
            if setting in recipe:
                raise ValueError(f"{name} is given twice: as an argument, and as recipe[{setting!r}]")
            recipe[setting] = self._setting(name, setting, value)
        return recipe | self._fixed

    def _check_recipe(self, recipe):
        """Raise for settings of the recipe that the class decides."""
        for setting, value in self._fixed.items():
            if recipe.get(setting, value) != value:
                raise ValueError(f"recipe[{setting!r}] is {recipe[setting]!r}: of a {type(self).__name__} it is {value!r}")

    def _setting(self, name, setting, value):
        """Return an argument as its setting."""
        kind, words = (str, "a text") if name in self._words else (Real, "a number") if name in self._reals else (Integral, "an integer")
        if not isinstance(value, kind) or isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{name} is {value!r}: it must be {words}")
        if kind is Real and not np.isfinite(value):
            raise ValueError(f"{name} is {value!r}: it must be finite")
        if setting in ("epochs", "time") and value == 0:
            raise ValueError(f"{name} is 0: it must be above 0, or None for no limit")
        return f"{float(value)!r}s" if setting == "time" else str(value) if kind is str else float(value) if kind is Real else int(value)

    def _check_arguments(self):
        """Raise for arguments that the library does not see."""
        if self.binarize is not None and (not isinstance(self.binarize, Real) or isinstance(self.binarize, (bool, np.bool_)) or not np.isfinite(self.binarize)):
            raise ValueError(f"binarize is {self.binarize!r}: it must be the threshold, a number, above which a value is 1, or None if X holds bits")
        share = self.validation_fraction
        if share is not None and (not isinstance(share, Real) or isinstance(share, (bool, np.bool_))):
            raise ValueError(f"validation_fraction is {share!r}: it must be a share between 0 and 1, such as 0.1")
        shape = self.shape
        if shape is not None and (not isinstance(shape, (tuple, list)) or len(shape) != 2 or not all(isinstance(n, Integral) and n > 0 for n in shape)):
            raise ValueError(f"shape is {shape!r}: it must be the height and width of a picture, such as (8, 8)")
        if not (self.callbacks is None or callable(self.callbacks) or isinstance(self.callbacks, (list, tuple)) and all(map(callable, self.callbacks))):
            raise ValueError(f"callbacks is {self.callbacks!r}: it must be a function of the estimator and a Progress, or a list of such")
        if self.folder is not None and not isinstance(self.folder, (str, os.PathLike)):
            raise ValueError(f"folder is {self.folder!r}: it must be a path")

    def _seed(self):
        """Return the seed: random_state itself if it is an integer, as bethe train --seed takes it."""
        if isinstance(self.random_state, Integral) and self.random_state >= 0:
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _request(self, seed, n_features):
        request = {
            "recipe": self._settings(), "seed": seed, "program": f"bethe {_core.library.version['version']} (Python)", "data": "array",
            "names": {setting: name for name, setting in self._names.items()} | {"layers": "n_components", "out": "folder"},
        }
        if self.shape is not None:
            height, width = map(int, self.shape)
            if height * width != n_features:
                raise ValueError(f"shape is {self.shape!r}: a picture of {height} x {width} has {height * width} units, and X has {n_features} features")
            request.update(height=height, width=width)
        return request

    def _first(self):
        """Return the handle of the machine that learning starts from, or None."""
        return None

    # Learning.

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Learn from samples.

        The machine is the one that ``bethe train`` learns with the same settings and seed.
        Ctrl-C ends learning within 0.1 s; with ``folder`` the same call goes on where it was.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Spins: values above ``binarize`` are 1, the others 0.
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
        kind = self._asked_kind()
        self._check_arguments()
        X = self._validated(X, reset=True, ensure_min_samples=1 if kind != "gauss" else 2)
        first = self._first()
        seed = self._seed()
        request = self._request(seed, X.shape[1])
        labels = self._labels(y, X.shape[0], request["recipe"])
        if self.validation_fraction is not None:
            request["validation_share"] = float(self.validation_fraction)
        if self.folder is not None:
            request.update(folder=str(self.folder), resume=True)
        self._look(X, kind)
        samples = self._packed(X, kind)
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
        return self

    def _labels(self, y, count, recipe):
        """Return labels numbered from 0 on, or None if they are not looked at."""
        if not recipe.get("label_weight"):
            return None
        if y is None:
            raise ValueError("recipe['label_weight'] is above 0: fit needs labels y")
        y = np.asarray(y)
        if y.dtype.kind == "f" and np.isnan(y).any():
            raise ValueError("y contains NaN: a label for each sample is needed")
        classes, labels = np.unique(y, return_inverse=True)
        if labels.shape != (count,):
            raise ValueError(f"y has shape {np.shape(y)}: a label for each of {count} samples is needed")
        self.classes_ = classes
        return np.ascontiguousarray(labels, dtype=np.int64)

    def _keep_reference(self, X, seed):
        """Keep some samples to anneal from, unless likelihoods are exact."""
        self.__dict__.pop("_reference", None)
        if self._about["exact"]:
            return
        chosen = np.sort(np.random.RandomState(seed % 2**32).permutation(X.shape[0])[:REFERENCE])
        if self._kind() == "spin":
            self._reference = np.concatenate([np.packbits(b, axis=1) for b in _bits.blocks(X[chosen], self.binarize)])
        else:
            self._reference = _bits.numbers(X[chosen])

    # The machine.

    def _take(self, handle):
        """Take the arrays of a machine."""
        arrays = handle.arrays()
        for name in getattr(self, "_order", ()):
            self.__dict__.pop(attribute(name)[0], None)
        self.__dict__.pop("scouts_", None)
        self._order = tuple(arrays)
        for name, array in arrays.items():
            array.flags.writeable = False
            called, place = attribute(name)
            value = float(array) if array.ndim == 0 else array
            if place is not None:
                self.__dict__.setdefault(called, []).append(value)
            else:
                setattr(self, called, value)
        self._meta = _core.text_of("bethe_machine_meta", handle)
        self._about = json.loads(_core.text_of("bethe_machine_about", handle))
        self.n_features_in_ = self._about["visible"]
        with _lock:
            _machines[self] = self._parts(), handle

    def _arrays(self):
        """Return the arrays of the model file."""
        arrays = {}
        for name in self._order:
            called, place = attribute(name)
            value = getattr(self, called)
            value = value if place is None else value[place]
            arrays[name] = np.float64(value) if isinstance(value, float) else value
        return arrays

    def _parts(self):
        """Return what the machine is made of; equal objects make the same machine."""
        return [*(getattr(self, called) if place is None else getattr(self, called)[place] for called, place in map(attribute, self._order)), self._meta]

    def _machine(self):
        """Return the handle of the machine; of arrays that were replaced a new one."""
        check_is_fitted(self, "_order")
        _core.library.get()  # before a lock that a thread of the parent may have held when it forked
        with _lock:
            parts, handle = _machines.get(self, (None, None))
            mine = self._parts()
            if parts is None or len(parts) != len(mine) or any(a is not b and not (isinstance(a, (float, str)) and a == b) for a, b in zip(parts, mine)):
                handle = _core.machine(self._meta, self._arrays())
                _machines[self] = mine, handle
            return handle

    @property
    def _n_features_out(self):
        return self._about["features"]

    @property
    def meta_(self) -> dict[str, Any]:
        """How the machine was made: meta.json of the model file."""
        return json.loads(self._meta)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_order")


def read_machine(path):
    """Return the handle of a model file; a file that is not there is FileNotFoundError."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{path!r} is a {type(path).__name__}, where the path of a model file is needed")
    if pathlib.Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder: name the model file in it, such as {pathlib.Path(path) / 'model.npz'}")
    with open(path, "rb"):
        pass
    return _core.Handle("bethe_machine_read", str(path).encode())
