"""What one sample costs once a machine is there: python3 bench/first.py, with the wheel installed.

Prints the time of transform, free_energy and complete for machines of every family, least of
many calls. A completion takes its sweeps, so it is there three times: what a call costs
besides them (of 2 and 102 sweeps), a sweep of five chains and a witness, and 500 sweeps, as by default.
"""

import time

import numpy as np

import bethe

N, P = 784, 500


def best(work, most=0.3):
    """Return the least time of a call, in ms; the first one is not counted."""
    work()
    found, end = [], time.perf_counter() + most
    while not found or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return 1e3 * min(found)


def main():
    rng = np.random.default_rng(0)
    bits, colours = (rng.random((600, N)) < 0.2).astype(np.uint8), rng.integers(0, 3, (600, N))
    numbers = rng.normal(size=(600, N)).astype(np.float32)
    few = {"steps": 2, "settle": 0}
    machines = {
        "binary synapses": (bethe.BinarySynapseRBM(P, recipe=few, random_state=1), bits),
        "real synapses": (bethe.RealSynapseRBM(P, recipe={"steps": 2}, random_state=1), bits),
        "deep, 500-500": (bethe.BinarySynapseRBM((P, P), recipe=few, random_state=1), bits),
        "stack, 500-500": (bethe.BinarySynapseRBM((P, P), recipe=few | {"stack": True}, random_state=1), bits),
        "numbers": (bethe.BinarySynapseRBM(P, units="gauss", recipe=few, random_state=1), numbers),
        "numbers, 12 hidden": (bethe.BinarySynapseRBM(12, units="gauss", recipe=few, random_state=1), numbers),
        "three colours": (bethe.BinarySynapseRBM(P, units="potts:3", recipe=few, random_state=1), colours),
        "Gaussian hidden": (bethe.BinarySynapseRBM(P, recipe=few | {"hidden_units": "gauss"}, random_state=1), bits),
        "mixture": (bethe.BinarySynapseMixture(P, recipe={"epochs": 1}, random_state=1), bits),
    }
    names = "transform", "energy", "complete -", "a sweep", "500 sweeps"
    print(f"{'ms, one sample of 784 units, 500 hidden ones':48}", *(f"{name:>10}" for name in names))
    for name, (machine, X) in machines.items():
        try:
            machine.fit(X)
        except Exception as e:
            print(name, "not learned:", e)
            continue
        one = X[:1]
        holes = one.astype(np.float32)
        holes[0, : N // 2] = np.nan
        columns = []
        for work in (
            lambda: machine.transform(one),
            lambda: machine.free_energy(one),
            lambda: machine.complete(holes, n_sweeps=2, random_state=1),
            lambda: machine.complete(holes, n_sweeps=102, random_state=1),
        ):
            try:
                columns.append(best(work))
            except (ValueError, AttributeError, TypeError, bethe.BetheError):  # which the family cannot do
                columns.append(float("nan"))
        few, many = columns[2:]
        sweep = max(0, (many - few) / 100)  # none where all states are summed over
        columns[2:] = few - 2 * sweep, sweep, few + 498 * sweep
        print(f"{name:48}", *(f"{c:10.3f}" if c == c else f"{'':10}" for c in columns), flush=True)


if __name__ == "__main__":
    main()
