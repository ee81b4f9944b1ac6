#!/usr/bin/env python3
"""Writes the files the tests of package npy read, with numpy.

Run it in this folder: python3 generate.py. The files are the same on every run.
"""

import numpy as np

k = np.arange(6)
arrays = dict(
    i1=(k * 50 - 128).astype("<i1").reshape(2, 3),
    u4=(k + 2**32 - 6).astype("<u4").reshape(3, 2),
    i8=k.astype("<i8") + np.int64(-(2**63)),
    u8=(k.astype("<u8") + np.uint64(2**64 - 6)).reshape(1, 2, 3),
    f4=(k / 3).astype("<f4"),
    f8=(k / 3).reshape(6, 1),
    scalar=np.float64(1 / 3),
    empty=np.zeros((0, 4)),
    large=np.arange(70000, dtype="<f8") % 7,  # more than one block of a read
)
np.savez("types.npz", **{n: a for n, a in arrays.items() if n != "large"})
np.savez_compressed("compressed.npz", **arrays)

np.savez_compressed("big.npz", big=arrays["f8"].astype(">f8"))
np.savez("fortran.npz", f8=arrays["f8"].reshape(2, 3).T, i1=arrays["i1"].T)

for name, array in dict(
    fortran=np.asfortranarray(arrays["f8"].reshape(1, 2, 3)),
    bool=k > 2,
    f2=arrays["f4"].astype("<f2"),
    complex=arrays["f8"] + 1j,
    text=np.array(["a", "bc"]),
    record=np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]),
).items():
    np.savez_compressed("not-" + name + ".npz", **{name: array})

for version in (1, 2, 3):
    with open(f"v{version}.npy", "wb") as f:
        np.lib.format.write_array(f, arrays["f8"], version=(version, 0))
