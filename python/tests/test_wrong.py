"""What a newcomer types wrong: each is an error at once that names the argument, its value and the remedy."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM

import bethe
from bethe import BinarySynapseMixture, BinarySynapseRBM, BinarySynapseTree


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(n_components="ten"), "n_components is 'ten': it must be an integer, the number of hidden units, or a tuple"),
        (dict(n_components=10.0), "n_components is 10.0: it must be an integer"),
        (dict(n_components=True), "n_components is True"),
        (dict(n_components=10**9), "n_components 1000000000: .* of memory"),
        (dict(n_iter=0), "n_iter is 0: it must be above 0, or None"),
        (dict(time_limit=0), "time_limit is 0"),
        (dict(time_limit="10s"), "time_limit is '10s': it must be a number"),
        (dict(learning_rate=float("nan")), "learning_rate is nan: it must be finite"),
        (dict(binarize="auto"), "binarize is 'auto': it must be the threshold, a number"),
        (dict(binarize=True), "binarize is True"),
        (dict(validation_fraction="x"), "validation_fraction is 'x': it must be a share"),
        (dict(folder=3), "folder is 3: it must be a path"),
        (dict(init=3), "init is 3: it must be an estimator or the path of a model file"),
        (dict(callbacks=3), "callbacks is 3: it must be a function"),
        (dict(callbacks=[len, 3]), "callbacks is "),
        (dict(recipe={"sweep": 2}), 'a recipe has no setting "sweep"; its settings are .*sweeps'),
        (dict(recipe={"sweeps": "two"}), "sweeps is a string, and must be of type int"),
        (dict(recipe={"sweeps": object()}), "a recipe holds numbers, texts"),
        (dict(units="Gauss"), "units='Gauss': .* are not known: kinds are spin, gauss"),
        (dict(units="gauss", n_components=(2, 2)), "one hidden layer"),
        (dict(units="potts:0"), "units='potts:0': .*the number after the colon"),
        (dict(random_state="a"), "seed"),
        (dict(shape=(4, 5)), "has 20 units, and X has 16 features"),
    ],
)
def test_arguments(bars, arguments, text):
    with pytest.raises(ValueError, match=text):
        BinarySynapseRBM(**arguments).fit(bars)


def test_names_are_those_of_the_class():
    with pytest.raises(TypeError, match=r"^BinarySynapseRBM.__init__\(\) got an unexpected keyword argument 'n_hidden'"):
        BinarySynapseRBM(n_hidden=3)
    with pytest.raises(TypeError, match=r"^BinarySynapseMixture.__init__"):
        BinarySynapseMixture(max_iter=3)
    with pytest.raises(TypeError, match=r"^RealSynapseRBM.__init__"):
        bethe.RealSynapseRBM(3, 0.1)


def test_data(bars):
    import pandas

    frame = pandas.DataFrame({"age": [1, 0, 1], "colour": ["red", "blue", "red"], "size": pandas.Categorical(["s", "m", "s"])})
    for X in frame, frame[["age", "size"]]:
        with pytest.raises(ValueError, match="X has columns that are no numbers: .*size.*OneHotEncoder"):
            BinarySynapseRBM(2).fit(X)
    with pytest.warns(UserWarning, match="alike with binarize=0.5: there is nothing to learn"):
        BinarySynapseRBM(2, n_iter=1).fit(np.zeros((10, 5)))
    with pytest.warns(UserWarning, match="units='gauss'"):
        BinarySynapseRBM(2, n_iter=1).fit(np.random.default_rng(0).normal(size=(20, 3)))
    with pytest.raises(ValueError, match="5.5 is not a whole number.*KBinsDiscretizer"):
        BinarySynapseRBM(2, units="potts").fit([[5.5, 1], [0, 1]])
    with pytest.raises(ValueError, match="no finite number"):
        BinarySynapseRBM(2, units="gauss").fit([[1e300, 1], [0, 1]])
    with pytest.raises(ValueError, match="all columns are constant"):
        BinarySynapseRBM(2, units="gauss").fit(np.ones((9, 3)))
    for units in None, "gauss", "potts":
        with pytest.raises(ValueError, match="X contains NaN.*impute.*--missing nan"):
            BinarySynapseRBM(2, units=units).fit([[np.nan, 1], [0, 1]])
    with pytest.raises(ValueError, match="X contains NaN.*once there is a machine$"):
        BinarySynapseMixture(2).fit([[np.nan, 1], [0, 1]])
    with pytest.raises(ValueError, match="y contains NaN"):
        BinarySynapseRBM(2, n_iter=1, recipe={"label_weight": 1}).fit(bars, np.where(np.arange(600) == 3, np.nan, 1.0))
    assert BinarySynapseRBM(2, n_iter=1, recipe={"sweeps": np.int64(2)}).fit(bars).recipe_["sweeps"] == 2


def test_use(bars, tmp_path):
    rbm = BinarySynapseRBM(3, n_iter=1, random_state=1)
    for call in (rbm.transform, rbm.score, rbm.complete, rbm.evaluate, lambda X: rbm.sample(), lambda X: rbm.save("x.npz"), bethe.SynapsesDisplay.from_estimator and (lambda X: bethe.SynapsesDisplay.from_estimator(rbm))):
        with pytest.raises(NotFittedError):
            call(bars)
    rbm.fit(bars)
    for count in 0, -1, 2.5, "3", True:
        with pytest.raises(ValueError, match="n_samples is .*: it must be an integer of at least 1"):
            rbm.sample(count)
    with pytest.raises(ValueError, match="memory"):
        rbm.sample(10**9)
    with pytest.raises(ValueError, match="n is 'a': it must be an integer"):
        bethe.set_threads("a")
    with pytest.raises(IsADirectoryError, match="name the model file in it"):
        bethe.load(tmp_path)
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        rbm.save(tmp_path)
    with pytest.raises(TypeError, match="None is a NoneType, where the path of a model file is needed"):
        bethe.load(None)
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    with pytest.raises(bethe.BetheError, match="other.npz.*not a model file"):
        bethe.load(tmp_path / "other.npz")
    with pytest.raises(TypeError, match="no BernoulliRBM"):
        bethe.from_sklearn(LogisticRegression())
    with pytest.raises(NotFittedError):
        bethe.from_sklearn(BernoulliRBM())
    with pytest.raises(TypeError, match="no estimator of bethe"):
        bethe.save(3, tmp_path / "x.npz")
    with pytest.raises(ValueError, match="no learning curve"):
        bethe.BoundDisplay.from_estimator(BinarySynapseRBM(3).partial_fit(bars))
    BinarySynapseRBM(3, n_iter=1, folder=tmp_path / "run", random_state=1).fit(bars)
    with pytest.raises(ValueError, match="choose another folder"):
        BinarySynapseRBM(4, n_iter=1, folder=tmp_path / "run", random_state=1).fit(bars)


def test_a_large_machine_that_was_loaded_is_scored(bars, tmp_path):
    """Its ln Z is annealed from the samples that it is scored on."""
    X = np.hstack([bars, bars[::-1]])
    rbm = BinarySynapseRBM(30, n_iter=3, batch_size=100, random_state=1).fit(X)
    rbm.save(tmp_path / "large.npz")
    assert bethe.load(tmp_path / "large.npz").score(X) == pytest.approx(rbm.score(X), abs=0.5)


def test_patches(bars):
    """Patches of pictures are a side, or height and width as shape is."""
    settings = dict(n_states=2, shape=(2, 8), n_iter=18, random_state=1)
    groups = [len(set(BinarySynapseTree(2, patch=patch, **settings).fit(bars).groups_)) for patch in (2, (2, 4), (1, 8))]
    assert groups == [4, 2, 2]
