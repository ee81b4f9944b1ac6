#!/usr/bin/env python3
"""Writes the files the tests of package dataset read, with numpy.

Run it in this folder: python3 generate.py. The files are the same on every
run. All hold the same 5 samples of 3 x 4 spins, and labels 7 0 3 3 9.
"""

import gzip
import io
import zipfile

import numpy as np

M, H, W = 5, 3, 4
a, i = np.ogrid[:M, : H * W]
bits = (7 * a + 5 * i + a * i) % 3 == 0
signs = np.where(bits, 1, -1)
grey = np.where(bits, 128 + (13 * a + i) % 100, (11 * a + 3 * i) % 128)
labels = np.array([7, 0, 3, 3, 9])


def npy(name, array, version=None):
    with open(name + ".npy", "wb") as f:
        np.lib.format.write_array(f, np.asanyarray(array), version=version)


def idx(code, dtype, array):
    """IDX as described beside the MNIST database."""
    head = bytes([0, 0, code, array.ndim])
    head += b"".join(int(d).to_bytes(4, "big") for d in array.shape)
    return head + array.astype(dtype).tobytes()


def write(name, content):
    with open(name, "wb") as f:
        f.write(content)


def npz(name, method, **arrays):
    """numpy.savez with a fixed time, so that the bytes are the same every time."""
    with zipfile.ZipFile(name + ".npz", "w", method) as z:
        for key, array in arrays.items():
            b = io.BytesIO()
            np.lib.format.write_array(b, np.asanyarray(array))
            z.writestr(zipfile.ZipInfo(key + ".npy"), b.getvalue(), method)


npy("bool", bits)
for t in "u1 u2 u4 u8".split():
    npy(t, bits.astype("<" + t))
for t in "i1 i2 i4 i8 f2 f4 f8".split():
    npy(t, signs.astype("<" + t))
for t in "u2 u4 u8".split():
    npy("big-" + t, bits.astype(">" + t))
for t in "i2 i4 i8 f2 f4 f8".split():
    npy("big-" + t, signs.astype(">" + t))
npy("pictures", signs.reshape(M, H, W).astype("i1"))
npy("fortran", np.asfortranarray(signs.astype("<i2")))
npy("fortran-pictures", np.asfortranarray(bits.reshape(M, H, W)))
npy("version2", bits, (2, 0))
npy("version3", bits, (3, 0))
npy("grey", grey.reshape(M, H, W).astype("u1"))
npy("grey-f8", grey / 255.0)
npy("labels", labels)
npy("labels-float", labels.astype("f4"))
npy("records", np.zeros(3, dtype=[("x", "f4"), ("y", "i4")]))
npy("complex", signs.astype("c16"))

codes = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
for code, t in codes.items():
    write(f"{t[1:]}.idx", idx(code, t, bits if t == ">u1" else signs))
write("pictures.idx.gz", gzip.compress(idx(8, "u1", grey.reshape(M, H, W)), mtime=0))
write("labels.idx", idx(8, "u1", labels))

npz("stored", zipfile.ZIP_STORED, data=bits)
npz("split", zipfile.ZIP_DEFLATED, x_train=bits.reshape(M, H, W), y_train=labels, x_test=bits[:2].reshape(2, H, W), y_test=labels[:2])
npz("labelled", zipfile.ZIP_DEFLATED, pixels=signs.astype("f4"), labels=labels, names=np.array(["a", "b"]))
npz("ambiguous", zipfile.ZIP_STORED, left=bits, right=bits)

header = ",".join(f"s{k}" for k in range(H * W))
rows = bits.astype(int)
labelled = np.c_[rows, labels]
np.savetxt("plain.csv", rows, fmt="%d", delimiter=",")
np.savetxt("header.csv", signs, fmt="%d", delimiter=",", header=header, comments="")
np.savetxt("labelled.csv", labelled, fmt="%d", delimiter=",", header=header + ",digit", comments="")
np.savetxt("labelled-tabs.tsv", labelled, fmt="%d", delimiter="\t")
np.savetxt("semicolons.csv", grey, fmt="%.1f", delimiter=";")
np.savetxt("default.txt", signs)
np.savetxt("labels.txt", labels, fmt="%d")
write("plain.csv.gz", gzip.compress(open("plain.csv", "rb").read(), mtime=0))
