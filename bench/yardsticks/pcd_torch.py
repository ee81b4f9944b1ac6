#!/usr/bin/env python3
"""Persistent contrastive divergence in PyTorch: a machine of 784 x 500 real weights, 500 samples and
500 chains a step, one sweep, plain gradient.  pcd_torch.py THREADS usual|tuned [HIDDEN]

usual: as tutorials and packages write it, a line for each formula. tuned: samples and chains are halves
of one matrix, so that a step is three products, hidden fields of both, visible fields of the chains
and the gradient, and everything is written into matrices that stay."""
import sys

import torch

from serve import serve

VISIBLE, BATCH, RATE = 784, 500, 0.01
HIDDEN = int(sys.argv[3]) if len(sys.argv) > 3 else 500
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)

TUNED = {"usual": False, "tuned": True}[sys.argv[2]]
data = (torch.rand(60000, VISIBLE) < 0.2).to(torch.uint8 if TUNED else torch.float32)
W = 0.01 * torch.randn(VISIBLE, HIDDEN)
b, c = torch.zeros(VISIBLE), torch.zeros(HIDDEN)
V, A = torch.empty(2 * BATCH, VISIBLE), torch.empty(2 * BATCH, HIDDEN)
samples, chains, chain_means = V[:BATCH], V[BATCH:], A[BATCH:]
h = (torch.rand(BATCH, HIDDEN) < 0.5).float()
uniform_v, uniform_h = torch.empty(BATCH, VISIBLE), torch.empty(BATCH, HIDDEN)
order, place = torch.randperm(len(data)), 0


def batch():
    global order, place
    if place + BATCH > len(data):
        order, place = torch.randperm(len(data)), 0
    place += BATCH
    return data[order[place - BATCH:place]]


def usual():
    global W, b, c, h
    v_data = batch()
    h_data = torch.sigmoid(v_data @ W + c)
    v_model = torch.bernoulli(torch.sigmoid(h @ W.t() + b))
    h_model = torch.sigmoid(v_model @ W + c)
    h = torch.bernoulli(h_model)
    W += RATE * (v_data.t() @ h_data - v_model.t() @ h_model) / BATCH
    b += RATE * (v_data - v_model).mean(0)
    c += RATE * (h_data - h_model).mean(0)


def tuned():
    samples.copy_(batch())
    torch.addmm(b, h, W.t(), out=chains)
    chains.sigmoid_()
    torch.lt(uniform_v.uniform_(), chains, out=chains)
    torch.addmm(c, V, W, out=A)
    A.sigmoid_()
    torch.lt(uniform_h.uniform_(), chain_means, out=h)
    chain_means.neg_()
    W.addmm_(V.t(), A, alpha=RATE / BATCH)
    b.add_(samples.mean(0) - chains.mean(0), alpha=RATE)
    c.add_(A.sum(0), alpha=RATE / BATCH)


with torch.no_grad():
    serve(tuned if TUNED else usual, torch=torch.__version__)
