import numpy
from sklearn.neural_network import BernoulliRBM
m = numpy.load("machine.npz")
rbm = BernoulliRBM(n_components=len(m["hbias"]))
rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_ = m["W"].T, m["vbias"], m["hbias"]
v = numpy.random.default_rng(1).random((5, 784)) < 0.2
rbm.transform(v)           # hidden means of samples v of 0 and 1, one a row
