#!/usr/bin/env python3
"""Block Gibbs sweeps of 1,000 chains in PyTorch, on a machine of 784 x 500 binary synapses with
fields.  gibbs_torch.py THREADS usual|tuned

usual: as tutorials and packages write it. tuned: everything is written into matrices that stay."""
import sys

import torch

from serve import serve

VISIBLE, HIDDEN, CHAINS, COUPLING = 784, 500, 1000, 0.03
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)

# Units are 0 and 1, which spares a product by 2 and a sum: W = 4 J xi.
W = 4 * COUPLING * (2 * (torch.rand(VISIBLE, HIDDEN) < 0.5).float() - 1)
b, c = torch.randn(VISIBLE) - W.sum(1) / 2, torch.randn(HIDDEN) - W.sum(0) / 2
v, h = torch.empty(CHAINS, VISIBLE), (torch.rand(CHAINS, HIDDEN) < 0.5).float()
uniform_v, uniform_h = torch.empty_like(v), torch.empty_like(h)


def usual():
    global v, h
    v = torch.bernoulli(torch.sigmoid(h @ W.t() + b))
    h = torch.bernoulli(torch.sigmoid(v @ W + c))


def tuned():
    torch.addmm(b, h, W.t(), out=v)
    torch.lt(uniform_v.uniform_(), v.sigmoid_(), out=v)
    torch.addmm(c, v, W, out=h)
    torch.lt(uniform_h.uniform_(), h.sigmoid_(), out=h)


with torch.no_grad():
    serve({"usual": usual, "tuned": tuned}[sys.argv[2]], torch=torch.__version__)
