"""The machines are those of bethe train."""

import json
import subprocess

import numpy as np
import pytest

import bethe

SETTINGS = [
    (dict(n_components=6, n_iter=12, batch_size=50, random_state=3), ["--hidden", "6", "--epochs", "12", "--batch", "50", "--seed", "3"], False),
    (
        dict(n_components=30, batch_size=100, learning_rate=0.03, recipe={"steps": 250, "sweeps": 2, "settle": 0.5, "estep": "chains", "label_weight": 10}, random_state=11),
        ["--hidden", "30", "--batch", "100", "--rate", "0.03", "--steps", "250", "--sweeps", "2", "--settle", "0.5", "--estep", "chains", "--label-weight", "10", "--seed", "11"],
        True,
    ),
    (
        dict(n_components=3, recipe={"steps": 80, "fields": False, "centre": False, "learn_coupling": False, "beta": 1.5, "rule": "bayes", "rate": 0.01}, batch_size=600, random_state=0),
        ["--hidden", "3", "--steps", "80", "--no-fields", "--no-centre", "--fixed-coupling", "--beta", "1.5", "--rule", "bayes", "--rate", "0.01", "--batch", "600", "--seed", "0"],
        False,
    ),
    (
        dict(n_components=5, n_iter=10, batch_size=60, validation_fraction=0.2, random_state=2),
        ["--hidden", "5", "--epochs", "10", "--batch", "60", "--validation", "0.2", "--seed", "2"],
        False,
    ),
]


@pytest.mark.parametrize("arguments, flags, labelled", SETTINGS)
def test_same_machine(command, bars, tmp_path, arguments, flags, labelled):
    """Arrays are equal to the bit, and meta.json is but for data and program."""
    labels = np.repeat([0, 1], 300) if labelled else None
    np.savez(tmp_path / "bars.npz", samples=bars, **({"labels": labels} if labelled else {}))
    out = tmp_path / "run"
    subprocess.run([command, "train", "--data", str(tmp_path / "bars.npz"), *flags, "--out", str(out), "--json"], check=True, capture_output=True)
    rbm = bethe.BinarySynapseRBM(**arguments).fit(bars, labels)
    with np.load(out / "model.npz") as theirs:
        meta = json.loads(theirs["meta.json"])
        names = set(theirs.files) - {"meta.json"}
        ours = rbm._arrays()
        assert set(ours) == names
        for name in names:
            assert ours[name].dtype == theirs[name].dtype and np.array_equal(ours[name], theirs[name]), name
    mine = rbm.meta_
    for key in "data", "program":
        mine.pop(key), meta.pop(key)
    assert mine == meta
    result = json.loads((out / "result.json").read_text())["result"]
    assert rbm.result_["bound_per_sample"] == result["bound_per_sample"] == rbm.bound_
    assert rbm.n_steps_ == result["steps"]
    assert hasattr(rbm, "scouts_") == (out / "scouts.npz").exists()
    if hasattr(rbm, "scouts_"):
        assert np.array_equal(rbm.scouts_, np.load(out / "scouts.npz")["samples"] > 0)
        assert np.array_equal(bethe.load(out / "model.npz").scouts_, rbm.scouts_)
    if "validation" in result:
        assert rbm.result_["validation"]["exact"] == result["validation"]["exact"]


def test_forms_of_data_are_one(bars):
    """The same bits in any type, order or container give the same machine."""
    import pandas
    from scipy import sparse

    def synapses(X, **more):
        return bethe.BinarySynapseRBM(4, n_iter=3, batch_size=50, random_state=1, **more).fit(X).posterior_mean_

    want = synapses(bars)
    for X in (
        bars.astype(bool), bars.astype(np.float32), bars.astype(float), bars.astype(int), np.asfortranarray(bars), bars[:, ::-1][:, ::-1], bars.tolist(),
        pandas.DataFrame(bars), pandas.DataFrame(bars.astype(bool)), sparse.csr_matrix(bars), sparse.csc_matrix(bars.astype(float)), 2 * bars.astype(np.int8) - 1,
    ):
        assert np.array_equal(synapses(X), want)
    with pytest.warns(UserWarning, match="values from 0 to 255"):
        assert np.array_equal(synapses(bars * np.uint8(255)), want)
    assert np.array_equal(synapses(bars * np.uint8(255), binarize=127), want)
    assert np.array_equal(synapses(bars, binarize=None), want)
    assert np.array_equal(synapses(2.0 * bars - 1, binarize=None), want)


def test_data_that_are_no_bits(bars):
    """With binarize=None other values than bits are an error that names them."""
    for X, text in ((bars * 0.7, "between 0 and 1"), (bars * 3, "from 0 to 3"), (bars - 0.25, "-0.25 to 0.75")):
        with pytest.raises(ValueError, match=text):
            bethe.BinarySynapseRBM(2, binarize=None).fit(X)
    from scipy import sparse

    with pytest.raises(ValueError, match="zeros of sparse data"):
        bethe.BinarySynapseRBM(2, binarize=-0.5).fit(sparse.csr_matrix(bars))


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(n_components=0), "n_components 0: it must be at least 1"),
        (dict(learning_rate=-1.0), "learning_rate -1"),
        (dict(n_iter=-1), "n_iter"),
        (dict(n_iter=2.5), "n_iter is 2.5: it must be an integer"),
        (dict(batch_size="many"), "batch_size is 'many'"),
        (dict(time_limit=-1), "time_limit"),
        (dict(recipe={"fall": "sideways"}), 'fall "sideways": it is linear, cosine or geometric'),
        (dict(recipe={"sideways": 1}), "sideways"),
        (dict(recipe={"hidden": 3}, n_components=4), "given twice"),
        (dict(recipe=["sweeps"]), "must be a dict"),
        (dict(recipe={"synapses": "real"}), "RealSynapseRBM"),
        (dict(recipe={"label_weight": 1}), "needs labels"),
        (dict(validation_fraction=1.5), "validation_fraction 1.5"),
    ],
)
def test_wrong_settings(bars, arguments, text):
    """Errors name the argument, its value and what it must be."""
    with pytest.raises(ValueError, match=text):
        bethe.BinarySynapseRBM(**arguments).fit(bars)


