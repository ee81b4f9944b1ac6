"""Pictures with matplotlib, as scikit-learn's displays are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted


def _pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as e:
        raise ImportError("pictures need matplotlib: install it") from e
    return plt


def _shape(shape, size):
    """Return height and width of a picture of so many units: those that are given, or the nearest square."""
    if shape is not None:
        height, width = shape
        if height * width < size or (height - 1) * width >= size and height > 1:
            raise ValueError(f"shape {tuple(shape)} of pictures of {size} units")
        return height, width
    width = math.ceil(math.sqrt(size))
    return math.ceil(size / width), width


def _tiles(rows, shape, fill):
    """Return pictures beside each other, with a line of fill between them."""
    height, width = shape
    columns = math.ceil(math.sqrt(len(rows)))
    lines = math.ceil(len(rows) / columns)
    image = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1), fill, dtype=float)
    for k, row in enumerate(rows):
        tile = np.full(height * width, fill, dtype=float)
        tile[: len(row)] = row
        y, x = k // columns * (height + 1), k % columns * (width + 1)
        image[y : y + height, x : x + width] = tile.reshape(height, width)
    return image


class _Tiles:
    """Pictures beside each other."""

    _cmap, _limits, _label = "gray", (0, 1), None

    def __init__(self, rows, shape):
        self.rows = np.asarray(rows)
        self.shape = _shape(shape, self.rows.shape[1])

    def plot(self, ax: Any = None, *, cmap: Any = None, colorbar: bool = True) -> _Tiles:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes; None: new ones.
        cmap : str or Colormap, default=None
            Colours.
        colorbar : bool, default=True
            Whether a bar tells the values.

        Returns
        -------
        display : object
            The display, with ``ax_``, ``figure_`` and ``im_``.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots()
        low, high = self._limits
        self.im_ = ax.imshow(np.ma.masked_invalid(_tiles(self.rows, self.shape, np.nan)), cmap=cmap or self._cmap, vmin=low, vmax=high, interpolation="nearest")
        ax.set_axis_off()
        self.ax_, self.figure_ = ax, ax.figure
        if colorbar and self._label:
            self.figure_.colorbar(self.im_, ax=ax, label=self._label, shrink=0.8)
        return self


class SynapsesDisplay(_Tiles):
    """What hidden units look for: a picture of synapses for each.

    Parameters
    ----------
    rows : array-like of shape (n_units, n_features)
        Synapses of each unit.
    shape : (int, int), default=None
        Height and width of a picture; None: the nearest square.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    im_ : matplotlib AxesImage
        Image.
    """

    _cmap, _limits, _label = "PuOr_r", (-1, 1), "synapse"

    @classmethod
    def from_estimator(cls, estimator, *, n_units=64, mean=True, shape=None, ax=None, **more):
        """Draw the synapses of an estimator, of a deep machine those of the first hidden layer.

        Parameters
        ----------
        estimator : estimator
            A fitted machine, mixture or tree.
        n_units : int, default=64
            Hidden units, the first ones.
        mean : bool, default=True
            Posterior means, which tell how sure synapses are, instead of the bits.
        shape : (int, int), default=None
            Height and width of a picture; None: that of the estimator, or the nearest square.
        ax : matplotlib Axes, default=None
            Axes.
        **more : dict
            Of `plot`.

        Returns
        -------
        display : SynapsesDisplay
            The display.
        """
        check_is_fitted(estimator)
        synapses = getattr(estimator, "posterior_mean_", None) if mean else None
        for name in "synapses_", "fields_", "weights_":
            synapses = getattr(estimator, name, None) if synapses is None else synapses
        synapses = synapses[0] if isinstance(synapses, list) else synapses
        colours = len(synapses) // estimator.n_features_in_
        if colours > 1:
            raise ValueError(f"synapses of {colours} colours a feature are no picture: estimator.posterior_mean_ has them, {colours} rows a feature")
        if len(synapses) < estimator.n_features_in_:  # columns of real numbers that do not vary
            all_of = np.full((estimator.n_features_in_, synapses.shape[1]), np.nan)
            all_of[estimator.data_deviation_ > 0] = synapses
            synapses = all_of
        rows = synapses.T[:n_units]
        display = cls(rows, shape or estimator.shape)
        most = float(np.nanmax(np.abs(rows)))
        if most > 1:
            display._limits = -most, most
        return display.plot(ax, **more)


class SamplesDisplay(_Tiles):
    """Samples as pictures.

    Parameters
    ----------
    rows : array-like of shape (n_samples, n_features)
        Samples or probabilities, from 0 to 1.
    shape : (int, int), default=None
        Height and width of a picture; None: the nearest square.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    im_ : matplotlib AxesImage
        Image.
    """

    @classmethod
    def from_estimator(cls, estimator, X=None, *, n_samples=64, n_sweeps=1000, random_state=None, shape=None, ax=None, **more):
        """Draw what chains of an estimator show: the probability of 1 given the hidden units.

        Real numbers are shown from two deviations below their mean to two above, colours from 0 to the last.

        Parameters
        ----------
        estimator : estimator
            A fitted machine, mixture or tree.
        X : array-like of shape (n_samples, n_features), default=None
            Samples at which chains start; None: random states.
        n_samples : int, default=64
            Chains, if they start at random.
        n_sweeps : int, default=1000
            Sweeps.
        random_state : int, RandomState or None, default=None
            Seed.
        shape : (int, int), default=None
            Height and width of a picture; None: that of the estimator, or the nearest square.
        ax : matplotlib Axes, default=None
            Axes.
        **more : dict
            Of `plot`.

        Returns
        -------
        display : SamplesDisplay
            The display.
        """
        return cls(estimator._shown(X, n_samples, n_sweeps, random_state), shape or estimator.shape).plot(ax, **more)


class BoundDisplay:
    """How the bound rises while an estimator learns.

    Parameters
    ----------
    steps : array-like of shape (n_records,)
        Steps done.
    bound : array-like of shape (n_records,)
        Bound, nats per sample.
    validation : array-like of shape (n_validations, 4), default=None
        Step, log-likelihood of samples that were held out, and the ends of its interval.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    """

    def __init__(self, steps, bound, validation=None):
        self.steps, self.bound = np.asarray(steps), np.asarray(bound)
        self.validation = None if validation is None else np.asarray(validation)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **more):
        """Draw the learning curve of an estimator.

        Parameters
        ----------
        estimator : estimator
            A machine, mixture or tree that ``fit`` has fitted.
        ax : matplotlib Axes, default=None
            Axes.
        **more : dict
            Of matplotlib's plot.

        Returns
        -------
        display : BoundDisplay
            The display.
        """
        bounds, validation = [], []
        if not hasattr(estimator, "history_"):
            raise ValueError("this estimator has no learning curve: fit has not fitted it")
        for record in estimator.history_:
            if record.get("bound"):
                bounds.append((record["step"], record["bound"]["value"]))
            likelihood = record.get("validation")
            if likelihood:
                # exact, or by annealing in both directions
                found = [likelihood[k] for k in ("exact", "reverse", "forward") if likelihood.get(k)]
                low, high = min(v["low"] for v in found), max(v["high"] for v in found)
                validation.append((record["step"], found[0]["value"], low, high))
        steps, values = zip(*bounds)
        return cls(steps, values, validation or None).plot(ax, **more)

    def plot(self, ax: Any = None, **more: Any) -> BoundDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes; None: new ones.
        **more : dict
            Of matplotlib's plot.

        Returns
        -------
        display : BoundDisplay
            The display.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots()
        self.line_ = ax.plot(self.steps, self.bound, **{"label": "bound", "marker": ".", **more})[0]
        if self.validation is not None:
            step, value, low, high = self.validation.T
            ax.errorbar(step, value, [np.maximum(0, value - low), np.maximum(0, high - value)], label="validation", marker=".", capsize=3)
            ax.legend()
        ax.set_xlabel("step")
        ax.set_ylabel("nats per sample")
        self.ax_, self.figure_ = ax, ax.figure
        return self
