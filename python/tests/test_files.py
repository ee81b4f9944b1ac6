"""Formats of other programs, both ways."""

import itertools

import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

import bethe


@pytest.fixture(scope="module", params=[bethe.BinarySynapseRBM, bethe.RealSynapseRBM])
def rbm(request, bars):
    return request.param(6, n_iter=10, batch_size=50, random_state=1).fit(bars)


def energies(W, vbias, hbias, v):
    """Free energies of units 0 and 1."""
    return -(v @ vbias) - np.logaddexp(0, v @ W + hbias).sum(1)


def test_zero_one(rbm, bars):
    m = bethe.zero_one(rbm)
    v = bars.astype(float)
    assert np.allclose(energies(m["W"], m["vbias"], m["hbias"], v) - m["constant"], rbm.free_energy(bars), atol=1e-9)
    back = bethe.from_zero_one(m["W"], m["vbias"], m["hbias"])
    assert isinstance(back, bethe.RealSynapseRBM)
    assert np.allclose(back.score_samples(bars), rbm.score_samples(bars), atol=1e-5)
    for wrong, text in (((m["W"].T, m["vbias"], m["hbias"]), "shapes"), ((m["W"] * np.nan, m["vbias"], m["hbias"]), "nan|NaN")):
        with pytest.raises(ValueError, match=text):
            bethe.from_zero_one(*wrong)


def test_sklearn(rbm, bars):
    """BernoulliRBM computes with our machine, and goes on learning; ours with its."""
    bernoulli = bethe.to_sklearn(rbm)
    assert np.allclose(2 * bernoulli.transform(bars) - 1, rbm.transform(bars), atol=1e-5)
    m = bethe.zero_one(rbm)
    assert np.allclose(bernoulli._free_energy(bars.astype(float)) - m["constant"], rbm.free_energy(bars), atol=1e-8)
    assert bernoulli.gibbs(bars).shape == bars.shape
    bernoulli.partial_fit(bars[:10])
    theirs = BernoulliRBM(5, n_iter=3, random_state=1).fit(bars)
    ours = bethe.from_sklearn(theirs)
    assert np.allclose((1 + ours.transform(bars)) / 2, theirs.transform(bars), atol=1e-5)
    assert np.ptp(ours.free_energy(bars) - theirs._free_energy(bars.astype(float))) < 1e-5


def test_bqm(rbm):
    """The energy of a binary quadratic model is that of the machine, with its hidden units."""
    model = bethe.to_bqm_dict(rbm)
    assert model["vartype"] == "SPIN" and len(model["linear"]) == 22 and len(model["quadratic"]) == 96
    rng = np.random.default_rng(2)
    for v in rng.integers(0, 2, (5, 16)).astype(np.uint8):
        total = []
        for h in itertools.product([-1, 1], repeat=6):
            state = {("s", i): 2 * int(x) - 1 for i, x in enumerate(v)} | {("h", k): x for k, x in enumerate(h)}
            e = model["offset"] + sum(b * state[k] for k, b in model["linear"].items()) + sum(j * state[a] * state[b] for (a, b), j in model["quadratic"].items())
            total.append(-e)
        assert -np.logaddexp.reduce(total) == pytest.approx(rbm.free_energy(v[None])[0], abs=1e-9)


def write(path, kind="BBRBM", visible=20, hidden=7, updates=(1, 10, 200), leave_out=(), old=False):
    """Write a file as rbms documents it: save_model of rbms/io.py, and the hyperparameters of its training."""
    import h5py

    rng = np.random.default_rng(3)
    found = {}
    with h5py.File(path, "w") as f:
        for n in updates:
            values = {"weight_matrix": rng.normal(0, 0.7, (visible, hidden)).astype("f4"), "vbias": rng.normal(0, 1, visible).astype("f4"), "hbias": rng.normal(0, 1, hidden).astype("f4")}
            group = f.create_group(f"update_{n}")
            where = group if old else group.create_group("params")
            for name, value in values.items():
                if name not in leave_out:
                    where[name] = value
                    if not old:
                        group[name] = where[name]
            group["torch_rng_state"] = rng.integers(0, 255, 5056).astype("u1")
            for k, value in enumerate(np.random.get_state()):
                group[f"numpy_rng_arg{k}"] = value
            group["time"] = 3.5 * n
            group.create_group("flags")
            found[n] = values
        f["parallel_chains"] = rng.integers(0, 2, (50, visible)).astype("f4")
        f["model_type"] = kind
        h = f.create_group("hyperparameters")
        for name, value in (("batch_size", 100), ("gibbs_steps", 10), ("learning_rate", 0.01), ("L1", 0.0), ("L2", 0.0)):
            h[name] = value
    return found


