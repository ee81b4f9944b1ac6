"""Writes small tables to try the walks of docs/units.md with: real numbers, votes with holes, an alignment, levels."""
import gzip

import numpy

rng = numpy.random.default_rng(1)


def csv(name, rows, header=None):
    with open(name, "w") as f:
        if header:
            f.write(",".join(header) + "\n")
        for row in rows:
            f.write(",".join("" if x is None else str(x) for x in row) + "\n")


# Twelve numbers that follow two hidden ones.
cause = rng.choice([-1, 1], (600, 2))
numbers = numpy.round(cause @ rng.normal(size=(2, 12)) + 0.5 * rng.normal(size=(600, 12)), 3)
names = [f"x{k}" for k in range(12)]
csv("table.csv", numbers[:500], names)
csv("held-out.csv", numbers[500:], names)

# Sixteen votes of two parties, one in twenty left out.
party = rng.random(400) < 0.5
votes = numpy.where(rng.random((400, 16)) < 0.1, ~party[:, None], party[:, None]) ^ (numpy.arange(16) % 2 == 0)
csv("whole.csv", votes.astype(int))
csv("votes.csv", [[None if rng.random() < 0.05 else int(v) for v in row] for row in votes])

# Sequences of twenty letters; columns k and 19 - k pair.
pairs = dict(zip("ACGU", "UGCA"))
with gzip.open("rna.fasta.gz", "wt") as f, open("held-out.fasta", "w") as g:
    for k in range(300):
        half = "".join(rng.choice(list("ACGU"), 10, p=[0.4, 0.2, 0.2, 0.2]))
        (f if k < 250 else g).write(f">s{k}\n{half}{''.join(pairs[c] for c in half[::-1])}\n")

# Levels 0 to 3, and spins.
numpy.save("levels.npy", rng.binomial(3, numpy.where(party[:, None], 0.2, 0.8), (400, 10)).astype("uint8"))
numpy.savez("digits.npz", x_train=(votes ^ (rng.random(votes.shape) < 0.05)).astype("uint8"))
numpy.savez("small.npz", x_train=votes[:, :10].astype("uint8"))
