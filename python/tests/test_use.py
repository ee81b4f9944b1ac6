"""Features, likelihoods, samples, missing parts."""

import itertools
import json
import subprocess

import numpy as np
import pytest

import bethe
from bethe import _core


@pytest.fixture(scope="module")
def rbm(bars):
    return bethe.BinarySynapseRBM(6, n_iter=60, batch_size=50, random_state=1).fit(bars)


@pytest.fixture(scope="module")
def states():
    return np.array(list(itertools.product([0, 1], repeat=16)), np.uint8)


def energies(rbm, s):
    """Free energies by the formula of the docstring, in plain NumPy."""
    s, w = 2.0 * s - 1, rbm._first_synapses.astype(float)
    centred = s - rbm.offset_visible_
    fields = rbm.coupling_ * centred @ w
    total = s @ rbm.intercept_visible_ - fields @ rbm.offset_hidden_ + np.logaddexp(fields + rbm.intercept_hidden_, -fields - rbm.intercept_hidden_).sum(1)
    return -total


def test_free_energy_and_transform(rbm, bars):
    assert np.allclose(rbm.free_energy(bars), energies(rbm, bars), atol=1e-9)
    s = 2.0 * bars - 1
    means = np.tanh(rbm.coupling_ * (s - rbm.offset_visible_) @ rbm.synapses_ + rbm.intercept_hidden_)
    assert np.allclose(rbm.transform(bars), means, atol=1e-5)
    assert rbm.transform(bars).dtype == np.float32


def test_probabilities_sum_to_one(rbm, states):
    assert np.exp(rbm.score_samples(states)).sum() == pytest.approx(1, abs=1e-9)
    assert rbm.log_partition() == pytest.approx(np.logaddexp.reduce(-energies(rbm, states)), abs=1e-9)


def test_score_is_a_mean(rbm, bars):
    assert rbm.score(bars) == pytest.approx(rbm.score_samples(bars).mean())
    assert rbm.score(bars) > bethe.BinarySynapseRBM(1, recipe={"steps": 1}, random_state=1).fit(bars).score(bars) + 1


def test_evaluate(command, rbm, bars, tmp_path):
    """evaluate is bethe eval; both annealings embrace the exact value."""
    rbm.save(tmp_path / "model.npz")
    np.save(tmp_path / "bars.npy", bars)
    flags = ["--ais-steps", "400", "--ais-chains", "20", "--equilibration", "200", "--draws", "2", "--seed", "9"]
    run = subprocess.run([command, "eval", str(tmp_path / "model.npz"), "--data", str(tmp_path / "bars.npy"), *flags, "--json"], check=True, capture_output=True, text=True)
    theirs = json.loads(run.stdout)
    ours = rbm.evaluate(bars, temperatures=400, chains=20, equilibration=200, draws=2, random_state=9)
    assert {k: theirs[k] for k in ours} == ours and ours["log_likelihood"]["exact"]
    annealed = rbm.evaluate(bars, temperatures=2000, chains=50, equilibration=400, anneal=True)["log_likelihood"]
    exact = ours["log_likelihood"]["mean"]
    assert exact == pytest.approx(rbm.score(bars))
    assert abs(annealed["forward_ais"] - exact) < 0.2 and abs(annealed["reverse_ais"] - exact) < 0.2
    assert annealed["forward_interval"][0] < annealed["forward_interval"][1]
    with pytest.raises(ValueError, match="at least 2 chains"):
        rbm.evaluate(bars, chains=1)


def test_annealed_scores(bars):
    """Where ln Z is not exact it is the same for equal machines, whatever is scored, and after a pickle."""
    import pickle

    wide = np.tile(bars, (1, 2))
    rbm = bethe.BinarySynapseRBM(30, n_iter=5, batch_size=100, random_state=1).fit(wide)
    scores = rbm.score_samples(wide[:50])
    assert np.array_equal(pickle.loads(pickle.dumps(rbm)).score_samples(wide[:7]), scores[:7])
    report = rbm.evaluate(wide, temperatures=2000, equilibration=800)["log_likelihood"]
    assert not report["exact"] and abs(rbm.score(wide) - report["mean"]) < 0.5


def test_samples(rbm, states):
    """Samples come from the machine: frequencies of the heaviest states, 6 standard errors."""
    count = 4000
    p = np.exp(rbm.score_samples(states))
    for tempered in (False, True):
        found = rbm.sample(count, n_sweeps=100, tempered=tempered, random_state=3)
        assert found.shape == (count, 16) and found.dtype == np.uint8
        number = found @ (1 << np.arange(15, -1, -1))
        frequency = np.bincount(number, minlength=1 << 16) / count
        top = np.argsort(p)[-20:]
        assert (abs(frequency[top] - p[top]) < 6 * np.sqrt(p[top] / count) + 0.01).all()
    assert np.array_equal(rbm.sample(5, n_sweeps=3, random_state=1), rbm.sample(5, n_sweeps=3, random_state=1))
    with pytest.raises(ValueError, match="at least 1"):
        rbm.sample(0)


