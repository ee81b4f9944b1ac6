#!/usr/bin/env python3
"""Persistent contrastive divergence and Gibbs sweeps in PyTorch on an NVIDIA card, or on the processor.
gpu_torch.py cuda|cpu

Prints what there is, then reads jobs, a JSON object a line, and answers each with a line:
{"work": "step" or "sweep", "hidden": 500, "count": 500, "precision": "float32", "tf32" or "bf16",
 "how": "eager" or "compiled", "rounds": 5, "turn": 0.2} gives {"seconds": {"eager": [a round, ...]}}; compiled
gives seconds of the compiled function and, as "graph", of the same captured in a CUDA graph.
What cannot be done gives {"error": "why"}.

All is written with the fewest products and into matrices that stay: samples and chains are halves of one
matrix, so a step is three products, and data, order and random numbers are on the card. In bf16 the weights
that learn are float32, and products read a copy."""
import json
import os
import sys
import time

import torch

VISIBLE, COUPLING, RATE, SAMPLES = 784, 0.03, 0.01, 60000
DEVICE = sys.argv[1]


class Step:
    """One step of learning real weights: a batch, one sweep of as many chains, plain gradient."""

    def __init__(self, hidden, count, dtype):
        d = {"device": DEVICE, "dtype": dtype}
        self.count = count
        self.data = (torch.rand(SAMPLES, VISIBLE, device=DEVICE) < 0.2).to(torch.uint8)
        self.order = torch.randperm(SAMPLES, device=DEVICE)
        self.place = torch.arange(count, device=DEVICE)
        self.W = 0.01 * torch.randn(VISIBLE, hidden, device=DEVICE)
        self.b, self.c = torch.zeros(VISIBLE, device=DEVICE), torch.zeros(hidden, device=DEVICE)
        self.V = torch.empty(2 * count, VISIBLE, **d)
        self.h = (torch.rand(count, hidden, device=DEVICE) < 0.5).to(dtype)

    def __call__(self):
        n, dtype = self.count, self.V.dtype
        self.place.add_(n).remainder_(SAMPLES)
        self.V[:n] = self.data[self.order[self.place]].to(dtype)
        W = self.W.to(dtype)
        means = torch.sigmoid(torch.addmm(self.b.to(dtype), self.h, W.t()))
        self.V[n:] = (torch.rand_like(means) < means).to(dtype)
        A = torch.sigmoid(torch.addmm(self.c.to(dtype), self.V, W))
        chains = A[n:]
        self.h.copy_((torch.rand_like(chains) < chains).to(dtype))
        A = torch.cat((A[:n], -chains))
        self.W.add_((self.V.t() @ A).float(), alpha=RATE / n)
        self.b.add_((self.V[:n].float().sum(0) - self.V[n:].float().sum(0)), alpha=RATE / n)
        self.c.add_(A.float().sum(0), alpha=RATE / n)

    def result(self):
        return self.W


class Sweep:
    """One block Gibbs sweep of chains of a machine with binary synapses and fields; units are 0 and 1."""

    def __init__(self, hidden, count, dtype):
        W = 4 * COUPLING * (2 * (torch.rand(VISIBLE, hidden, device=DEVICE) < 0.5).float() - 1)
        self.b = (torch.randn(VISIBLE, device=DEVICE) - W.sum(1) / 2).to(dtype)
        self.c = (torch.randn(hidden, device=DEVICE) - W.sum(0) / 2).to(dtype)
        self.W = W.to(dtype)
        self.v = torch.zeros(count, VISIBLE, device=DEVICE, dtype=dtype)
        self.h = (torch.rand(count, hidden, device=DEVICE) < 0.5).to(dtype)

    def __call__(self):
        v = torch.sigmoid(torch.addmm(self.b, self.h, self.W.t()))
        self.v.copy_((torch.rand_like(v) < v).to(v.dtype))
        h = torch.sigmoid(torch.addmm(self.c, self.v, self.W))
        self.h.copy_((torch.rand_like(h) < h).to(h.dtype))

    def result(self):
        return self.h


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def clock(call, count):
    wait()
    start = time.perf_counter()
    for _ in range(count):
        call()
    wait()
    return (time.perf_counter() - start) / count


def rounds(call, job):
    """Seconds a call in each round, after calls that do not count."""
    clock(call, 3)
    count = max(1, int(job["turn"] / max(clock(call, 3), 1e-6)))
    return [clock(call, count) for _ in range(job["rounds"])]


def captured(call):
    """call in a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def do(job):
    if job["precision"] == "tf32" and DEVICE != "cuda":
        return {"error": "TF32 is a format of the card"}
    torch.set_float32_matmul_precision("high" if job["precision"] == "tf32" else "highest")
    torch.manual_seed(1)
    dtype = torch.bfloat16 if job["precision"] == "bf16" else torch.float32
    work = {"step": Step, "sweep": Sweep}[job["work"]](job["hidden"], job["count"], dtype)
    seconds, error = {}, None
    if job["how"] == "eager":
        seconds["eager"] = rounds(work, job)
    else:
        if not hasattr(torch, "compile"):
            return {"error": f"PyTorch {torch.__version__} has no torch.compile"}
        compiled = torch.compile(work.__call__, dynamic=False)
        seconds["compiled"] = rounds(compiled, job)
        if DEVICE == "cuda":
            try:
                seconds["graph"] = rounds(captured(compiled), job)
            except RuntimeError as e:
                error = "as a CUDA graph: " + str(e).splitlines()[0]
    result = work.result().float()
    if not torch.isfinite(result).all() or result.std() == 0:
        return {"error": "the result is not finite or all alike"}
    answer = {"seconds": seconds}
    if error:
        answer["error"] = error
    return answer


def main():
    if DEVICE == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no NVIDIA card")
    there = {"torch": torch.__version__, "python": sys.version.split()[0]}
    if DEVICE == "cuda":
        there["card"] = torch.cuda.get_device_name()
        there["cuda"] = str(torch.version.cuda)
    else:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        there["threads"] = str(torch.get_num_threads())
    print(json.dumps(there), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            with torch.no_grad():
                answer = do(job)
        except Exception as e:  # the next job may do
            answer = {"error": f"{type(e).__name__}: {(str(e).splitlines() or [''])[0]}"}
        if hasattr(torch, "_dynamo"):
            torch._dynamo.reset()
        if DEVICE == "cuda":
            torch.cuda.empty_cache()
        print(json.dumps(answer), flush=True)


main()
