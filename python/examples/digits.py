# %% [markdown]
# # Digits from scratch
#
# A machine of 64 hidden units learns 8 x 8 digits. Each of its 64 x 64 synapses is one bit.

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from bethe import BinarySynapseRBM, BoundDisplay, SamplesDisplay, SynapsesDisplay

X, y = load_digits(return_X_y=True)  # levels from 0 to 16
train, test, labels, truth = train_test_split(X, y, test_size=0.25, random_state=0)

# %% [markdown]
# Levels above 7 are 1, the others 0. An integer `random_state` is the seed: the machine has the
# same bytes on every computer, and those of `bethe train` with that seed.

# %%
rbm = BinarySynapseRBM(64, n_iter=150, batch_size=100, binarize=7, validation_fraction=0.1, random_state=1)
rbm.fit(train)
print(rbm.synapses_.shape, rbm.synapses_.dtype, f"coupling {rbm.coupling_:.3f}")

# %% [markdown]
# The bound rises while it learns, and with it the log-likelihood of samples that are held out.

# %%
BoundDisplay.from_estimator(rbm)

# %% [markdown]
# Posterior means of the synapses: orange is +1, purple -1, white undecided.

# %%
SynapsesDisplay.from_estimator(rbm, shape=(8, 8))

# %% [markdown]
# What it dreams: chains that start at random, after 1,000 sweeps.

# %%
SamplesDisplay.from_estimator(rbm, n_samples=49, random_state=1, shape=(8, 8))

# %% [markdown]
# How likely are digits that it has never seen? Both annealings bracket the answer.

# %%
found = rbm.evaluate(test, temperatures=2000, equilibration=1000)["log_likelihood"]
print(f"forward {found['forward_ais']:.2f}, reverse {found['reverse_ais']:.2f} nats per digit")
assert abs(found["forward_ais"] - found["reverse_ais"]) < 2

# %% [markdown]
# Its hidden units as features of a linear classifier.

# %%
classifier = LogisticRegression(max_iter=2000).fit(rbm.transform(train), labels)
pixels = LogisticRegression(max_iter=2000).fit(train > 7, labels)
accuracy, of_pixels = classifier.score(rbm.transform(test), truth), pixels.score(test > 7, truth)
print(f"right: {100 * accuracy:.1f} % from hidden units, {100 * of_pixels:.1f} % from the bits themselves")
assert accuracy > 0.85

# %% [markdown]
# The model file is one that the command reads, and NumPy.

# %%
rbm.save("digits.npz")
print(sorted(np.load("digits.npz").files))
