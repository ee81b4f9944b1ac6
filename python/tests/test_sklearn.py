"""What scikit-learn asks of an estimator."""

import copy
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import SkipTest, check_estimator

import bethe

KINDS = [bethe.BinarySynapseRBM, bethe.RealSynapseRBM]


class Coloured(bethe.BinarySynapseRBM):
    """A machine of colours of what scikit-learn's checks have as samples: real numbers, cut off and rounded."""

    def _validated(self, X, reset=False, **settings):
        X = super()._validated(X, reset, **settings)
        return np.clip(np.round(np.abs(X.toarray() if hasattr(X, "toarray") else X)), 0, 2)


#: What scikit-learn's checks are run with.
CHECKED = [
    bethe.BinarySynapseRBM(), bethe.RealSynapseRBM(), bethe.BinarySynapseRBM((4, 3)), bethe.BinarySynapseRBM(3, units="gauss"), bethe.RealSynapseRBM(3, units="gauss"),
    bethe.BinarySynapseRBM(3, hidden_units="group:3"), bethe.BinarySynapseRBM(3, hidden_units="gauss", recipe={"estep": "exact"}), Coloured(3, units="potts:3"),
    bethe.BinarySynapseMixture(), bethe.BinarySynapseMixture(rule="stdp"), bethe.RealSynapseMixture(), bethe.BinarySynapseTree(5, n_states=3),
]


def checks(estimator):
    """Run all checks; return the names of those that fail and of those that are skipped."""
    failed, skipped, ran = {}, set(), 0
    for one, check in check_estimator(estimator, generate_only=True):
        name = getattr(check, "func", check).__name__
        ran += 1
        try:
            check(one)
        except SkipTest:
            skipped.add(name)
        except Exception as e:  # noqa: BLE001 (told below)
            failed[name] = e
    return failed, skipped, ran


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", CHECKED, ids=str)
def test_check_estimator(estimator):
    """No check fails, and none is skipped beyond those that LogisticRegression skips."""
    _, usual, _ = checks(LogisticRegression())
    failed, skipped, ran = checks(estimator)
    assert not failed and skipped <= usual and ran > 30


def fitted(X, kind=bethe.BinarySynapseRBM, **more):
    return kind(4, n_iter=3, batch_size=50, random_state=1, **more).fit(X)


@pytest.mark.parametrize("kind", KINDS)
def test_copies(bars, kind):
    """Pickles and copies are the same machine; a clone has its parameters and no machine."""
    rbm = fitted(bars, kind)
    for other in pickle.loads(pickle.dumps(rbm)), copy.deepcopy(rbm), copy.copy(rbm):
        assert np.array_equal(other.transform(bars), rbm.transform(bars))
        assert np.array_equal(other.score_samples(bars), rbm.score_samples(bars))
    assert len(pickle.dumps(rbm)) < 60_000
    again = clone(rbm)
    assert again.get_params() == rbm.get_params()
    with pytest.raises(NotFittedError):
        again.transform(bars)


def test_arrays_that_are_replaced_count(bars):
    """A machine whose arrays are replaced is another one; those it has are read-only."""
    rbm = fitted(bars)
    before = rbm.transform(bars)
    with pytest.raises(ValueError, match="read-only"):
        rbm.synapses_[0, 0] = 1
    rbm.intercept_hidden_ = rbm.intercept_hidden_ + 1
    after = rbm.transform(bars)
    assert (after >= before - 1e-6).all() and (after > before).mean() > 0.5


def test_frames(bars):
    """Names of columns are kept and looked at; set_output gives frames."""
    import pandas

    names = [f"pixel {k}" for k in range(16)]
    frame = pandas.DataFrame(bars, columns=names)
    rbm = fitted(frame)
    assert list(rbm.feature_names_in_) == names and rbm.n_features_in_ == 16
    assert list(rbm.get_feature_names_out()) == [f"binarysynapserbm{k}" for k in range(4)]
    out = rbm.set_output(transform="pandas").transform(frame)
    assert isinstance(out, pandas.DataFrame) and list(out.columns) == list(rbm.get_feature_names_out()) and out.dtypes.eq(np.float32).all()
    with pytest.raises(ValueError, match="feature names"):
        rbm.transform(frame[names[::-1]])


