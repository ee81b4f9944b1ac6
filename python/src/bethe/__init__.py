"""Generative models whose weights are one bit each, as estimators of scikit-learn.

The Go library bethe computes; equal seeds give the machines of ``bethe train``.
"""

from importlib.metadata import PackageNotFoundError, version

from ._core import BetheError, ForkError
from ._estimator import BinarySynapseRBM, RealSynapseRBM
from ._files import load, recipe, save
from ._progress import Progress
from ._threads import build, set_threads

try:
    __version__ = version("bethe")
except PackageNotFoundError:  # not installed: run from its folder
    __version__ = "0+unknown"

__all__ = ["BetheError", "BinarySynapseRBM", "ForkError", "Progress", "RealSynapseRBM", "build", "load", "recipe", "save", "set_threads"]
