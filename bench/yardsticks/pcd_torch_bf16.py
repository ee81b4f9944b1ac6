#!/usr/bin/env python3
"""Persistent contrastive divergence in PyTorch with products in bf16, as far as it can be tuned by hand: a machine of
784 x 500 real weights (or as many hidden units as are named), 500 samples and 500 chains a step, one sweep, plain
gradient.  pcd_torch_bf16.py THREADS [HIDDEN]

Weights and fields that learn are float32. Samples and chains are halves of one matrix of bf16, so that a step is
three products; means stay in float32 until they are multiplied, and everything is written into matrices that stay."""
import sys

import torch

from serve import serve

VISIBLE, BATCH, RATE = 784, 500, 0.01
HIDDEN = int(sys.argv[2]) if len(sys.argv) > 2 else 500
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)

bf16 = torch.bfloat16
data = (torch.rand(60000, VISIBLE) < 0.2).to(torch.uint8)
W = 0.01 * torch.randn(VISIBLE, HIDDEN)
b, c = torch.zeros(VISIBLE), torch.zeros(HIDDEN)
low = torch.empty(VISIBLE, HIDDEN, dtype=bf16)  # W as products take it
V = torch.empty(2 * BATCH, VISIBLE, dtype=bf16)
samples, chains = V[:BATCH], V[BATCH:]
h = (torch.rand(BATCH, HIDDEN) < 0.5).to(bf16)
uniform_v, uniform_h = torch.empty(BATCH, VISIBLE), torch.empty(BATCH, HIDDEN)
means_v, means_h = torch.empty(BATCH, VISIBLE), torch.empty(2 * BATCH, HIDDEN)
fields_v, fields_h = torch.empty(BATCH, VISIBLE, dtype=bf16), torch.empty(2 * BATCH, HIDDEN, dtype=bf16)
A, gradient = torch.empty(2 * BATCH, HIDDEN, dtype=bf16), torch.empty(VISIBLE, HIDDEN, dtype=bf16)
order, place = torch.randperm(len(data)), 0


def batch():
    global order, place
    if place + BATCH > len(data):
        order, place = torch.randperm(len(data)), 0
    place += BATCH
    return data[order[place - BATCH:place]]


def step():
    samples.copy_(batch())
    low.copy_(W)
    torch.mm(h, low.t(), out=fields_v)
    means_v.copy_(fields_v).add_(b).sigmoid_()
    chains.copy_(uniform_v.uniform_() < means_v)
    torch.mm(V, low, out=fields_h)
    means_h.copy_(fields_h).add_(c).sigmoid_()
    h.copy_(uniform_h.uniform_() < means_h[BATCH:])
    means_h[BATCH:].neg_()
    A.copy_(means_h)
    torch.mm(V.t(), A, out=gradient)
    W.add_(gradient, alpha=RATE / BATCH)
    b.add_(samples.sum(0, dtype=torch.float32) - chains.sum(0, dtype=torch.float32), alpha=RATE / BATCH)
    c.add_(means_h.sum(0), alpha=RATE / BATCH)


with torch.no_grad():
    serve(step, torch=torch.__version__)
