#!/usr/bin/env python3
"""The algorithm of arXiv 1911.07662 in NumPy, on the planted task: N = 100, P = 2, alpha = 5, beta = 1.
    lab_numpy.py message|apart|together [check]

A step averages the data term over the Gaussian fields by quadrature, passes messages on the
equivalent network in each of 64 Gaussian draws of hidden fields until they settle, and takes a step
of Adam in lambda, clipped at ±0.99999. message: a message after the other, as the equations are
written; draws one after the other. apart: messages of all edges are arrays. together: so are the
draws, as one array with one more axis. "check" learns for 200 steps and
prints the overlaps with the teacher."""
import math
import sys

import numpy as np

from serve import serve

N, P, ALPHA, BETA, STEPS = 100, 2, 5, 1.0, 200
DRAWS, NODES, TOLERANCE, ITERATIONS = 64, 20, 1e-5, 300
RATE, FIRST, SECOND, CLIP = 0.1, 0.9, 0.999, 0.99999
M, J = ALPHA * N, BETA / np.sqrt(N)
rng = np.random.default_rng(1)
X, WEIGHT = np.polynomial.hermite_e.hermegauss(NODES)
WEIGHT /= WEIGHT.sum()


def plant():
    """Draws synapses and samples of that machine, exactly: hidden states by enumeration."""
    xi = rng.choice([-1.0, 1.0], size=(N, P))
    states = 1.0 - 2 * ((np.arange(2**P)[:, None] >> np.arange(P)) & 1)
    fields = J * states @ xi.T
    weight = np.logaddexp(fields, -fields).sum(1)
    weight = np.exp(weight - weight.max())
    chosen = fields[rng.choice(len(states), size=M, p=weight / weight.sum())]
    return xi, np.where(rng.random((M, N)) < 1 / (1 + np.exp(-2 * chosen)), 1.0, -1.0)


def messages(coupling, field):
    """Belief propagation in hidden fields of shape draws x P; returns <s h> and <h> of each draw."""
    t = np.tanh(coupling)
    to_visible = np.zeros((len(field), N, P))
    for _ in range(ITERATIONS):
        m = np.tanh(to_visible.sum(2, keepdims=True) - to_visible)
        to_hidden = np.arctanh(t * m)
        total = field[:, None, :] + to_hidden.sum(1, keepdims=True)
        m_hidden = np.tanh(total - to_hidden)
        new = np.arctanh(t * m_hidden)
        change = np.abs(new - to_visible).max()
        to_visible = new
        if change < TOLERANCE:
            break
    both = m * m_hidden
    return (t + both) / (1 + t * both), np.tanh(total[:, 0, :])


def messages_one_by_one(coupling, field):
    """What messages does for one draw, field of shape P, with a number for each message."""
    t = [[math.tanh(k) for k in row] for row in coupling.tolist()]
    field = field.tolist()
    to_visible = [[0.0] * P for _ in range(N)]
    m = [[0.0] * P for _ in range(N)]
    m_hidden = [[0.0] * P for _ in range(N)]
    to_hidden = [[0.0] * P for _ in range(N)]
    for _ in range(ITERATIONS):
        for i in range(N):
            for mu in range(P):
                m[i][mu] = math.tanh(sum(to_visible[i][nu] for nu in range(P) if nu != mu))
                to_hidden[i][mu] = math.atanh(t[i][mu] * m[i][mu])
        total = [field[mu] + sum(to_hidden[i][mu] for i in range(N)) for mu in range(P)]
        change = 0.0
        for i in range(N):
            for mu in range(P):
                m_hidden[i][mu] = math.tanh(total[mu] - to_hidden[i][mu])
                new = math.atanh(t[i][mu] * m_hidden[i][mu])
                change = max(change, abs(new - to_visible[i][mu]))
                to_visible[i][mu] = new
        if change < TOLERANCE:
            break
    t, both = np.array(t), np.array(m) * np.array(m_hidden)
    return (t + both) / (1 + t * both), np.tanh(total)


def gradient(samples, lam, way):
    field = J * samples @ lam
    deviation = np.sqrt(np.maximum(J * J * (1 - lam**2).sum(0), 1e-12))
    tanh = np.tanh(field[:, :, None] + deviation[None, :, None] * X)
    data = J * samples.T @ (tanh @ WEIGHT) - J * J * lam * ((1 - tanh**2) @ WEIGHT).sum(0)
    z = rng.standard_normal((DRAWS, P))
    if way == "together":
        sh, h = messages(J * lam, deviation * z)
    elif way == "message":
        pairs = [messages_one_by_one(J * lam, deviation * z[k]) for k in range(DRAWS)]
        sh, h = (np.array(x) for x in zip(*pairs))
    else:
        pairs = [messages(J * lam, deviation * z[k:k + 1]) for k in range(DRAWS)]
        sh, h = (np.concatenate(x) for x in zip(*pairs))
    partition = J * sh.mean(0) - J * J * lam * (z * h).mean(0) / deviation
    return data - M * partition - np.arctanh(lam)


class Learner:
    def __init__(self, samples, way):
        self.samples, self.way = samples, way
        self.restart()

    def restart(self):
        self.lam = rng.uniform(-1, 1, (N, P))
        self.first = self.second = 0.0
        self.steps = 0

    def step(self):
        if self.steps == STEPS:
            self.restart()
        self.steps += 1
        g = gradient(self.samples, self.lam, self.way)
        self.first = FIRST * self.first + (1 - FIRST) * g
        self.second = SECOND * self.second + (1 - SECOND) * g * g
        move = self.first / (1 - FIRST**self.steps) / (np.sqrt(self.second / (1 - SECOND**self.steps)) + 1e-8)
        self.lam = np.clip(self.lam + RATE * move, -CLIP, CLIP)


teacher, samples = plant()
learner = Learner(samples, sys.argv[1])
if "check" in sys.argv:
    for _ in range(STEPS):
        learner.step()
    print(np.abs(np.sign(learner.lam).T @ teacher) / N)
else:
    serve(learner.step, numpy=np.__version__)
