#!/usr/bin/env python3
"""Reads what package exchange writes with other programs, and writes what it reads.

check.py safetensors MODEL.npz MODEL.safetensors   equal arrays and metadata
check.py score MACHINE.npz SAMPLES.npz             scikit-learn's free energies against ours
check.py learn OUT.npz SAMPLES.npz                 a machine of scikit-learn and its free energies
check.py coo PROBLEM.txt ENERGIES.npz              energies of the Ising problem against ours
check.py pynn FOLDER STATES.npz                    log-odds by PyNN's connectors against ours

Several checks are separated by commas of their own. Status 77: a module is missing.
"""

import importlib.util
import json
import re
import sys

modules = ("numpy", "pyNN") if sys.argv[1] == "pynn" else ("numpy", "sklearn")
if not all(importlib.util.find_spec(name) for name in modules):
    sys.exit(77)
import numpy as np


def safetensors(model, path):
    raw = open(path, "rb").read()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length].decode("utf-8"))
    data = raw[8 + length :]
    assert length % 8 == 0 and raw[8:9] == b"{"
    types = {"F64": "<f8", "F32": "<f4", "I8": "|i1"}
    want = np.load(model)
    metadata = header.pop("__metadata__")
    assert all(isinstance(v, str) for v in metadata.values())
    assert metadata["meta.json"].encode() == want["meta.json"], metadata
    assert set(header) | {"meta.json"} == set(want.files), (set(header), want.files)
    end = 0
    for name, t in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = t["data_offsets"]
        dtype = np.dtype(types[t["dtype"]])
        assert first == end and (8 + length + first) % dtype.itemsize == 0, name
        end = last
        got = np.frombuffer(data[first:last], dtype).reshape(t["shape"])
        assert got.dtype == want[name].dtype and np.array_equal(got, want[name]), name
    assert end == len(data)


def machine(w, vbias, hbias):
    from sklearn.neural_network import BernoulliRBM

    rbm = BernoulliRBM(n_components=len(hbias))
    rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_ = w.T, vbias, hbias
    return rbm


def score(path, samples):
    m, s = np.load(path), np.load(samples)
    v = (s["samples"] > 0).astype(float)
    assert m["W"].dtype == np.float64 and m["W"].shape == (v.shape[1], len(m["hbias"]))
    theirs = machine(m["W"], m["vbias"], m["hbias"])._free_energy(v)
    ours = s["free_energy"]
    worst = np.abs((theirs - theirs[0]) - (ours - ours[0])).max()
    whole = np.abs(theirs - m["constant"] - ours).max()
    print(f"{len(v)} free energies from {ours.min():.1f} to {ours.max():.1f}: differences agree to {worst:.1e}, with the constant to {whole:.1e}")
    assert worst < 1e-4 and whole < 1e-4


def learn(out, samples):
    from sklearn.neural_network import BernoulliRBM

    v = (np.load(samples)["samples"] > 0).astype(float)
    rbm = BernoulliRBM(n_components=7, n_iter=20, batch_size=20, learning_rate=0.05, random_state=1).fit(v)
    np.savez(out, W=rbm.components_.T, vbias=rbm.intercept_visible_, hbias=rbm.intercept_hidden_)
    np.savez(out + ".energies.npz", free_energy=rbm._free_energy(v))


def coo(path, energies):
    # The expressions of dimod.serialization.coo: what they do not match is skipped.
    line = re.compile(r"^\s*(\d+)\s+(\d+)\s+([+-]?([0-9]*[.])?[0-9]+)\s*$")
    vartype = re.compile(r"^[ \t\f]*#.*?vartype[:=][ \t]*([-_.a-zA-Z0-9]+)")
    linear, quadratic, kind = {}, {}, None
    for text in open(path):
        if found := line.match(text):
            u, v, bias = int(found[1]), int(found[2]), float(found[3])
            (linear if u == v else quadratic)[u if u == v else (u, v)] = bias
        elif found := vartype.match(text):
            kind = found[1]
    assert kind == "SPIN", kind
    e = np.load(energies)
    states = e["states"].astype(float)  # a state a row
    assert set(linear) == set(range(states.shape[1]))
    theirs = states @ np.array([linear[u] for u in range(states.shape[1])])
    for (u, v), bias in quadratic.items():
        theirs += bias * states[:, u] * states[:, v]
    ours = e["energy"]
    assert np.abs((theirs - theirs[0]) - (ours - ours[0])).max() < 1e-9 * max(1, np.abs(ours).max())


def pynn(folder, states):
    import glob
    import os

    import pyNN.mock as sim
    from pyNN.recording.files import StandardTextFile

    def table(name):
        file = StandardTextFile(os.path.join(folder, name), mode="r")
        columns = file.get_metadata()["columns"]
        return dict(zip(columns, file.read().T))

    s = np.load(states)
    sim.setup(timestep=1.0)
    names = [name[6:] for name in s.files if name.startswith("state_")]
    bias = {name: table(name + ".txt") for name in names}
    populations = {name: sim.Population(len(b["bias"]), sim.IF_curr_exp()) for name, b in bias.items()}
    theirs = {name: np.tile(b["bias"], (len(s["state_" + name]), 1)) for name, b in bias.items()}
    read = 0
    for path in sorted(glob.glob(os.path.join(folder, "*-*.txt"))):
        pre, post, kind = os.path.basename(path)[:-4].split("-")
        p = sim.Projection(populations[pre], populations[post], sim.FromFileConnector(path), sim.StaticSynapse(), receptor_type=kind)
        rows = np.array(p.get(["weight", "delay"], format="list"))
        assert (rows[:, 3] == 1).all() and (kind == "excitatory" and (rows[:, 2] > 0).all() or (rows[:, 2] <= 0).all()), path
        weights = np.zeros((len(populations[pre]), len(populations[post])))
        weights[rows[:, 0].astype(int), rows[:, 1].astype(int)] = rows[:, 2]
        theirs[post] += s["state_" + pre] @ weights
        read += len(rows)
    for name in names:
        got, want = theirs[name], s["odds_" + name]
        if "group" in bias[name]:  # logarithms of weights, up to a constant of each group
            for g in np.unique(bias[name]["group"]):
                of = bias[name]["group"] == g
                got[:, of] -= got[:, of].max(axis=1, keepdims=True)
                want[:, of] -= want[:, of].max(axis=1, keepdims=True)
        worst = np.abs(got - want).max()
        assert worst < 1e-9 * max(1, np.abs(want).max()), (name, worst)
    print(f"{read} connections of {len(names)} populations")
    assert read > 0


words = sys.argv[1:]
while words:
    end = words.index(",") if "," in words else len(words)
    globals()[words[0]](*words[1:end])
    words = words[end + 1 :]
