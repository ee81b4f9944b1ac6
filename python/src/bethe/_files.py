"""Model files, and the formats of other programs."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neural_network import BernoulliRBM
from sklearn.utils.validation import check_is_fitted

from . import _core
from ._causes import BinarySynapseMixture, BinarySynapseTree, RealSynapseMixture
from ._estimator import _RBM, BinarySynapseRBM, RealSynapseRBM
from ._machine import Machine, read_machine


def from_handle(handle):
    """Return an estimator that is fitted by a machine."""
    about = json.loads(_core.text_of("bethe_machine_about", handle))
    meta = json.loads(_core.text_of("bethe_machine_meta", handle))
    real = meta.get("synapses") == "real"
    settings = meta.get("settings") or {}
    arguments = {"random_state": meta.get("seed") or None}
    if meta.get("width"):
        arguments["shape"] = meta["height"], meta["width"]
    layers = about["layers"]
    if about["model"] in ("rbm", "stack"):
        if about["model"] == "stack":
            real = settings.get("synapses") == "real"
            arguments["recipe"] = {"stack": True}
        kind = RealSynapseRBM if real else BinarySynapseRBM
        of = about["hidden_units"].partition(":")[2]
        layers = [n // int(of or 1) for n in layers]
        for name in "units", "hidden_units":
            if about[name] != "spin":
                arguments[name] = about[name]
    elif about["model"] == "tree":
        kind = BinarySynapseTree
        arguments.update({name: settings[key] for name, key in (("patch", "patch"), ("n_states", "states")) if key in settings})
    else:
        kind = RealSynapseMixture if real else BinarySynapseMixture
        if settings.get("rule", "em") != "em":
            arguments["rule"] = settings["rule"]
    estimator = kind(layers[0] if len(layers) == 1 else tuple(layers), **arguments)
    estimator._take(handle)
    estimator.n_steps_ = meta.get("steps", 0)
    return estimator


def _machine_of(estimator):
    """Return an estimator of this package; raise for others."""
    if not isinstance(estimator, Machine):
        raise TypeError(f"{estimator!r} is no estimator of bethe")
    return estimator


def load(path: str | os.PathLike) -> Machine:
    """Read a model file of any kind.

    Parameters
    ----------
    path : path
        An .npz file that ``save`` or ``bethe train`` wrote.

    Returns
    -------
    machine : BinarySynapseRBM, RealSynapseRBM, BinarySynapseMixture, RealSynapseMixture or BinarySynapseTree
        A fitted estimator; ``fit`` would learn anew.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    BetheError
        If it is no model file: the text names the array and what is wrong.
    """
    rbm = from_handle(read_machine(path))
    scouts = pathlib.Path(path).with_name("scouts.npz")  # which bethe train leaves beside a model
    if scouts.exists():
        states = np.load(scouts)["samples"]
        if states.ndim == 2 and states.shape[1] == rbm.n_features_in_:
            rbm.scouts_ = np.ascontiguousarray(states > 0).view(np.uint8)
    return rbm


def save(machine: Machine, path: str | os.PathLike) -> None:
    """Write a model file: ``machine.save(path)``.

    Parameters
    ----------
    machine : estimator
        A fitted machine, mixture or tree.
    path : path
        An .npz file.
    """
    _machine_of(machine).save(path)


def recipe(**settings: Any) -> dict[str, Any]:
    """Return all settings of learning, with those that follow from the given ones.

    Parameters
    ----------
    **settings : dict
        By the names of ``run.json``, such as ``hidden=500``.

    Returns
    -------
    recipe : dict
        All settings. A rate of 0, and -1 for theta_decay and rare, stand for what suits the
        samples and the other settings; ``recipe_`` of a fitted machine has what that was.
    """
    return json.loads(_core.text_of("bethe_recipe", _core.words(settings)))


def zero_one(rbm: _RBM) -> dict[str, Any]:
    """Return a machine in the convention of units v, k in {0, 1}.

    Its weights are exp(constant + v.W.k + vbias.v + hbias.k). The free energy of
    another program, which knows no constant, is larger by it than ``rbm.free_energy``.

    Parameters
    ----------
    rbm : BinarySynapseRBM or RealSynapseRBM
        A fitted estimator.

    Returns
    -------
    machine : dict of ndarray
        ``W`` (n_features_in_ x n_components), ``vbias``, ``hbias`` and ``constant``, float64.
    """
    found = _core.Handle("bethe_zero_one", _machine_of(rbm)._machine()).arrays()
    found["W"] = np.ascontiguousarray(found["W"].T)
    found["constant"] = float(found["constant"])
    return found


def from_zero_one(W: ArrayLike, vbias: ArrayLike, hbias: ArrayLike) -> _RBM:
    """Return an estimator that is fitted by a machine of units 0 and 1.

    Parameters
    ----------
    W : array-like of shape (n_features, n_components)
        Weights.
    vbias : array-like of shape (n_features,)
        Biases of visible units.
    hbias : array-like of shape (n_components,)
        Biases of hidden units.

    Returns
    -------
    rbm : RealSynapseRBM
        Its synapses are float32 in units of its coupling.
    """
    arrays = [np.asarray(W, dtype=np.float64).T, np.asarray(vbias, dtype=np.float64), np.asarray(hbias, dtype=np.float64)]
    given, kept = _core.given_arrays(dict(zip(("W", "vbias", "hbias"), arrays)))
    handle = _core.Handle("bethe_from_zero_one", *[_core.place(a) for a in given])
    del kept  # which the library has copied
    return from_handle(handle)


def to_sklearn(rbm: _RBM) -> BernoulliRBM:
    """Return a machine as scikit-learn's BernoulliRBM, fitted.

    Parameters
    ----------
    rbm : BinarySynapseRBM or RealSynapseRBM
        A fitted estimator.

    Returns
    -------
    bernoulli : BernoulliRBM
        Its ``transform`` gives probabilities from 0 to 1 where ours gives means from -1 to 1.
    """
    machine = zero_one(rbm)
    bernoulli = BernoulliRBM(n_components=len(machine["hbias"]))
    bernoulli.components_ = machine["W"].T.copy()
    bernoulli.intercept_visible_, bernoulli.intercept_hidden_ = machine["vbias"], machine["hbias"]
    bernoulli.n_features_in_ = len(machine["vbias"])
    bernoulli.h_samples_ = np.zeros((bernoulli.batch_size, bernoulli.n_components))
    return bernoulli


def from_sklearn(bernoulli: BernoulliRBM) -> _RBM:
    """Return an estimator that is fitted by the machine of scikit-learn's BernoulliRBM.

    Parameters
    ----------
    bernoulli : BernoulliRBM
        A fitted estimator.

    Returns
    -------
    rbm : RealSynapseRBM
        The same distribution.
    """
    if not isinstance(bernoulli, BernoulliRBM):
        raise TypeError(f"{bernoulli!r} is no BernoulliRBM")
    check_is_fitted(bernoulli)
    return from_zero_one(bernoulli.components_.T, bernoulli.intercept_visible_, bernoulli.intercept_hidden_)


def to_bqm_dict(rbm: _RBM) -> dict[str, Any]:
    """Return the energy as the biases of a binary quadratic model of spins, for dimod.

    ``dimod.BinaryQuadraticModel(**to_bqm_dict(rbm))`` has the energies of the machine.

    Parameters
    ----------
    rbm : BinarySynapseRBM or RealSynapseRBM
        A fitted estimator.

    Returns
    -------
    model : dict
        ``linear`` by unit, ``quadratic`` by pairs of units, ``offset`` and ``vartype``
        ("SPIN"). Units are ("s", i) and ("h", m).
    """
    machine = zero_one(rbm)
    # v = (1 + s)/2 and k = (1 + h)/2
    w, b, c = machine["W"] / 4, machine["vbias"] / 2, machine["hbias"] / 2
    linear = {("s", i): -float(v) for i, v in enumerate(b + w.sum(1))} | {("h", m): -float(v) for m, v in enumerate(c + w.sum(0))}
    quadratic = {(("s", i), ("h", m)): -float(w[i, m]) for i in range(w.shape[0]) for m in range(w.shape[1])}
    return {"linear": linear, "quadratic": quadratic, "offset": -float(machine["constant"] + b.sum() + c.sum() + w.sum()), "vartype": "SPIN"}
