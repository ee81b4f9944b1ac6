"""Pictures."""

import matplotlib
import numpy as np
import pytest

import bethe

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def rbm(bars):
    return bethe.BinarySynapseRBM(5, n_iter=5, batch_size=50, validation_fraction=0.2, random_state=1).fit(bars)


def test_synapses(rbm, tmp_path):
    """Each hidden unit has a tile with its posterior means, row by row."""
    d = bethe.SynapsesDisplay.from_estimator(rbm)
    image = d.im_.get_array()
    assert image.shape == (2 * 5 - 1, 3 * 5 - 1)
    assert np.array_equal(image[5:9, 0:4].ravel(), rbm.posterior_mean_[:, 3])
    assert image.mask[4].all() and image.mask[5:, 10:].all()
    bits = bethe.SynapsesDisplay.from_estimator(rbm, n_units=1, mean=False, shape=(2, 8), colorbar=False).im_.get_array()
    assert np.array_equal(bits.ravel(), rbm.synapses_[:, 0])
    d.figure_.savefig(tmp_path / "synapses.png")
    assert (tmp_path / "synapses.png").stat().st_size > 1000
    with pytest.raises(ValueError, match="shape"):
        bethe.SynapsesDisplay.from_estimator(rbm, shape=(3, 3))


def test_samples(rbm, bars):
    d = bethe.SamplesDisplay.from_estimator(rbm, n_samples=9, n_sweeps=10, random_state=1)
    image = d.im_.get_array()
    assert image.shape == (14, 14) and 0 <= image.min() and image.max() <= 1
    from_data = bethe.SamplesDisplay.from_estimator(rbm, bars[:4], n_sweeps=1, random_state=3).im_.get_array()
    assert np.array_equal(from_data[:4, :4].ravel(), rbm.reconstruct(bars[:4], 1, random_state=3)[0])


def test_real_synapses(bars):
    real = bethe.RealSynapseRBM(3, n_iter=2, random_state=1).fit(bars)
    d = bethe.SynapsesDisplay.from_estimator(real)
    assert d.im_.get_array()[:4, :4].ravel().tolist() == real.weights_[:, 0].tolist()


def test_bound(rbm):
    d = bethe.BoundDisplay.from_estimator(rbm)
    x, y = d.line_.get_data()
    assert x[-1] == rbm.n_steps_ and y[-1] == pytest.approx(rbm.bound_)
    assert d.validation is not None and d.ax_.get_ylabel() == "nats per sample"
    axes = matplotlib.pyplot.subplots()[1]
    assert bethe.BoundDisplay.from_estimator(rbm, ax=axes).ax_ is axes
    matplotlib.pyplot.close("all")
