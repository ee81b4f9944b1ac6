"""Deep machines, other kinds of units, mixtures and trees: those of bethe train, and what they are used for."""

import copy
import itertools
import json
import pickle
import subprocess

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import bethe


@pytest.fixture(scope="module")
def data(bars):
    """Samples of each kind of visible units."""
    rng = np.random.default_rng(3)
    numbers = (bars[:, :6] * [3, 1, 0.02, 100, 5, 0] + rng.normal(0, [1, 0.5, 0.01, 30, 1, 0], (600, 6)) + 7).astype(np.float32)
    return {"spin": bars, "gauss": numbers, "potts": (bars[:, :6] + bars[:, 6:12] * rng.integers(0, 2, (600, 6))).astype(np.int8)}


#: Each family: its class, arguments, the flags of bethe train, and its visible units.
FAMILIES = {
    "deep": (bethe.BinarySynapseRBM, dict(n_components=(5, 3), n_iter=4, batch_size=100), ["--hidden", "5,3", "--epochs", "4", "--batch", "100"], "spin"),
    "deep real": (bethe.RealSynapseRBM, dict(n_components=(4, 3, 2), n_iter=3, batch_size=100), ["--synapses", "real", "--hidden", "4,3,2", "--epochs", "3", "--batch", "100"], "spin"),
    "stack": (bethe.BinarySynapseRBM, dict(n_components=(5, 4), n_iter=4, batch_size=100, recipe={"stack": True}), ["--stack", "--hidden", "5,4", "--epochs", "4", "--batch", "100"], "spin"),
    "gauss": (bethe.BinarySynapseRBM, dict(n_components=4, units="gauss", n_iter=12, batch_size=100), ["--units", "gauss", "--hidden", "4", "--epochs", "12", "--batch", "100"], "gauss"),
    "gauss groups": (bethe.BinarySynapseRBM, dict(n_components=2, units="gauss", hidden_units="group:3", n_iter=12, batch_size=100),
                     ["--units", "gauss", "--hidden-units", "group:3", "--hidden", "2", "--epochs", "12", "--batch", "100"], "gauss"),
    "gauss real": (bethe.RealSynapseRBM, dict(n_components=4, units="gauss", n_iter=12, batch_size=100),
                   ["--synapses", "real", "--units", "gauss", "--hidden", "4", "--epochs", "12", "--batch", "100"], "gauss"),
    "potts": (bethe.BinarySynapseRBM, dict(n_components=4, units="potts:3", n_iter=12, batch_size=100), ["--units", "potts:3", "--hidden", "4", "--epochs", "12", "--batch", "100"], "potts"),
    "groups": (bethe.BinarySynapseRBM, dict(n_components=2, hidden_units="group:3", n_iter=12, batch_size=100), ["--hidden-units", "group:3", "--hidden", "2", "--epochs", "12", "--batch", "100"], "spin"),
    "hopfield": (bethe.BinarySynapseRBM, dict(n_components=3, hidden_units="gauss", n_iter=2, batch_size=600, recipe={"estep": "exact"}),
                 ["--hidden-units", "gauss", "--hidden", "3", "--epochs", "2", "--batch", "600", "--estep", "exact"], "spin"),
    "mixture": (bethe.BinarySynapseMixture, dict(n_components=5, n_iter=10), ["--model", "mixture", "--hidden", "5", "--epochs", "10"], "spin"),
    "stdp": (bethe.BinarySynapseMixture, dict(n_components=5, rule="stdp", recipe={"counter_bits": 6}), ["--model", "mixture", "--rule", "stdp", "--counter-bits", "6", "--hidden", "5"], "spin"),
    "mixture real": (bethe.RealSynapseMixture, dict(n_components=5, n_iter=10), ["--model", "mixture", "--synapses", "real", "--hidden", "5", "--epochs", "10"], "spin"),
    "tree": (bethe.BinarySynapseTree, dict(n_components=3, n_states=4, patch=4, n_iter=20, shape=None),
             ["--model", "tree", "--hidden", "3", "--states", "4", "--patch", "4x1", "--epochs", "20"], "spin"),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, data):
    """A fitted estimator of each family, its samples, and the flags that learn it."""
    kind, arguments, flags, units = FAMILIES[request.param]
    return kind(**arguments, random_state=3).fit(data[units]), data[units], flags


