import numpy

rng = numpy.random.default_rng(1)
n = 3000
stripes = rng.random((n, 8)) < 0.5                      # which of eight are bright
upright = rng.random(n) < 0.5                           # columns, or rows
x = numpy.where(upright[:, None, None], stripes[:, None, :], stripes[:, :, None])
x = x ^ (rng.random((n, 8, 8)) < 0.02)                  # noise
levels = (x * 200 + rng.integers(0, 40, x.shape)).astype("uint8")
numpy.savez("bars.npz", x_train=levels[:2500], y_train=upright[:2500].astype("uint8"),
            x_test=levels[2500:], y_test=upright[2500:].astype("uint8"))
