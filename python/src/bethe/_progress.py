"""Progress of learning: a bar, and callbacks."""

import sys
import time
from dataclasses import dataclass

#: Seconds between two drawings of a bar.
REFRESH = 0.1


@dataclass(frozen=True)
class Progress:
    """Where learning is.

    Parameters
    ----------
    stage : str
        "learning" or what comes after it.
    fraction : float
        Share of the stage that is done, from 0 to 1.
    step : int
        Steps done.
    rate : float
        Rate of the synapses.
    coupling : float
        Coupling J.
    bound : float
        Bound in nats per sample, as it was last measured; NaN before.
    records : int
        Records kept so far.
    """

    stage: str
    fraction: float
    step: int
    rate: float
    coupling: float
    bound: float
    records: int


class Watch:
    """What looks after a job: it draws a bar and calls callbacks."""

    def __init__(self, estimator, verbose, callbacks):
        self.estimator, self.verbose = estimator, verbose
        if callbacks is None:
            callbacks = []
        self.callbacks = [callbacks] if callable(callbacks) else list(callbacks)
        self.bar, self.due = None, 0.0

    def __enter__(self):
        if self.verbose:
            self.bar = _bar()
        return self

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()

    def __call__(self, p):
        if self.bar is None and not self.callbacks:
            return
        now = Progress(p.stage.decode(), p.fraction, p.step, p.rate, p.coupling, p.bound, p.records)
        if self.bar is not None and time.monotonic() >= self.due:
            self.bar.show(now)
            self.due = time.monotonic() + REFRESH
        for callback in self.callbacks:
            callback(self.estimator, now)


def _bar():
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line()
    return _Tqdm(tqdm)


def note(p):
    """Return where learning is, in words."""
    bound = "" if p.bound != p.bound else f"bound {p.bound:.2f}  "
    return f"step {p.step}  {bound}J {p.coupling:.4f}"


class _Tqdm:
    """A bar of tqdm."""

    def __init__(self, tqdm):
        self.bar = tqdm(total=100, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}")

    def show(self, p):
        self.bar.set_description_str(p.stage, refresh=False)
        self.bar.set_postfix_str(note(p), refresh=False)
        self.bar.n = 100 * p.fraction
        self.bar.refresh()

    def close(self):
        self.bar.close()


class _Line:
    """A line that is written again and again."""

    def show(self, p):
        sys.stderr.write(f"\r{p.stage} {100 * p.fraction:3.0f} %  {note(p)} ")
        sys.stderr.flush()

    def close(self):
        sys.stderr.write("\n")