def test_same_machine(command, family, tmp_path):
    """Arrays are equal to the bit, and meta.json is but for data and program; bethe eval, features and sample are evaluate, transform and sample."""
    machine, X, flags = family
    np.save(tmp_path / "x.npy", X)
    subprocess.run([command, "train", "--data", str(tmp_path / "x.npy"), *flags, "--seed", "3", "--out", str(tmp_path / "run"), "--json"], check=True, capture_output=True)
    model = tmp_path / "run" / "model.npz"
    with np.load(model) as theirs:
        meta = json.loads(theirs["meta.json"])
        ours = machine._arrays()
        assert list(ours) == [name for name in theirs.files if name != "meta.json"]
        for name, array in ours.items():
            if name.startswith("meta.json"):  # of a machine of a stack
                own, other = ({**json.loads(text), "data": 0, "program": 0} for text in (bytes(array), theirs[name]))
                assert own == other
                continue
            assert array.dtype == theirs[name].dtype and np.array_equal(array, theirs[name]), name
    mine = machine.meta_
    for key in "data", "program":
        mine.pop(key), meta.pop(key)
    assert mine == meta
    assert machine.bound_ == json.loads((tmp_path / "run" / "result.json").read_text())["result"]["bound_per_sample"]  # None of a stack

    run = subprocess.run([command, "eval", str(model), "--data", str(tmp_path / "x.npy"), "--json"], check=True, capture_output=True, text=True)
    report = machine.evaluate(X)["log_likelihood"]
    theirs = json.loads(run.stdout)["log_likelihood"]
    assert {k: theirs[k] for k in report} == report
    assert machine.score(X) == pytest.approx(report.get("mean_in_data_units", report["mean"]), abs=1e-6)
    more = {} if isinstance(machine, (bethe.BinarySynapseMixture, bethe.RealSynapseMixture, bethe.BinarySynapseTree)) else {"n_sweeps": 20}
    subprocess.run([command, "sample", str(model), "-n", "7", "--sweeps", "20", "--seed", "5", "-o", str(tmp_path / "s.npz")], check=True, capture_output=True)
    s = machine.sample(7, random_state=5, **more)
    theirs = np.load(tmp_path / "s.npz")["samples"]
    assert s.shape == (7, X.shape[1]) and np.array_equal(theirs > 0 if s.dtype == np.uint8 else theirs, s)

    loaded = bethe.load(model)
    assert type(loaded) is type(machine)
    for name in "n_components", "units", "hidden_units", "rule", "n_states":
        assert getattr(loaded, name, None) == getattr(machine, name, None), name
    assert np.array_equal(loaded.transform(X), machine.transform(X))
    assert np.array_equal(loaded.score_samples(X), machine.score_samples(X))
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == model.read_bytes()


def test_features(command, data, tmp_path):
    """transform is bethe features; of a deep machine the layers lie beside each other."""
    np.save(tmp_path / "x.npy", data["spin"])
    for name, layers in (("deep", 2), ("stack", 2), ("mixture", 1), ("tree", 1)):
        kind, arguments, *_ = FAMILIES[name]
        machine = kind(**arguments, random_state=3).fit(data["spin"])
        machine.save(tmp_path / "m.npz")
        found = []
        for layer in range(1, layers + 1):
            subprocess.run([command, "features", str(tmp_path / "m.npz"), "--data", str(tmp_path / "x.npy"), *(["--layer", str(layer)] if layers > 1 else []), "-o", str(tmp_path / "f.npy")],
                           check=True, capture_output=True)
            found.append(np.load(tmp_path / "f.npy"))
        assert np.array_equal(machine.transform(data["spin"]), np.hstack(found))