def test_rbms_to_bethe_and_back(tmp_path):
    """Free energies of a file of rbms are ours to 1e-5, there and back."""
    import h5py

    found = write(tmp_path / "rbms.h5")
    v = np.random.default_rng(4).integers(0, 2, (300, 20)).astype(np.uint8)
    for update in None, 1, 10:
        rbm = bethe.from_rbms(tmp_path / "rbms.h5", update)
        p = {k: x.astype(float) for k, x in found[update or 200].items()}
        want = energies(p["weight_matrix"], p["vbias"], p["hbias"], v.astype(float))
        constant = bethe.zero_one(rbm)["constant"]
        assert np.abs(rbm.free_energy(v) + constant - want).max() < 1e-5
    back = tmp_path / "back.h5"
    bethe.to_rbms(rbm, back, random_state=1)
    with h5py.File(back) as f, h5py.File(tmp_path / "rbms.h5") as first:
        group = f["update_0"]
        assert f["model_type"][()] == b"BBRBM" and f["parallel_chains"].shape == (100, 20)
        assert set(group) == set(first["update_10"]) and set(group["params"]) == {"weight_matrix", "vbias", "hbias"}
        p = {k: x[()].astype(float) for k, x in group["params"].items()}
        again = energies(p["weight_matrix"], p["vbias"], p["hbias"], v.astype(float))
        assert np.abs(again - group.attrs["bethe_constant"] - rbm.free_energy(v)).max() < 1e-5
        assert np.abs(again - want).max() < 1e-5
    assert np.abs(bethe.from_rbms(back).score_samples(v) - rbm.score_samples(v)).max() < 1e-5
    with pytest.raises(FileExistsError):
        bethe.to_rbms(rbm, back)


def test_binary_synapses_to_rbms(tmp_path, bars):
    """A machine whose synapses are bits goes to rbms as well."""
    rbm = bethe.BinarySynapseRBM(4, n_iter=3, random_state=1).fit(bars)
    bethe.to_rbms(rbm, tmp_path / "out.h5", chains=bars[:5])
    assert np.abs(bethe.from_rbms(tmp_path / "out.h5").score_samples(bars) - rbm.score_samples(bars)).max() < 1e-5
    with pytest.raises(ValueError, match="chains of shape"):
        bethe.to_rbms(rbm, tmp_path / "more.h5", chains=bars[:, :3])


def test_older_files_of_rbms(tmp_path):
    write(tmp_path / "old.h5", old=True)
    assert bethe.from_rbms(tmp_path / "old.h5").weights_.shape == (20, 7)


def test_other_files(tmp_path):
    """Files that are not of rbms, or not of such machines, are errors that say why."""
    import h5py

    write(tmp_path / "potts.h5", kind="PBRBM")
    write(tmp_path / "less.h5", leave_out=["hbias"])
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "empty.h5", "w") as f:
        f["x"] = 1
    write(tmp_path / "good.h5")
    for name, update, text in (
        ("potts.h5", None, "kind PBRBM: only BBRBM"), ("less.h5", None, "update 200 has no hbias"), ("text.h5", None, "not an HDF5 file"),
        ("empty.h5", None, "no group update_N"), ("good.h5", 3, "no update 3: there are 1, 10, 200"),
    ):
        with pytest.raises(ValueError, match=text) as e:
            bethe.from_rbms(tmp_path / name, update)
        assert name in str(e.value)
    with pytest.raises(FileNotFoundError):
        bethe.from_rbms(tmp_path / "none.h5")
