"""What Python costs: python3 bench/overhead.py, with the wheel installed.

Prints each measurement beside its target. Shares of processor time are medians over
turns of both kinds, so that a busy machine disturbs both alike.
"""

import ctypes as ct
import os
import pickle
import signal
import statistics
import threading
import time

import numpy as np

import bethe
from bethe import _bits, _core


def best(work, times, repeats=7):
    """Return the least time of a call, in seconds."""
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - start) / times)
    return min(found)


def show(what, value, unit, target=None):
    print(f"{what:62} {value:9.3f} {unit:4}", "" if target is None else f"target {target:g}: {'holds' if value <= target else 'MISSED'}", flush=True)


def step(samples, look, steps=40):
    """Return the processor seconds of a step, looked at every so many seconds."""
    request = {"recipe": {"hidden": 500, "steps": steps}, "seed": 1}
    progress = _core.CProgress()
    job = _core.Job("bethe_learn", samples, _core.words(request), None, 0, 0)
    first = None
    while True:
        running = _core.call("bethe_wait", job, look if first else 0.001, ct.byref(progress))
        if first is None and progress.step >= 1:
            first = progress.step, time.process_time()
        if not running or first and progress.step >= steps:
            job.close()
            return (time.process_time() - first[1]) / (progress.step - first[0])


def main():
    rng = np.random.default_rng(0)
    X = (rng.random((60000, 784)) < 0.2).astype(np.uint8)
    samples = _bits.packed(X, 0.5)

    # Learning takes the same work in slices of 20 ms and in one: what differs is Python.
    sliced, whole = [], []
    for _ in range(5):
        sliced.append(step(samples, _core.LOOK))
        whole.append(step(samples, 0.4))
    show("step of 784 x 500, looked at 50 times a second", 1e3 * statistics.median(sliced), "ms")
    show("step of 784 x 500, hardly looked at", 1e3 * statistics.median(whole), "ms")
    show("overhead of looking, by these", 100 * (statistics.median(s / w for s, w in zip(sliced, whole)) - 1), "%", 2)
    progress = _core.CProgress()
    job = _core.Job("bethe_learn", samples, _core.words({"recipe": {"hidden": 500, "steps": 10**6}, "seed": 1}), None, 0, 0)
    look = best(lambda: _core.call("bethe_wait", job, 0.0, ct.byref(progress)), 200)
    job.close()
    show("one look while it learns", 1e6 * look, "us")
    show("looks, as a share of the time", 100 * look / _core.LOOK, "%", 2)

    show("empty call", 1e6 * best(lambda: _core.library.get().bethe_threads(0), 20000), "us")
    into = _core.samples(60000, 784, [])
    show("packing 60,000 x 784 uint8", 1e3 * best(lambda: _core.call("bethe_samples_set", into, 0, 60000, _core.pointer(X)), 1), "ms", 50)
    show("the same with scikit-learn's validation", 1e3 * best(lambda: _bits.packed(bethe.BinarySynapseRBM()._validated(X, reset=True), 0.5), 1), "ms")
    F = X.astype(np.float32)
    show("float32 to bits, with validation", 1e3 * best(lambda: _bits.packed(bethe.BinarySynapseRBM()._validated(F, reset=True), 0.5), 1), "ms")
    del F

    rbm = bethe.BinarySynapseRBM(500, recipe={"steps": 20}, random_state=1).fit(X[:5000])
    for count, target in ((1, 1), (100, None), (1000, None)):
        show(f"transform of {count}", 1e3 * best(lambda: rbm.transform(X[:count]), 5), "ms", target)
    show("free energy of 1,000", 1e3 * best(lambda: rbm.free_energy(X[:1000]), 2), "ms")
    show("pickle", len(pickle.dumps(rbm)) / 1e6, "MB")

    waits = []
    for _ in range(11):
        sent = []

        def later():
            time.sleep(0.5)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=later).start()
        try:
            bethe.BinarySynapseRBM(500, n_iter=1000, random_state=1).fit(X)
        except KeyboardInterrupt:
            waits.append(time.perf_counter() - sent[0])
    show("KeyboardInterrupt after Ctrl-C, median of 11", 1e3 * statistics.median(waits), "ms", 100)
    show("KeyboardInterrupt after Ctrl-C, longest of 11", 1e3 * max(waits), "ms", 100)

    def resident():
        return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) / 1024

    sizes = []
    for k in range(50):
        bethe.BinarySynapseRBM(100, recipe={"steps": 3}, random_state=k).fit(X[:10000])
        sizes.append(resident())
    show("memory after 50 fits, less that after 10", sizes[-1] - sizes[9], "MB", 30)


if __name__ == "__main__":
    main()