def test_gibbs_and_reconstruct(rbm, bars):
    """A sweep has the probabilities of the units given hidden ones that it drew."""
    one = bars[:1].repeat(4000, axis=0)
    s = 2.0 * bars[:1] - 1
    q = (1 + np.tanh(rbm.coupling_ * (s - rbm.offset_visible_) @ rbm.synapses_ + rbm.intercept_hidden_)) / 2  # of each hidden unit
    hidden = np.array(list(itertools.product([0, 1], repeat=6)))
    weight = np.prod(np.where(hidden == 1, q, 1 - q), axis=1)
    means = (1 + np.tanh(rbm.coupling_ * (2.0 * hidden - 1 - rbm.offset_hidden_) @ rbm.synapses_.T + rbm.intercept_visible_)) / 2
    want = weight @ means
    v = rbm.gibbs(one, random_state=2)
    assert v.dtype == np.uint8 and set(np.unique(v)) <= {0, 1}
    assert np.abs(v.mean(0) - want).max() < 5 * 0.5 / np.sqrt(4000)
    assert np.abs(rbm.reconstruct(one, random_state=2).mean(0) - want).max() < 5 * 0.5 / np.sqrt(4000)
    assert not np.array_equal(rbm.gibbs(bars, 5, random_state=1), bars)


def test_complete(rbm, states, bars):
    """Missing values get their conditional probabilities, each sample with its own pattern."""
    X = bars[[0, 5, 400, 401]].astype(float)
    X[0, [0, 7]], X[2, [3, 4, 5]], X[3, [0, 7]] = np.nan, np.nan, np.nan
    out = rbm.complete(X, n_chains=60, n_sweeps=400, random_state=1)
    p = np.exp(rbm.score_samples(states))
    for a, x in enumerate(X):
        known = ~np.isnan(x)
        assert np.array_equal(out[a, known], x[known])
        fits = (states[:, known] == x[known]).all(axis=1)
        want = p[fits] @ states[fits] / p[fits].sum()
        assert np.abs(out[a] - want).max() < 0.03
    with pytest.raises(ValueError, match="dense"):
        from scipy import sparse

        rbm.complete(sparse.csr_matrix(bars))
    with pytest.warns(RuntimeWarning, match="not settled"):
        rbm.complete(X, n_chains=2, n_sweeps=2)


def test_denoise(rbm, states, bars):
    """Noise is taken off by exact Bayes."""
    flip, x = 0.1, bars[3]
    noisy = x.copy()
    noisy[[2, 9]] ^= 1
    likelihood = np.where(states == noisy, 1 - flip, flip).prod(axis=1)
    p = np.exp(rbm.score_samples(states)) * likelihood
    want = p @ states / p.sum()
    out = rbm.denoise(noisy[None], flip, n_chains=60, n_sweeps=400, random_state=1)
    assert np.abs(out[0] - want).max() < 0.03
    with pytest.raises(ValueError, match="flip 0.7: it must lie between 0 and 0.5"):
        rbm.denoise(bars, 0.7)


def test_real_synapses(bars, states):
    rbm = bethe.RealSynapseRBM(5, n_iter=30, batch_size=50, random_state=1).fit(bars)
    assert rbm.weights_.shape == (16, 5) and rbm.weights_.dtype == np.float32 and not hasattr(rbm, "posterior_mean_")
    assert np.allclose(rbm.free_energy(bars), energies(rbm, bars), atol=1e-5)
    assert np.exp(rbm.score_samples(states)).sum() == pytest.approx(1, abs=1e-6)
    assert rbm.meta_["synapses"] == "real"


def test_files(command, rbm, bars, tmp_path):
    """A machine that is saved and loaded is the same, with the same bytes; bethe reads it."""
    rbm.save(tmp_path / "a.npz")
    other = bethe.load(tmp_path / "a.npz")
    bethe.save(other, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert isinstance(other, bethe.BinarySynapseRBM) and np.array_equal(other.transform(bars), rbm.transform(bars)) and other.score(bars) == rbm.score(bars)
    assert other.meta_ == rbm.meta_ and other.n_components == 6
    real = bethe.RealSynapseRBM(3, n_iter=1, random_state=1).fit(bars)
    real.save(tmp_path / "real.npz")
    assert isinstance(bethe.load(tmp_path / "real.npz"), bethe.RealSynapseRBM)
    np.save(tmp_path / "bars.npy", bars)
    run = subprocess.run([command, "features", str(tmp_path / "a.npz"), "--data", str(tmp_path / "bars.npy"), "--out", str(tmp_path / "f.npy")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert np.array_equal(np.load(tmp_path / "f.npy"), rbm.transform(bars))
    with pytest.raises(FileNotFoundError):
        bethe.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(bethe.BetheError, match="bad.npz.*not an .npz file"):
        bethe.load(tmp_path / "bad.npz")
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        rbm.save(tmp_path / "nowhere" / "a.npz")


def test_wrong_machines(rbm, bars):
    """Arrays that make no machine are errors that name them."""
    from sklearn.base import clone

    for name, value, text in (
        ("coupling_", np.nan, "coupling"),
        ("intercept_visible_", np.zeros(3), "visible_field"),
        ("synapses_", np.zeros((16, 6), np.int8), "synapses.*must be 1 or -1"),
        ("synapses_", rbm.synapses_.astype(float), "synapses"),
    ):
        other = clone(rbm)
        other.__dict__.update(rbm.__dict__)
        setattr(other, name, value)
        with pytest.raises(ValueError, match=text):
            other.transform(bars)


def test_recipe_and_build():
    assert bethe.recipe()["hidden"] == bethe.recipe(hidden=100)["hidden"] == 100
    assert bethe.recipe(synapses="real")["learn_coupling"] is False
    with pytest.raises(ValueError, match="nonsense"):
        bethe.recipe(nonsense=1)
    assert bethe.build()["interface"] == _core.INTERFACE