def test_pipeline_and_searches(bars):
    """Pipelines, cross-validation and a grid of two processes of loky find what one process finds."""
    labels = np.repeat([0, 1], 300)
    pipeline = make_pipeline(bethe.BinarySynapseRBM(n_iter=5, batch_size=50, random_state=1), LogisticRegression())
    assert cross_val_score(pipeline, bars, labels, cv=3).shape == (3,)
    grid = {"binarysynapserbm__n_components": [2, 8], "binarysynapserbm__learning_rate": [0.01, 0.05]}
    one = GridSearchCV(pipeline, grid, cv=3).fit(bars, labels)
    two = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(bars, labels)
    assert np.array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    folds = KFold(3, shuffle=True, random_state=0)
    density = GridSearchCV(bethe.BinarySynapseRBM(n_iter=20, batch_size=50, random_state=1), {"n_components": [1, 8]}, cv=folds).fit(bars)
    assert density.best_params_ == {"n_components": 8}


# The entry points of scikit-learn from 1.6 on, as its documentation describes them:
# sklearn.utils.validation.validate_data, Tags and ensure_all_finite. They lead to those
# that are here, so that what the newer ones are given is really used.
NEWER = """
import dataclasses, functools
import numpy as np
import sklearn.base, sklearn.utils.validation as v

called = []
old_array, old_validate = v.check_array, sklearn.base.BaseEstimator._validate_data

def check_array(array, *args, ensure_all_finite=True, **settings):
    return old_array(array, *args, force_all_finite=ensure_all_finite, **settings)

def validate_data(_estimator, /, X="no_validation", y="no_validation", reset=True, validate_separately=False, skip_check_array=False, **check_params):
    called.append(sorted(check_params))
    if "ensure_all_finite" in check_params:
        check_params["force_all_finite"] = check_params.pop("ensure_all_finite")
    return old_validate(_estimator, X, y, reset=reset, **check_params)

@dataclasses.dataclass
class TransformerTags:
    preserves_dtype: list = dataclasses.field(default_factory=lambda: ["float64"])

@dataclasses.dataclass
class InputTags:
    sparse: bool = False

@dataclasses.dataclass
class Tags:
    transformer_tags: TransformerTags = None
    input_tags: InputTags = dataclasses.field(default_factory=InputTags)

def base_tags(self):
    return Tags()

def transformer_tags(self):
    tags = super(sklearn.base.TransformerMixin, self).__sklearn_tags__()
    tags.transformer_tags = TransformerTags()
    return tags

v.check_array, v.validate_data = check_array, validate_data
del sklearn.base.BaseEstimator._validate_data
sklearn.base.BaseEstimator.__sklearn_tags__ = base_tags
sklearn.base.TransformerMixin.__sklearn_tags__ = transformer_tags
"""


def test_newer_interface():
    """With the entry points of scikit-learn 1.6 the estimator uses them, and finds the same."""
    body = """
        import bethe
        X = (np.random.default_rng(0).random((60, 6)) < 0.4).astype(float)
        rbm = bethe.BinarySynapseRBM(3, n_iter=3, random_state=1).fit(X)
        assert len(called) == 1, called
        X[0, 2] = np.nan
        assert rbm.complete(X, n_sweeps=20, random_state=1).shape == X.shape
        assert called[-1] == ["accept_sparse", "dtype", "ensure_all_finite"], called
        tags = rbm.__sklearn_tags__()
        assert tags.transformer_tags.preserves_dtype == ["float32"] and tags.input_tags.sparse
        print(repr(rbm.posterior_mean_.tolist()))
    """
    run = subprocess.run([sys.executable, "-c", NEWER + textwrap.dedent(body)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    X = (np.random.default_rng(0).random((60, 6)) < 0.4).astype(float)
    rbm = bethe.BinarySynapseRBM(3, n_iter=3, random_state=1).fit(X)
    assert eval(run.stdout) == rbm.posterior_mean_.tolist()
    assert rbm._more_tags() == {"preserves_dtype": ["float32"]}