def test_copies(family):
    """Pickles and copies are the same machine; a clone has its parameters and no machine."""
    machine, X, _ = family
    for other in pickle.loads(pickle.dumps(machine)), copy.deepcopy(machine), copy.copy(machine):
        assert np.array_equal(other.transform(X), machine.transform(X))
        assert np.array_equal(other.score_samples(X), machine.score_samples(X))
    assert len(pickle.dumps(machine)) < 60_000
    with pytest.raises(NotFittedError):
        clone(machine).transform(X)
    assert machine.transform(X[:0] if len(X) == 0 else X[:1]).shape == (1, machine.transform(X).shape[1])


def test_frames(family):
    """Frames, sparse matrices and set_output."""
    import pandas
    from scipy import sparse

    machine, X, _ = family
    machine = copy.deepcopy(machine)
    x = machine.transform(X)
    assert np.array_equal(machine.transform(sparse.csr_matrix(X)), x)
    assert np.array_equal(machine.transform(pandas.DataFrame(X).to_numpy(dtype=float)), x)
    out = machine.set_output(transform="pandas").transform(X)
    assert isinstance(out, pandas.DataFrame) and list(out.columns) == list(machine.get_feature_names_out()) and np.array_equal(out, x)


def test_pipeline(data):
    """Pipelines and a grid of two processes find what one process finds."""
    labels = np.repeat([0, 1], 300)
    for X, estimator, name in (
        (data["gauss"], bethe.BinarySynapseRBM(2, units="gauss", n_iter=5, random_state=1), "binarysynapserbm__n_components"),
        (data["spin"], bethe.BinarySynapseMixture(2, n_iter=5, random_state=1), "binarysynapsemixture__n_components"),
    ):
        pipeline = make_pipeline(estimator, LogisticRegression())
        one = GridSearchCV(pipeline, {name: [2, 3]}, cv=3).fit(X, labels)
        two = GridSearchCV(pipeline, {name: [2, 3]}, cv=3, n_jobs=2).fit(X, labels)
        assert np.array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])


def test_probabilities_sum_to_one(data):
    """Over all states of colours and spins; densities of numbers over a grid."""
    colours = bethe.BinarySynapseRBM(2, units="potts:3", n_iter=5, random_state=1).fit(data["potts"][:, :4])
    assert np.exp(colours.score_samples(np.array(list(itertools.product(range(3), repeat=4))))).sum() == pytest.approx(1, abs=1e-6)
    states = np.array(list(itertools.product([0, 1], repeat=8)))
    for machine in bethe.BinarySynapseMixture(3, random_state=1), bethe.BinarySynapseTree(2, patch=4, n_states=2, random_state=1), bethe.BinarySynapseRBM((3, 2), n_iter=3, random_state=1):
        assert np.exp(machine.fit(data["spin"][:, :8]).score_samples(states)).sum() == pytest.approx(1, abs=1e-6)
    numbers = bethe.BinarySynapseRBM(2, units="gauss", n_iter=20, random_state=1).fit(data["gauss"][:, :1])
    grid = np.linspace(-20, 40, 6001)
    assert np.exp(numbers.score_samples(grid[:, None])).sum() * 0.01 == pytest.approx(1, abs=1e-3)


