"""How the library computes."""

from . import _core
from ._use import whole


def set_threads(n: int) -> int:
    """Set how many threads compute.

    Without it these are as many as ``BETHE_NUM_THREADS`` or ``OMP_NUM_THREADS`` says when
    bethe is first used, which joblib sets in its workers, else as many as processors.
    Results do not depend on it.

    Parameters
    ----------
    n : int
        Threads, at least 1.

    Returns
    -------
    before : int
        How many there were.
    """
    return _core.library.get().bethe_threads(whole("n", n))


def build() -> dict:
    """Return which build of the library this is.

    Returns
    -------
    build : dict
        ``version``, ``go``, ``platform`` and the vector kernels in use and there.
    """
    _core.library.get()
    return dict(_core.library.version)
