# %% [markdown]
# # Your own data, with missing values
#
# Answers to a questionnaire of 12 yes-or-no questions; some are missing. A machine that has
# learned the complete rows says how probable each missing answer is, given the others, and
# cross-validation says how large the machine should be.

# %%
import numpy as np
import pandas
from sklearn.model_selection import GridSearchCV

from bethe import BinarySynapseRBM

# %% [markdown]
# Three traits that nobody sees decide about four questions each. In the place of these lines
# read your own table: `pandas.read_csv(...)`.

# %%
rng = np.random.default_rng(7)
traits = rng.random((2000, 3)) < 0.5
answers = np.repeat(traits, 4, axis=1) ^ (rng.random((2000, 12)) < 0.1)
table = pandas.DataFrame(answers.astype(float), columns=[f"question {k}" for k in range(1, 13)])
holes = rng.random(table.shape) < 0.02
table = table.mask(holes)
print(f"{table.isna().any(axis=1).sum()} of {len(table)} rows lack an answer")

# %% [markdown]
# How many hidden units? `score` is the mean log-likelihood, here of the exact kind, so that a
# grid search chooses by what the machine says of rows that it has not seen.

# %%
complete = table.dropna()
search = GridSearchCV(BinarySynapseRBM(n_iter=100, batch_size=100, random_state=1), {"n_components": [1, 3, 6]}, cv=3).fit(complete)
for parameters, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
    print(f"{parameters['n_components']} hidden units: {score:.3f} nats a row")
rbm = search.best_estimator_
assert search.best_params_["n_components"] > 1

# %% [markdown]
# The missing answers: NaN is what is missing, and each row may lack others.

# %%
lacking = table.isna().any(axis=1)
filled = pandas.DataFrame(rbm.complete(table[lacking], random_state=1), columns=table.columns, index=table.index[lacking])
print(filled.head().round(2))

# %% [markdown]
# Here the truth is known: how often is the likelier answer right? At most 90 % can be, since a tenth of
# the answers was turned at random.

# %%
unknown = holes[lacking]
right = ((filled.to_numpy() > 0.5) == answers[lacking])[unknown].mean()
print(f"right: {100 * right:.1f} % of {unknown.sum()}")
assert right > 0.8

# %% [markdown]
# Is it as sure as it is right? All synapses share one coupling, which makes it rather too careful here
# than too sure.

# %%
sure = np.maximum(filled.to_numpy(), 1 - filled.to_numpy())[unknown]
correct = ((filled.to_numpy() > 0.5) == answers[lacking])[unknown]
print(f"mean probability of the likelier answer {sure.mean():.2f}, right {correct.mean():.2f}")
assert abs(sure.mean() - correct.mean()) < 0.12