def test_mixture(data):
    """Posteriors are those of the formula, and missing values are inferred exactly."""
    X = data["spin"]
    m = bethe.BinarySynapseMixture(6, random_state=1).fit(X)
    assert m.weights_.sum() == pytest.approx(1) and m.recipe_["model"] == "mixture"
    fields = m.intercept_visible_[:, None] + m.coupling_ * m.synapses_
    logs = m.log_weights_ + (2.0 * X - 1) @ fields - np.logaddexp(fields, -fields).sum(0)
    lnp = np.logaddexp.reduce(logs, axis=1)
    assert np.allclose(m.score_samples(X), lnp, atol=1e-9)
    posterior = np.exp(logs - lnp[:, None])
    assert np.allclose(m.transform(X), posterior, atol=1e-6)
    assert np.array_equal(m.predict(X), posterior.argmax(1))
    holes = X[:40].astype(float)
    holes[:, 9:] = np.nan
    seen = m.log_weights_ + (2.0 * X[:40, :9] - 1) @ fields[:9] - np.logaddexp(fields[:9], -fields[:9]).sum(0)
    seen = np.exp(seen - np.logaddexp.reduce(seen, axis=1)[:, None])
    filled = m.complete(holes)
    assert np.array_equal(filled[:, :9], X[:40, :9]) and np.allclose(filled[:, 9:], seen @ (1 / (1 + np.exp(-2 * fields[9:]))).T, atol=1e-5)
    means = m.sample(4000, random_state=1).mean(0)  # 5 standard errors, of 16 features: false alarms in one of 100,000
    assert np.abs(means - m.weights_ @ (1 / (1 + np.exp(-2 * fields))).T).max() < 5 * 0.5 / 4000**0.5


def test_tree(data):
    """A tree of pictures has groups of patches; transform has the causes first."""
    t = bethe.BinarySynapseTree(3, n_states=4, patch=2, shape=(4, 4), n_iter=18, random_state=1).fit(data["spin"])
    assert t.groups_.reshape(4, 4)[:2, :2].tolist() == [[t.groups_[0]] * 2] * 2 and len(set(t.groups_)) == 4
    assert t.top_synapses_.shape == (4, 4, 3) and t.transform(data["spin"]).shape == (600, 3 + 16)
    assert np.allclose(t.transform(data["spin"])[:, :3].sum(1), 1, atol=1e-5) and np.array_equal(t.predict(data["spin"]), t.transform(data["spin"])[:, :3].argmax(1))
    assert t.meta_["width"] == t.meta_["height"] == 4 and bethe.load


def test_real_numbers(data):
    """Columns that do not vary are no units; samples come back in the units of the data; partial_fit climbs."""
    X = data["gauss"]
    m = bethe.BinarySynapseRBM(3, units="gauss", n_iter=60, batch_size=100, random_state=1).fit(X)
    assert m.n_features_in_ == 6 and m.synapses_.shape == (5, 3) and m.data_deviation_[5] == 0
    s = m.sample(2000, n_sweeps=50, random_state=1)
    assert s.dtype == np.float32 and (s[:, 5] == 7).all()
    assert (np.abs(s[:, :5].mean(0) - X[:, :5].mean(0)) < 0.2 * X[:, :5].std(0)).all() and np.allclose(s[:, :5].std(0), X[:, :5].std(0), rtol=0.15)
    assert np.abs(m.reconstruct(X, 1, random_state=1) - X)[:, :5].mean() < X.std(0).max()
    online = bethe.BinarySynapseRBM(3, units="gauss", batch_size=100, random_state=1)
    before = online.partial_fit(X).score(X)
    for _ in range(40):
        online.partial_fit(X)
    assert online.score(X) > before + 0.2 and online.n_steps_ == 246


def test_colours(data):
    """potts alone takes as many colours as there are; reconstruct gives a probability of each."""
    X = data["potts"]
    m = bethe.BinarySynapseRBM(3, units="potts", n_iter=30, batch_size=100, random_state=1).fit(X)
    assert m._kind() == "potts:3" and m.synapses_.shape == (18, 3)
    p = m.reconstruct(X[:5], random_state=1)
    assert p.shape == (5, 6, 3) and np.allclose(p.sum(2), 1, atol=1e-5)
    s = m.gibbs(X, 20, random_state=1)
    assert s.dtype == np.int8 and s.min() == 0 and s.max() == 2
    assert np.abs(s.mean(0) - X.mean(0)).max() < 0.25
    for wrong, text in ((X + 1, "3 is not one of the colours 0 to 2"), (X + 0.5, "0.5 is not"), (X - 1.0, "-1 is not")):
        with pytest.raises(ValueError, match=text):
            m.transform(wrong)


