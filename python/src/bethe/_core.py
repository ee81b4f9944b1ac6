"""The C interface (libbethe/bethe.h) by ctypes: statuses become exceptions, handles objects.

The library is opened at the first call, not at import, so that workers that are forked
before it open their own. Python pulls: a job goes on in threads of the library, and
Python looks after it 50 times a second, so signals, progress and callbacks are Python's.
"""

import ctypes as ct
import json
import os
import pathlib
import threading
import weakref

import numpy as np

INTERFACE = 1
DONE, RUNNING, INVALID, FAILED, CANCELLED, PANIC = range(6)

#: Seconds between two looks at a job.
LOOK = 0.02

#: What the library's threads are limited by, the first that is set.
THREADS = "BETHE_NUM_THREADS", "OMP_NUM_THREADS"


class BetheError(RuntimeError):
    """Work that failed: learning that diverged, a file that cannot be written."""


class ForkError(RuntimeError):
    """The library was used before this process was forked, and does not survive that."""


class Array(ct.Structure):
    """bethe_array."""

    _fields_ = [("name", ct.c_char * 32), ("type", ct.c_int32), ("dimensions", ct.c_int32), ("shape", ct.c_int64 * 3), ("data", ct.c_void_p)]


class CProgress(ct.Structure):
    """bethe_progress."""

    _fields_ = [
        ("fraction", ct.c_double), ("step", ct.c_int64), ("rate", ct.c_double), ("coupling", ct.c_double),
        ("bound", ct.c_double), ("records", ct.c_int64), ("stage", ct.c_char * 16),
    ]


DTYPES = {1: np.int8, 2: np.uint8, 3: np.float32, 4: np.float64, 5: np.int64}
CODES = {np.dtype(t): k for k, t in DTYPES.items()}

_H, _T, _P, _L, _D = ct.c_size_t, ct.c_char_p, ct.c_void_p, ct.c_int64, ct.c_double

#: Arguments of each function, without the last one, which takes the text of an error.
SIGNATURES = {
    "bethe_recipe": [_T, _P],
    "bethe_close": [_H],
    "bethe_count": [_H, _P],
    "bethe_describe": [_H, _L, _P],
    "bethe_copy": [_H, _L, _P, _L],
    "bethe_samples_new": [_L, _L, _P],
    "bethe_samples_set": [_H, _L, _L, _P],
    "bethe_samples_of": [_T, _P, _P],
    "bethe_machine_new": [_T, _P, _L, _P],
    "bethe_machine_read": [_T, _P],
    "bethe_machine_write": [_H, _T],
    "bethe_machine_meta": [_H, _P],
    "bethe_machine_about": [_H, _P],
    "bethe_zero_one": [_H, _P],
    "bethe_from_zero_one": [_P, _P, _P, _P],
    "bethe_transform": [_H, _P, _L, _D, _P],
    "bethe_free_energy": [_H, _P, _L, _P],
    "bethe_learn": [_H, _T, _P, _H, _H, _P],
    "bethe_features": [_H, _H, _T, _P],
    "bethe_log_weights": [_H, _H, _T, _P],
    "bethe_evaluate": [_H, _H, _H, _T, _P],
    "bethe_sample": [_H, _T, _P],
    "bethe_gibbs": [_H, _H, _T, _P],
    "bethe_complete": [_H, _H, _P, _L, _T, _P],
    "bethe_denoise": [_H, _H, _T, _P],
    "bethe_wait": [_H, _D, _P],
    "bethe_cancel": [_H],
    "bethe_report": [_H, _P],
    "bethe_records": [_H, _L, _P],
    "bethe_learned": [_H, _P],
    "bethe_online_new": [_H, _T, _H, _P],
    "bethe_online_step": [_H, _H, _L, _P],
    "bethe_online_machine": [_H, _P],
}


class _Library:
    """The library once it is open, and the process that opened it."""

    def __init__(self):
        self.path = pathlib.Path(__file__).with_name("libbethe.so")
        self.loaded = None
        self.pid = None
        self.lock = threading.Lock()

    def get(self):
        """Return the open library; raise ForkError in a child of the process that opened it."""
        if self.loaded is None:
            with self.lock:
                if self.loaded is None:
                    self._open()
        if self.pid != os.getpid():
            raise ForkError(
                "bethe was used before this process was forked, and the threads that it computes with do not survive a fork. "
                "Start workers by spawn or forkserver (multiprocessing.get_context('spawn')) or by joblib's loky, "
                "or use bethe in the workers alone"
            )
        return self.loaded

    def _open(self):
        try:
            lib = ct.CDLL(str(self.path))
        except OSError as e:
            raise ImportError(f"{self.path} cannot be loaded ({e}): this wheel is for Linux on x86-64 with glibc 2.17 or later; elsewhere build one, see python/README.md") from e
        for name, arguments in SIGNATURES.items():
            function = getattr(lib, name)
            function.argtypes = [*arguments, _P]
            function.restype = ct.c_int32
        lib.bethe_version.restype = _P
        lib.bethe_free.argtypes, lib.bethe_free.restype = [_P], None
        lib.bethe_threads.argtypes, lib.bethe_threads.restype = [ct.c_int32], ct.c_int32
        version = json.loads(_text(lib, lib.bethe_version()))
        if version["interface"] != INTERFACE:
            raise ImportError(f"{self.path} has interface {version['interface']}, where this package needs {INTERFACE}: install the wheel again")
        for name in THREADS:
            number = os.environ.get(name, "")
            if number.isdigit() and int(number) > 0:
                lib.bethe_threads(int(number))
                break
        self.version, self.pid, self.loaded = version, os.getpid(), lib

    def usable(self):
        """Report whether the library is open and is this process's."""
        return self.loaded is not None and self.pid == os.getpid()


