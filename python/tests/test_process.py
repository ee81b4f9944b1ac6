"""The library beside Python: signals, forks, workers, threads, memory, panics."""

import ctypes as ct
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import bethe
from bethe import _core


def script(text, **more):
    """Run a program of its own; return what it prints."""
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=120, **more)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_interrupt():
    """Ctrl-C comes through fit as KeyboardInterrupt within 0.1 s: the median of seven."""
    out = script(
        """
        import os, signal, threading, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what runs in the background
        import numpy as np, bethe
        X = (np.random.default_rng(0).random((5000, 784)) < 0.2).astype(np.uint8)
        waits = []
        for k in range(7):
            def later():
                global at
                time.sleep(0.4)
                at = time.perf_counter()
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=later).start()
            try:
                bethe.BinarySynapseRBM(500, n_iter=1000, random_state=1).fit(X)
            except KeyboardInterrupt:
                waits.append(time.perf_counter() - at)
        print(sorted(waits)[3])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        """
    )
    assert float(out) < 0.1


FORKED = """
import os, signal, sys, time
import numpy as np, bethe
X = (np.random.default_rng(0).random((2000, 100)) < 0.3).astype(np.uint8)
rbm = bethe.BinarySynapseRBM(32, n_iter=1, batch_size=200, random_state=1).fit(X)
uses = [lambda: rbm.fit(X), lambda: rbm.transform(X), lambda: rbm.partial_fit(X), lambda: rbm.sample(2), lambda: bethe.recipe(), lambda: bethe.BinarySynapseRBM(2).fit(X)]
told = ended = 0
for k in range(20):
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            uses[k % len(uses)]()
        except bethe.ForkError as e:
            if "spawn" in str(e) and "loky" in str(e) and time.monotonic() < start + 1:
                if k < 6:
                    sys.exit(7)  # by the interpreter's usual end, with all that is closed there
                os._exit(7)
        os._exit(1)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid or time.monotonic() > start + 20:
            break
        time.sleep(0.005)
    if not pid:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        continue
    ended += 1
    told += os.WIFEXITED(status) and os.WEXITSTATUS(status) == 7
print(told, ended)
rbm.transform(X)  # the parent goes on
"""


def test_fork_is_told():
    """A forked child of a process that used bethe gets an error within a second and ends, 20 times of 20."""
    assert script(FORKED).strip() == "20 20"


def test_fork_during_work():
    """So does a child that is forked while another thread learns."""
    out = script(
        """
        import os, threading, time
        import numpy as np, bethe
        X = (np.random.default_rng(0).random((2000, 200)) < 0.3).astype(np.uint8)
        stop = False
        def enough(*_):
            if stop:
                raise StopIteration
        def learn():
            try:
                bethe.BinarySynapseRBM(64, n_iter=10000, callbacks=enough).fit(X)
            except StopIteration:
                pass
        t = threading.Thread(target=learn)
        t.start()
        time.sleep(0.3)
        told = 0
        for _ in range(5):
            child = os.fork()
            if child == 0:
                try:
                    bethe.BinarySynapseRBM(2).fit(X)
                except bethe.ForkError:
                    os._exit(7)
                os._exit(1)
            told += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        stop = True
        t.join()
        print(told)
        """
    )
    assert out.strip() == "5"


def test_fork_before_use():
    """A process that only imported bethe may fork: each child has a library of its own."""
    out = script(
        """
        import multiprocessing
        import numpy as np, bethe
        def work(seed):
            X = (np.random.default_rng(0).random((200, 10)) < 0.3).astype(np.uint8)
            return float(bethe.BinarySynapseRBM(3, n_iter=2, random_state=seed).fit(X).bound_)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(len(set(pool.map(work, [1, 1, 1, 1]))))
        """
    )
    assert out.strip() == "1"


def bound(seed):
    X = (np.random.default_rng(0).random((200, 10)) < 0.3).astype(np.uint8)
    return bethe.BinarySynapseRBM(3, n_iter=2, random_state=seed).fit(X).bound_


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers(method, monkeypatch):
    """Workers of spawn and forkserver work after the parent used bethe, with the same numbers."""
    want = [bound(1), bound(2)]
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(bound, [1, 2]) == want