def test_complete(data):
    """Missing numbers have their mean given the others, colours are the likeliest, and groups give probabilities: exactly, by sums here; larger ones by chains."""
    X = data["gauss"][:6].copy()
    for count in 3, 20:
        m = bethe.BinarySynapseRBM(count, units="gauss", n_iter=30, batch_size=100, random_state=1).fit(data["gauss"])
        holes = X.copy()
        holes[:, [1, 5]] = np.nan
        filled = m.complete(holes, n_chains=20, random_state=1)
        grid = np.linspace(-10, 20, 3001)
        for a in range(6):
            all_of = np.tile(X[a], (3001, 1))
            all_of[:, 1] = grid
            p = np.exp(m.free_energy(all_of).min() - m.free_energy(all_of))
            assert filled[a, 1] == pytest.approx(p @ grid / p.sum(), abs=1e-3 if count == 3 else 0.1)
        assert (filled[:, 5] == 7).all() and np.array_equal(filled[:, [0, 2, 3, 4]], X[:, [0, 2, 3, 4]])
    X = data["potts"][:20]
    m = bethe.BinarySynapseRBM(3, units="potts:3", n_iter=30, batch_size=100, random_state=1).fit(data["potts"])
    holes = X.astype(float)
    holes[:, 2] = np.nan
    scores = []
    for colour in range(3):
        tried = X.copy()
        tried[:, 2] = colour
        scores.append(m.score_samples(tried))
    assert np.array_equal(m.complete(holes)[:, 2], np.argmax(scores, 0))
    X = data["spin"][:20]
    m = bethe.BinarySynapseRBM(2, hidden_units="group:3", n_iter=30, batch_size=100, random_state=1).fit(data["spin"])
    holes, on, off = X.astype(float), X.copy(), X.copy()
    holes[:, 3], on[:, 3], off[:, 3] = np.nan, 1, 0
    assert np.allclose(m.complete(holes)[:, 3], 1 / (1 + np.exp(m.score_samples(off) - m.score_samples(on))), atol=1e-5)


def test_deep(data):
    """Attributes are lists, one a layer; completion and chains are of the first layer."""
    X = data["spin"]
    m = bethe.BinarySynapseRBM([6, 3], n_iter=30, batch_size=100, random_state=1).fit(X)
    assert [s.shape for s in m.synapses_] == [(16, 6), (6, 3)] and [c.shape for c in m.intercept_hidden_] == [(6,), (3,)] and m.coupling_.shape == (2,)
    assert m.transform(X).shape == (600, 9) and m.result_["layers"]
    holes = X[::60].astype(float)
    holes[:, :3] = np.nan
    states = np.array(list(itertools.product([0, 1], repeat=3)))
    exact = []
    for x in X[::60]:
        all_of = np.tile(x, (8, 1))
        all_of[:, :3] = states
        p = np.exp(m.score_samples(all_of))
        exact.append(p @ states / p.sum())
    assert np.abs(m.complete(holes, n_chains=10, n_sweeps=400, random_state=1)[:, :3] - exact).max() < 0.1
    assert m.gibbs(X[:5], 3, random_state=1).shape == (5, 16) and m.denoise(X[:5], 0.1, n_sweeps=60, random_state=1).shape == (5, 16)
    with pytest.raises(ValueError, match="deep machine"):
        bethe.zero_one(m)


