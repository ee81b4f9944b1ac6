"""Beside scikit-learn's BernoulliRBM, in the pipeline of its own documentation.

python3 bench/digits.py [SEEDS] [NAME], with the wheel installed; NAME is a part of the names of the
rows to show. 8 x 8 digits, shifted by a pixel in four directions, scaled to [0, 1]; 100 hidden
units, then logistic regression ("Restricted Boltzmann Machine features for digit classification" of
scikit-learn's gallery). Then the likelihoods of both: pseudo-likelihoods, and exact ones of 20
hidden units, on bits.
"""

import sys
import time

import numpy as np
from scipy.ndimage import shift
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, minmax_scale

import bethe


def shifted():
    """Return digits and their four neighbours, in [0, 1], with labels."""
    X, y = load_digits(return_X_y=True)
    pictures = X.reshape(-1, 8, 8)
    moved = [shift(pictures, (0, *by), order=0) for by in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))]
    return minmax_scale(np.concatenate(moved).reshape(-1, 64)), np.tile(y, 5)


def pseudo(rbm, X):
    """Return the mean over samples of the sum over units of ln P(unit | all others)."""
    free, total = rbm.free_energy(X), np.zeros(len(X))
    for i in range(X.shape[1]):
        flipped = X.copy()
        flipped[:, i] ^= 1
        total -= np.logaddexp(0, free - rbm.free_energy(flipped))
    return total.mean()


def seeded(kind, seed):
    """Return a copy with a seed."""
    name = "bernoullirbm__random_state" if hasattr(kind, "steps") else "random_state"
    return clone(kind).set_params(**{name: seed})


def timed(estimator, *data):
    start = time.perf_counter()
    fitted = estimator.fit(*data)
    return fitted, time.perf_counter() - start


def main(seeds, only=None):
    X, y = shifted()
    train, test, labels, truth = train_test_split(X, y, test_size=0.2, random_state=0)
    logistic = LogisticRegression(solver="newton-cg", tol=1, C=6000)
    print(f"pixels: {100 * clone(logistic).set_params(C=100).fit(train, labels).score(test, truth):.1f} % right")
    documented = BernoulliRBM(n_components=100, learning_rate=0.06, n_iter=10)
    ours = bethe.BinarySynapseRBM(100, n_iter=10, batch_size=100)
    kinds = {
        "BernoulliRBM, 10 passes": documented, "BernoulliRBM, 100 passes": clone(documented).set_params(n_iter=100),
        "BinarySynapseRBM, 10 passes": ours, "BinarySynapseRBM, 100 passes": clone(ours).set_params(n_iter=100),
        "BinarySynapseRBM, 100 passes, labels": clone(ours).set_params(n_iter=100, recipe={"label_weight": 10}),
        "RealSynapseRBM, 100 passes": bethe.RealSynapseRBM(100, n_iter=100, batch_size=100),
        "BernoulliRBM, 10 passes, bits": make_pipeline(Binarizer(threshold=0.5), documented),
    }
    if only:
        kinds = {name: kind for name, kind in kinds.items() if only in name}
    print("\naccuracy on held-out digits (seconds of the machine alone)")
    for name, kind in kinds.items():
        found = []
        for seed in seeds:
            machine, seconds = timed(seeded(kind, seed), train, labels)
            classifier = clone(logistic).fit(machine.transform(train), labels)
            found.append((100 * classifier.score(machine.transform(test), truth), seconds))
        print(f"{name:40}", "  ".join(f"{a:.1f} % ({s:.1f} s)" for a, s in found), flush=True)
    seed = seeds[0]
    whole = make_pipeline(clone(ours).set_params(random_state=seed), clone(logistic))
    print(f"as a pipeline: {100 * whole.fit(train, labels).score(test, truth):.1f} %")

    bits, held = (train > 0.5).astype(np.uint8), (test > 0.5).astype(np.uint8)
    print("\nnats a sample of held-out bits: pseudo-likelihood, log-likelihood")
    for hidden in (20, 100):
        for name, kind in kinds.items():
            if not name.endswith("100 passes"):
                continue
            for seed in seeds:
                machine = clone(kind).set_params(n_components=hidden, random_state=seed).fit(bits)
                if isinstance(machine, BernoulliRBM):
                    machine = bethe.from_sklearn(machine)
                likelihood = machine.evaluate(held, temperatures=3000, equilibration=1000)["log_likelihood"]
                how = "exact" if likelihood["exact"] else f"forward {likelihood['forward_ais']:.2f}, reverse {likelihood['reverse_ais']:.2f}"
                print(f"{name:32} {hidden:4} hidden, seed {seed}: {pseudo(machine, held):8.2f}  {likelihood['mean']:8.2f}  {how}", flush=True)


if __name__ == "__main__":
    words = [a for a in sys.argv[1:] if not a.isdigit()]
    main([int(a) for a in sys.argv[1:] if a.isdigit()] or [1, 2, 3], words[0] if words else None)