def test_loky():
    from joblib import Parallel, delayed

    want = [bound(1), bound(2)]
    assert Parallel(n_jobs=2, backend="loky")(delayed(bound)(k) for k in (1, 2)) == want


def test_threads_at_once(bars):
    """Several threads learn at once, and use one machine at once, with the numbers of one thread."""
    rbm = bethe.BinarySynapseRBM(8, n_iter=5, random_state=0).fit(bars)
    want, features = [bound(k) for k in range(4)], rbm.transform(bars)
    found, same = [None] * 4, [None] * 4

    def work(k):
        found[k] = bound(k)
        same[k] = all(np.array_equal(rbm.transform(bars), features) for _ in range(20))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert found == want and all(same)


def test_number_of_threads(bars):
    """Results do not depend on the number of threads, which can be set, also by the environment."""
    before = bethe.set_threads(1)
    one = bound(5)
    assert bethe.set_threads(before) == 1
    assert bound(5) == one
    with pytest.raises(ValueError, match="at least 1"):
        bethe.set_threads(0)
    out = script("import bethe; bethe.build(); print(bethe.set_threads(2))", env=dict(os.environ, OMP_NUM_THREADS="1"))
    assert out.strip() == "1"


def test_other_threads_go_on():
    """While a call computes other Python threads run."""
    ticks, done = 0, False
    rbm = bethe.BinarySynapseRBM(200, recipe={"steps": 3}, random_state=1).fit((np.random.default_rng(0).random((500, 300)) < 0.3).astype(np.uint8))

    def count():
        nonlocal ticks
        while not done:
            ticks += 1
            time.sleep(0.001)

    t = threading.Thread(target=count)
    t.start()
    start = time.monotonic()
    rbm.sample(500, n_sweeps=100, random_state=1)
    passed = time.monotonic() - start
    done = True
    t.join()
    assert ticks > 50 * passed


def test_memory():
    """Memory does not grow over 50 fits, nor threads."""
    out = script(
        """
        import os
        import numpy as np, bethe
        X = (np.random.default_rng(0).random((2000, 200)) < 0.3).astype(np.uint8)
        def now():
            return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1]) / 1024
        sizes = []
        for k in range(50):
            rbm = bethe.BinarySynapseRBM(64, recipe={"steps": 4}, batch_size=200, random_state=k).fit(X)
            rbm.transform(X), rbm.partial_fit(X[:200])
            sizes.append(now())
        print(max(sizes[10:20]), max(sizes[40:]), len(os.listdir("/proc/self/task")))
        """
    )
    early, late, threads = map(float, out.split())
    assert late < early + 20 and threads < 40


def test_panic_is_an_exception(bars):
    """A panic of the library is an error with its message, and the process goes on."""
    rbm = bethe.BinarySynapseRBM(2, n_iter=1, random_state=1).fit(bars)
    samples, out = _core.samples(1, 16, [bars[:1]]), ct.c_size_t()
    with pytest.raises(bethe.BetheError, match="unsafe.Slice.*len out of range"):
        _core.call("bethe_complete", rbm._machine(), samples, _core.pointer(bars), -1, None, ct.byref(out))
    assert rbm.transform(bars).shape == (600, 2)


def test_handles():
    """Handles that stand for nothing, or for something else, are errors."""
    samples = _core.samples(2, 3, [np.zeros((2, 3), np.uint8)])
    with pytest.raises(ValueError, match="not of a job"):
        _core.call("bethe_cancel", samples)
    with pytest.raises(ValueError, match="stands for nothing"):
        _core.call("bethe_cancel", 123456)
    with pytest.raises(ValueError, match="unit 1 of sample 3 is 2"):
        _core.samples(5, 3, [np.array([[0, 0, 0]] * 3 + [[1, 2, 0]] + [[1, 1, 1]], np.uint8)])
    with pytest.raises(ValueError, match="request"):
        _core.text_of("bethe_recipe", b"{} {}")
