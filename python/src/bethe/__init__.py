"""Generative models whose weights are one bit each, as estimators of scikit-learn.

The Go library bethe computes; equal seeds give the machines of ``bethe train``.
"""

from importlib.metadata import PackageNotFoundError, version

from ._causes import BinarySynapseMixture, BinarySynapseTree, RealSynapseMixture
from ._core import BetheError, ForkError
from ._displays import BoundDisplay, SamplesDisplay, SynapsesDisplay
from ._estimator import BinarySynapseRBM, RealSynapseRBM
from ._files import from_sklearn, from_zero_one, load, recipe, save, to_bqm_dict, to_sklearn, zero_one
from ._progress import Progress
from ._rbms import from_rbms, to_rbms
from ._threads import build, set_threads

try:
    __version__ = version("bethe")
except PackageNotFoundError:  # not installed: run from its folder
    __version__ = "0+unknown"

__all__ = [
    "BetheError", "BinarySynapseMixture", "BinarySynapseRBM", "BinarySynapseTree", "BoundDisplay", "ForkError", "Progress", "RealSynapseMixture", "RealSynapseRBM",
    "SamplesDisplay", "SynapsesDisplay", "build", "from_rbms", "from_sklearn", "from_zero_one", "load", "recipe", "save", "set_threads", "to_bqm_dict", "to_rbms", "to_sklearn", "zero_one",
]
