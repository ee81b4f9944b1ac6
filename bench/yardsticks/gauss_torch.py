#!/usr/bin/env python3
"""Persistent contrastive divergence of a Gaussian-Bernoulli machine in PyTorch, as tutorials and packages
write it, a line for each formula: 784 visible units of deviation 1 x 500 hidden units of 0 and 1, real weights, 500
samples and 500 chains a step, one sweep, plain gradient.  gauss_torch.py THREADS"""
import sys

import torch

from serve import serve

VISIBLE, HIDDEN, BATCH, RATE = 784, 500, 500, 0.001
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)

data = torch.randn(10000, VISIBLE)
W = 0.01 * torch.randn(VISIBLE, HIDDEN)
b, c = torch.zeros(VISIBLE), torch.zeros(HIDDEN)
h = (torch.rand(BATCH, HIDDEN) < 0.5).float()
order, place = torch.randperm(len(data)), 0


def batch():
    global order, place
    if place + BATCH > len(data):
        order, place = torch.randperm(len(data)), 0
    place += BATCH
    return data[order[place - BATCH:place]]


def step():
    global W, b, c, h
    v_data = batch()
    h_data = torch.sigmoid(v_data @ W + c)
    mean = h @ W.t() + b
    v_model = mean + torch.randn_like(mean)
    h_model = torch.sigmoid(v_model @ W + c)
    h = torch.bernoulli(h_model)
    W += RATE * (v_data.t() @ h_data - v_model.t() @ h_model) / BATCH
    b += RATE * (v_data - v_model).mean(0)
    c += RATE * (h_data - h_model).mean(0)


with torch.no_grad():
    serve(step, torch=torch.__version__)
