"""HDF5 files of rbms, the package of PyTorch (github.com/DsysDML/rbms)."""

from __future__ import annotations

import os
import re

import numpy as np
from numpy.typing import ArrayLike

from ._estimator import _RBM
from ._files import from_zero_one, zero_one
from ._use import Seed

#: Machines that are read: units 0 and 1 in both layers.
MODEL = "BBRBM"

#: Names of the parameters there: weight_matrix is visible x hidden.
PARAMETERS = "weight_matrix", "vbias", "hbias"


def _h5py():
    try:
        import h5py
    except ImportError as e:
        raise ImportError("files of rbms are HDF5: install h5py") from e
    return h5py


def from_rbms(path: str | os.PathLike, update: int | None = None) -> _RBM:
    """Read a machine from an HDF5 file of rbms.

    Parameters
    ----------
    path : path
        A file with groups ``update_N`` whose ``params`` are ``weight_matrix`` (visible x
        hidden), ``vbias`` and ``hbias``, and ``model_type`` "BBRBM": units 0 and 1.
    update : int, default=None
        Number N of the update to read; None: the last.

    Returns
    -------
    rbm : RealSynapseRBM
        A fitted estimator with the same distribution.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no HDF5 file of rbms, or of another kind of machine: the text says what is missing.
    """
    h5py = _h5py()
    with open(path, "rb"):
        pass
    try:
        file = h5py.File(path, "r")
    except OSError as e:
        raise ValueError(f"{path}: not an HDF5 file: {e}") from e
    with file:
        if "model_type" in file:
            kind = file["model_type"][()]
            kind = kind.decode() if isinstance(kind, bytes) else str(kind)
            if kind != MODEL:
                raise ValueError(f"{path}: a machine of the kind {kind}: only {MODEL}, with units 0 and 1, is read")
        updates = sorted(int(m[1]) for m in (re.fullmatch(r"update_(\d+)", k) for k in file) if m)
        if not updates:
            raise ValueError(f"{path}: no group update_N: not a file of rbms")
        if update is None:
            update = updates[-1]
        if update not in updates:
            raise ValueError(f"{path}: no update {update}: there are {', '.join(map(str, updates))}")
        group = file[f"update_{update}"]
        group = group.get("params", group)  # where older files have them
        missing = [name for name in PARAMETERS if name not in group]
        if missing:
            raise ValueError(f"{path}: update {update} has no {', '.join(missing)}")
        values = [np.asarray(group[name][()], dtype=np.float64) for name in PARAMETERS]
    try:
        return from_zero_one(*values)
    except ValueError as e:
        raise ValueError(f"{path}: update {update}: {e}") from e


def to_rbms(rbm: _RBM, path: str | os.PathLike, *, chains: ArrayLike | None = None, random_state: Seed = None) -> None:
    """Write a machine as an HDF5 file of rbms.

    rbms reads it, and goes on from it. Its free energies are larger than ours by a
    constant, which is the attribute ``bethe_constant`` of the group ``update_N``.

    Parameters
    ----------
    rbm : BinarySynapseRBM or RealSynapseRBM
        A fitted estimator.
    path : path
        File, which must not be there.
    chains : array-like of shape (n_chains, n_features_in_), default=None
        States of the parallel chains; None: 100 samples of the machine.
    random_state : int, RandomState or None, default=None
        Seed of the samples.

    Raises
    ------
    FileExistsError
        If there is such a file.
    """
    h5py = _h5py()
    machine = zero_one(rbm)
    chains = rbm.sample(100, random_state=random_state) if chains is None else np.asarray(chains)
    if chains.ndim != 2 or chains.shape[1] != len(machine["vbias"]) or not np.isin(chains, (0, 1)).all():
        raise ValueError(f"chains of shape {chains.shape}: they must be bits, n_chains x {len(machine['vbias'])}")
    steps = int(getattr(rbm, "n_steps_", 0))
    with h5py.File(path, "x") as file:
        update = file.create_group(f"update_{steps}")
        params = update.create_group("params")
        for name, value in zip(PARAMETERS, (machine["W"], machine["vbias"], machine["hbias"])):
            params[name] = value.astype(np.float32)
            update[name] = params[name]
        state = np.random.RandomState(0).get_state()
        update["torch_rng_state"] = np.zeros(0, np.uint8)
        for k, value in enumerate(state):
            update[f"numpy_rng_arg{k}"] = value
        update["time"] = float(getattr(rbm, "result_", {}).get("seconds", 0.0))
        update.create_group("flags")
        update.attrs["bethe_constant"] = machine["constant"]
        file["parallel_chains"] = chains.astype(np.float32)
        file["model_type"] = MODEL
