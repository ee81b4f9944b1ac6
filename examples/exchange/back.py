import numpy
from rbm01 import rbm       # the program above
numpy.savez("machine.npz", components_=rbm.components_, intercept_visible_=rbm.intercept_visible_,
            intercept_hidden_=rbm.intercept_hidden_)      # or W=rbm.components_.T, vbias=..., hbias=...