@pytest.mark.parametrize("name", ["deep", "gauss", "gauss real", "potts", "groups"])
def test_goes_on(data, name):
    """warm_start, init and partial_fit go on from the machine that was learned, also after a pickle."""
    kind, arguments, _, units = FAMILIES[name]
    X = data[units]
    first = kind(**arguments, random_state=1).fit(X)
    warm = copy.deepcopy(first).set_params(warm_start=True, n_iter=None, learning_rate=1e-9, recipe={"steps": 1, "settle": 0}).fit(X)
    anew = clone(warm).set_params(warm_start=False).fit(X)
    init = clone(anew).set_params(init=first).fit(X)
    assert np.array_equal(np.concatenate([p.ravel() for p in warm._arrays().values()]), np.concatenate([p.ravel() for p in init._arrays().values()]))
    assert warm.bound_ > anew.bound_ + 0.02 and abs(warm.bound_ - first.bound_) < abs(anew.bound_ - first.bound_)
    on = pickle.loads(pickle.dumps(first)).partial_fit(X)
    of = "weights_" if kind is bethe.RealSynapseRBM else "posterior_mean_"
    of_first, of_on, of_anew = (np.concatenate([np.ravel(a) for a in ([m] if isinstance(m, np.ndarray) else m)]) for m in (getattr(e, of) for e in (first, on, anew)))
    assert on.n_steps_ == 6 and np.corrcoef(of_first, of_on)[0, 1] > 0.9 > abs(np.corrcoef(of_first, of_anew)[0, 1])


@pytest.mark.parametrize(
    "estimator, units, text",
    [
        (bethe.BinarySynapseRBM(2, units="ising"), "spin", 'units of the kind "ising" are not known: kinds are spin, gauss, potts:K'),
        (bethe.BinarySynapseRBM(2, units=3), "spin", "units is 3: it must be a text"),
        (bethe.BinarySynapseRBM(2, units="gauss", hidden_units="gauss"), "gauss", "two Gaussian layers"),
        (bethe.BinarySynapseRBM(2, units="potts:2"), "potts", "2 is not one of the colours 0 to 1"),
        (bethe.BinarySynapseRBM(2, units="potts"), "gauss", "is not a whole number"),
        (bethe.BinarySynapseRBM((2, 2), units="gauss"), "gauss", "units.*machines of one hidden layer"),
        (bethe.BinarySynapseRBM((2, 0)), "spin", "n_components 2,0: each layer must have at least 1 unit"),
        (bethe.BinarySynapseRBM((2, "3")), "spin", "n_components is '3': it must be an integer"),
        (bethe.BinarySynapseRBM(()), "spin", r"n_components is \(\)"),
        (bethe.BinarySynapseRBM(2, shape=(3, 3)), "spin", "has 9 units, and X has 16 features"),
        (bethe.BinarySynapseRBM(2, shape=16), "spin", "height and width"),
        (bethe.BinarySynapseRBM(2, recipe={"model": "mixture"}), "spin", "BinarySynapseMixture"),
        (bethe.BinarySynapseRBM(2, recipe={"patch": "2"}), "spin", "patch is of model"),
        (bethe.BinarySynapseMixture(0), "spin", "n_components 0: it must be at least 1"),
        (bethe.BinarySynapseMixture(2, rule="hebb"), "spin", 'rule "hebb": of model mixture it is em or stdp'),
        (bethe.BinarySynapseMixture(2, rule=1), "spin", "rule is 1: it must be a text"),
        (bethe.BinarySynapseMixture(2, recipe={"sweeps": 2}), "spin", "sweeps is not of model mixture"),
        (bethe.BinarySynapseMixture(2, recipe={"synapses": "real"}), "spin", "of a BinarySynapseMixture it is 'binary'"),
        (bethe.RealSynapseMixture(2, rule="stdp"), "spin", "rule is 'stdp': real means are learned by 'em' alone"),
        (bethe.BinarySynapseTree(2, patch="a"), "spin", "patch is 'a': it must be the side of a patch"),
        (bethe.BinarySynapseTree(2, patch=(2, 2)), "spin", "of samples with a shape"),
        (bethe.BinarySynapseTree(2, n_states=0), "spin", "n_states 0"),
    ],
)
def test_wrong_settings(data, estimator, units, text):
    """Errors name the argument, its value and what it must be."""
    with pytest.raises(ValueError, match=text):
        estimator.fit(data[units])


