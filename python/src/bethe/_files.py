"""Model files, and the formats of other programs."""

import json

import numpy as np

from . import _core
from ._estimator import RealSynapseRBM, from_handle, read_machine


def load(path):
    """Read a model file.

    Parameters
    ----------
    path : path
        An .npz file that ``save`` or ``bethe train`` wrote.

    Returns
    -------
    rbm : BinarySynapseRBM or RealSynapseRBM
        A fitted estimator; ``fit`` would learn anew.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    BetheError
        If it is no model file: the text names the array and what is wrong.
    """
    return from_handle(read_machine(path))


def save(rbm, path):
    """Write a model file: ``rbm.save(path)``.

    Parameters
    ----------
    rbm : BinarySynapseRBM or RealSynapseRBM
        A fitted estimator.
    path : path
        An .npz file.
    """
    rbm.save(path)


def recipe(**settings):
    """Return all settings of learning, with those that follow from the given ones.

    Parameters
    ----------
    **settings : dict
        By the names of ``run.json``, such as ``hidden=500``.

    Returns
    -------
    recipe : dict
        All settings.
    """
    return json.loads(_core.text_of("bethe_recipe", _core.words(settings)))