library = _Library()
# A child must not wait for a lock that a thread of its parent held.
os.register_at_fork(after_in_child=lambda: setattr(library, "lock", threading.Lock()))


def _text(lib, pointer):
    """Return a text of the library and free it."""
    try:
        return ct.string_at(pointer).decode()
    finally:
        lib.bethe_free(pointer)


def call(name, *arguments):
    """Call a function; return whether a job has more to do, or raise what its status says."""
    lib = library.get()
    error = ct.c_void_p()
    code = getattr(lib, name)(*arguments, ct.byref(error))
    if code <= RUNNING:
        return code == RUNNING
    message = _text(lib, error.value) if error.value else f"{name}: status {code}"
    raise (ValueError if code == INVALID else BetheError)(message)


def text_of(name, *arguments):
    """Call a function that gives a text."""
    out = ct.c_void_p()
    call(name, *arguments, ct.byref(out))
    return _text(library.get(), out.value)


def pointer(array):
    """Return the address of an array's elements."""
    return ct.c_void_p(array.ctypes.data)


def place(structure):
    """Return the address of a structure of C."""
    return ct.c_void_p(ct.addressof(structure))


class Handle:
    """What a handle stands for; closed when nobody refers to it."""

    def __init__(self, name, *arguments):
        out = ct.c_size_t()
        call(name, *arguments, ct.byref(out))
        self._as_parameter_ = out.value  # functions take the object, which then lives as long as they need it
        self.close = weakref.finalize(self, _close, out.value)

    def arrays(self):
        """Return the arrays of a machine or a job by their names."""
        count = ct.c_int64()
        call("bethe_count", self, ct.byref(count))
        found = {}
        for k in range(count.value):
            a = Array()
            call("bethe_describe", self, k, ct.byref(a))
            x = np.empty(tuple(a.shape[: a.dimensions]), DTYPES[a.type])
            call("bethe_copy", self, k, pointer(x), x.nbytes)
            found[a.name.decode()] = x
        return found


def _close(value):
    if library.usable():
        library.loaded.bethe_close(value, None)


def words(request):
    """Return a request as JSON; numbers of NumPy are numbers."""

    def plain(value):
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise ValueError(f"{value!r} is a {type(value).__name__}: a recipe holds numbers, texts, truths and lists of them")

    return json.dumps(request, default=plain).encode()


def samples(count, visible, blocks):
    """Return the handle of samples that come as blocks of rows of bytes 0 and 1."""
    s = Handle("bethe_samples_new", count, visible)
    first = 0
    for x in blocks:
        call("bethe_samples_set", s, first, len(x), pointer(x))
        first += len(x)
    return s


def numbers(kind, X):
    """Return the handle of samples of real numbers or colours, float32, samples x units."""
    given, kept = given_arrays({"X": X})
    handle = Handle("bethe_samples_of", kind.encode(), place(given[0]))
    del kept  # which the library has copied
    return handle


def given_arrays(arrays):
    """Return named arrays as C has them, and what must live as long as they."""
    given = (Array * len(arrays))()
    kept = []
    for a, (name, x) in zip(given, arrays.items()):
        x = np.asarray(x, order="C")
        if x.ndim > 3 or x.dtype not in CODES:
            raise ValueError(f"{name} has {x.ndim} dimensions of {x.dtype}")
        kept.append(x)
        a.name, a.type, a.dimensions, a.data = name.encode(), CODES[x.dtype], x.ndim, x.ctypes.data
        for k, n in enumerate(x.shape):
            a.shape[k] = n
    return given, kept


def machine(meta, arrays):
    """Return the handle of a machine of arrays, named and ordered as in a model file."""
    given, kept = given_arrays(arrays)
    handle = Handle("bethe_machine_new", meta.encode(), given, len(arrays))
    del kept  # which the library has copied
    return handle


class Job(Handle):
    """Work that goes on by itself."""

    def run(self, watch=None, saves=False):
        """Wait for the end, with a look now and then: watch is called with the progress.

        An exception, also KeyboardInterrupt and those of watch, gives the work up. A job
        that saves what it has done is waited for.
        """
        progress = CProgress()
        try:
            while call("bethe_wait", self, LOOK, ct.byref(progress)):
                if watch is not None:
                    watch(progress)
            if watch is not None:
                watch(progress)
        except BaseException:
            library.get().bethe_cancel(self, None)
            while saves and library.get().bethe_wait(self, LOOK, None, None) == RUNNING:
                pass
            self.close()
            raise
        return self

    def report(self):
        """Return the report of a job that is done."""
        return json.loads(text_of("bethe_report", self))

    def records(self, first=0):
        """Return the records of learning from number first on."""
        return json.loads(text_of("bethe_records", self, first))
