#!/usr/bin/env python3
"""A step of scikit-learn's BernoulliRBM (persistent contrastive divergence) of the size of
pcd_torch.py, in float32. Threads are those of the environment.  rbm_sklearn.py THREADS"""
import numpy
import sklearn
from sklearn.neural_network import BernoulliRBM

from serve import serve

VISIBLE, HIDDEN, BATCH = 784, 500, 500
random = numpy.random.default_rng(1)
data = (random.random((10000, VISIBLE), dtype=numpy.float32) < 0.2).astype(numpy.float32)
machine = BernoulliRBM(n_components=HIDDEN, batch_size=BATCH, learning_rate=0.01, random_state=1)
place = 0


def step():
    global place
    machine.partial_fit(data[place:place + BATCH])
    place = (place + BATCH) % len(data)


serve(step, sklearn=sklearn.__version__, numpy=numpy.__version__)