def test_what_cannot_be_says_so(data):
    """What a family does not do is an error that names it."""
    X = data["spin"]
    m = bethe.BinarySynapseMixture(2, n_iter=2, random_state=1).fit(X)
    with pytest.raises(ValueError, match="not for a mixture"):
        bethe.to_sklearn(m)
    stack = bethe.BinarySynapseRBM((3, 2), n_iter=1, recipe={"stack": True}, random_state=1).fit(X)
    for call in (lambda: bethe.zero_one(stack), lambda: stack.gibbs(X), lambda: stack.partial_fit(X)):
        with pytest.raises(ValueError, match="stack"):
            call()
    for filled in (stack.complete(np.where(X[:3] > 0, np.nan, 0.0), n_sweeps=300, random_state=1), stack.denoise(X[:3], 0.1, n_sweeps=300, random_state=1)):
        assert filled.shape == X[:3].shape and np.all(filled >= 0) and np.all(filled <= 1)
    g = bethe.BinarySynapseRBM(2, units="gauss", n_iter=2, random_state=1).fit(data["gauss"])
    for call in (lambda: bethe.to_bqm_dict(g), lambda: g.denoise(data["gauss"], 0.1), lambda: g.sample(2, tempered=True)):
        with pytest.raises(ValueError, match="not for a machine of gauss and spin units"):
            call()
    with pytest.raises(ValueError, match="not for a mixture"):
        bethe.BinarySynapseRBM(2, init=m).fit(X)
    with pytest.raises(Exception, match="gauss and spin units in layers"):
        bethe.BinarySynapseRBM(2, init=g).fit(X)
    with pytest.raises(ValueError, match="minimum of 2|1 sample"):
        bethe.BinarySynapseRBM(2, units="gauss").fit(data["gauss"][:1])


def test_displays(data):
    """Pictures of each family."""
    import matplotlib

    matplotlib.use("Agg")
    for m in (
        bethe.BinarySynapseMixture(4, n_iter=3, shape=(2, 8), random_state=1).fit(data["spin"]), bethe.RealSynapseMixture(4, n_iter=3, shape=(2, 8), random_state=1).fit(data["spin"]),
        bethe.BinarySynapseRBM((4, 2), n_iter=2, shape=(2, 8), random_state=1).fit(data["spin"]), bethe.BinarySynapseTree(2, patch=4, n_states=4, n_iter=18, shape=(2, 8), random_state=1).fit(data["spin"]),
    ):
        assert bethe.SynapsesDisplay.from_estimator(m).im_.get_array().shape == (5, 17)
        image = bethe.SamplesDisplay.from_estimator(m, n_samples=4, n_sweeps=3, random_state=1).im_.get_array()
        assert image.shape == (5, 17) and 0 <= image.min() and image.max() <= 1
        assert bethe.BoundDisplay.from_estimator(m).bound[-1] == pytest.approx(m.bound_)
    for units in "gauss", "potts":
        m = bethe.BinarySynapseRBM(4, units=units, n_iter=3, shape=(2, 3), random_state=1).fit(data[units])
        image = bethe.SamplesDisplay.from_estimator(m, n_samples=4, n_sweeps=3, random_state=1).im_.get_array()
        assert image.shape == (5, 7) and 0 <= image.min() and image.max() <= 1
        if units == "gauss":
            assert bethe.SynapsesDisplay.from_estimator(m).im_.get_array().mask[1, 2]  # the column that does not vary
        else:
            with pytest.raises(ValueError, match="3 colours"):
                bethe.SynapsesDisplay.from_estimator(m)
    with pytest.raises(ValueError, match="independent"):
        bethe.SamplesDisplay.from_estimator(bethe.BinarySynapseMixture(2, n_iter=1).fit(data["spin"]), data["spin"])
    matplotlib.pyplot.close("all")