def test_defaults_are_the_recipe_of_the_library(bars):
    """Nothing is copied: a machine of no arguments has the default recipe."""
    rbm = bethe.BinarySynapseRBM(time_limit=0.2, random_state=1).fit(bars)
    want = bethe.recipe(time="200ms")
    for follows in "beta", "rate", "theta_decay", "rare":  # from sizes, samples and the other settings
        assert rbm.recipe_[follows] > 0
        want[follows] = rbm.recipe_[follows]
    assert rbm.recipe_ == want
    assert rbm.synapses_.shape == (16, want["hidden"])


def test_time_limit(bars):
    import time

    start = time.monotonic()
    rbm = bethe.BinarySynapseRBM(50, time_limit=0.3, random_state=1).fit(bars)
    assert 0.2 < rbm.result_["seconds"] < 1.5 and time.monotonic() - start < 20
    assert rbm.n_steps_ > 1


def test_run_folder_goes_on(bars, tmp_path):
    """What a callback interrupts goes on to the bytes of a run that was not interrupted."""

    class Enough(Exception):
        pass

    def stop(_, progress):
        if progress.step > 100:
            raise Enough

    settings = dict(n_components=40, batch_size=100, recipe={"steps": 1500, "estep": "chains"}, random_state=4)
    whole = bethe.BinarySynapseRBM(**settings).fit(bars)
    rbm = bethe.BinarySynapseRBM(**settings, folder=tmp_path / "run", callbacks=stop)
    with pytest.raises(Enough):
        rbm.fit(bars)
    rbm.set_params(callbacks=None).fit(bars)
    assert np.array_equal(rbm.posterior_mean_, whole.posterior_mean_)
    assert (tmp_path / "run" / "model.npz").exists()


def test_warm_start_and_init(bars, tmp_path):
    """Learning starts at a machine of an estimator or of a file, and says so."""
    first = bethe.BinarySynapseRBM(4, n_iter=5, batch_size=50, random_state=1, warm_start=True).fit(bars)
    first.save(tmp_path / "first.npz")
    files = bethe.BinarySynapseRBM(4, n_iter=2, batch_size=50, random_state=2, init=tmp_path / "first.npz").fit(bars)
    objects = bethe.BinarySynapseRBM(4, n_iter=2, batch_size=50, random_state=2, init=first).fit(bars)
    anew = bethe.BinarySynapseRBM(4, n_iter=2, batch_size=50, random_state=2).fit(bars)
    first.set_params(random_state=2, n_iter=2).fit(bars)
    assert np.array_equal(files.posterior_mean_, objects.posterior_mean_) and np.array_equal(files.posterior_mean_, first.posterior_mean_)
    assert not np.array_equal(files.posterior_mean_, anew.posterior_mean_)
    assert files.recipe_["init_hash"] and "init_hash" not in anew.recipe_
    with pytest.raises(ValueError, match="restarts"):
        bethe.BinarySynapseRBM(4, init=first, recipe={"restarts": 2}).fit(bars)
    with pytest.raises(Exception, match="16 x 4 units"):
        bethe.BinarySynapseRBM(5, init=first).fit(bars)
    with pytest.raises(FileNotFoundError):
        bethe.BinarySynapseRBM(4, init=tmp_path / "none.npz").fit(bars)


def test_partial_fit(bars):
    """Steps of a stream climb the likelihood, are reproducible, and go on after a pickle."""
    import pickle

    rng = np.random.default_rng(1)
    batches = [bars[rng.integers(0, 600, 100)] for _ in range(150)]

    def learn():
        rbm = bethe.BinarySynapseRBM(8, batch_size=100, random_state=1)
        scores = []
        for k, batch in enumerate(batches):
            assert rbm.partial_fit(batch) is rbm
            if k in (0, 149):
                scores.append(rbm.score(bars))
        return rbm, scores

    rbm, scores = learn()
    again, _ = learn()
    assert scores[1] > scores[0] + 0.5
    assert rbm.n_steps_ == 150 and rbm.synapses_.shape == (16, 8)
    assert np.array_equal(rbm.posterior_mean_, again.posterior_mean_)
    copy = pickle.loads(pickle.dumps(rbm)).partial_fit(bars)
    assert copy.score(bars) > scores[0] and copy.meta_["steps"] == 6
    with pytest.raises(ValueError, match="features"):
        rbm.partial_fit(bars[:, :5])


def test_callbacks_and_history(bars):
    seen = []
    rbm = bethe.BinarySynapseRBM(
        20, batch_size=100, recipe={"steps": 400, "estep": "chains"}, random_state=1, callbacks=[lambda e, p: seen.append((e, p))],
    ).fit(bars)
    assert seen and all(e is rbm for e, _ in seen)
    assert [p.step for _, p in seen] == sorted(p.step for _, p in seen) and seen[-1][1].step == 400
    assert rbm.history_[0]["step"] == 0 and rbm.history_[-1]["step"] == 400 and rbm.history_[-1]["bound"]["value"] == pytest.approx(rbm.bound_)

    def fail(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        bethe.BinarySynapseRBM(20, callbacks=fail, random_state=1).fit(bars)


def test_verbose(bars, capsys):
    bethe.BinarySynapseRBM(4, n_iter=2, verbose=1, random_state=1).fit(bars)
    assert "learning" in capsys.readouterr().err
