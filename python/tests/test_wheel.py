"""The wheel: what it is tagged for, what its library needs, and its C header."""

import pathlib
import re
import subprocess
import sys
import sysconfig

import numpy as np
import pytest

import bethe
from bethe import _core

FOLDER = pathlib.Path(bethe.__file__).parent


def test_symbols_are_old():
    """The library needs no symbol of glibc newer than 2.17, and no library beside it."""
    out = subprocess.run(["objdump", "-T", str(_core.library.path)], check=True, capture_output=True, text=True).stdout
    needed = {tuple(map(int, v.split("."))) for v in re.findall(r"\(?GLIBC_([0-9.]+)\)?", out)}
    assert needed and max(needed) <= (2, 17), max(needed)
    out = subprocess.run(["objdump", "-p", str(_core.library.path)], check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"NEEDED +(\S+)", out)) <= {"libc.so.6", "libpthread.so.0"}


def test_tag_and_size():
    """The wheel is for any Python 3 on manylinux2014, and has at most 3 MB."""
    info = next(FOLDER.parent.glob("bethe-*.dist-info"))
    assert "Tag: py3-none-manylinux2014_x86_64" in (info / "WHEEL").read_text().splitlines()
    assert "Redistribution" in (FOLDER / "LICENSE").read_text()
    wheels = list((pathlib.Path(__file__).parent.parent / "dist").glob("*.whl"))
    assert all(w.stat().st_size <= 3_000_000 for w in wheels)


def test_header_is_the_interface():
    """Each function that Python declares stands in the header with as many arguments, and each in the header is exported."""
    text = re.sub(r"/\*.*?\*/", "", (FOLDER / "bethe.h").read_text(), flags=re.S)
    declared = {name: len(arguments.split(",")) for name, arguments in re.findall(r"\b(bethe_\w+)\(([^)]*)\);", text)}
    for name, arguments in _core.SIGNATURES.items():
        assert declared[name] == len(arguments) + 1, name
    assert set(declared) == set(_core.SIGNATURES) | {"bethe_version", "bethe_free", "bethe_threads"}
    assert f"#define BETHE_INTERFACE {_core.INTERFACE}\n" in (FOLDER / "bethe.h").read_text()


PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "bethe.h"

static int fail(int32_t code, char *error) {
  fprintf(stderr, "%d: %s\n", code, error ? error : "");
  bethe_free(error);
  return 1;
}

int main(void) {
  char *error = NULL;
  uint8_t x[40 * 6];
  for (int k = 0; k < 240; k++) x[k] = (k / 6) % 2 ? k % 6 < 3 : k % 6 >= 3;
  bethe_handle samples, job, machine;
  int32_t code;
  if ((code = bethe_samples_new(40, 6, &samples, &error))) return fail(code, error);
  if ((code = bethe_samples_set(samples, 0, 40, x, &error))) return fail(code, error);
  if ((code = bethe_learn(samples, "{\"recipe\": {\"hidden\": 2, \"steps\": 200, \"batch\": 10}, \"seed\": 7}", NULL, 0, 0, &job, &error))) return fail(code, error);
  bethe_progress at;
  while ((code = bethe_wait(job, 0.05, &at, &error)) == BETHE_RUNNING) ;
  if (code) return fail(code, error);
  if ((code = bethe_learned(job, &machine, &error))) return fail(code, error);
  int64_t count;
  if ((code = bethe_count(machine, &count, &error))) return fail(code, error);
  for (int64_t k = 0; k < count; k++) {
    bethe_array a;
    if ((code = bethe_describe(machine, k, &a, &error))) return fail(code, error);
    printf("%s %d\n", a.name, a.dimensions);
    if (!strcmp(a.name, "posterior_mean")) {
      float mean[12];
      if ((code = bethe_copy(machine, k, mean, sizeof mean, &error))) return fail(code, error);
      for (int j = 0; j < 12; j++) printf("%.9g\n", mean[j]);
    }
  }
  x[5] = 2;
  double energy;
  if (bethe_free_energy(machine, x, 1, &energy, &error) != BETHE_INVALID) return 2;
  bethe_free(error); error = NULL;
  if (bethe_close(job, &error) || bethe_close(machine, &error) || bethe_close(samples, &error)) return 3;
  if (bethe_close(samples, NULL) != BETHE_INVALID) return 4;
  return 0;
}
"""


def test_c(tmp_path):
    """A program in C learns the machine that Python learns; the header is clean C and C++."""
    (tmp_path / "main.c").write_text(PROGRAM)
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{FOLDER}"]
    subprocess.run(["gcc", "-std=c99", *flags, str(tmp_path / "main.c"), str(_core.library.path), f"-Wl,-rpath,{FOLDER}", "-o", str(tmp_path / "main")], check=True)
    out = subprocess.run([str(tmp_path / "main")], check=True, capture_output=True, text=True).stdout.split("\n")
    X = np.array([[i < 3 if a % 2 else i >= 3 for i in range(6)] for a in range(40)])
    rbm = bethe.BinarySynapseRBM(2, recipe={"steps": 200}, batch_size=10, random_state=7).fit(X)
    at = out.index("posterior_mean 2") + 1
    assert np.array_equal(np.array(out[at : at + 12], np.float32).reshape(6, 2), rbm.posterior_mean_)
    assert out[0] == "synapses 2" and "coupling 0" in out


def test_no_extension_module():
    """The library is no extension module: one wheel serves every Python 3."""
    assert not (FOLDER / ("libbethe" + sysconfig.get_config_var("EXT_SUFFIX"))).exists()
    out = subprocess.run(["objdump", "-T", str(_core.library.path)], check=True, capture_output=True, text=True).stdout
    assert " Py" not in out and "PyInit" not in out


@pytest.mark.parametrize("broken", ["missing", "other interface"])
def test_a_library_that_does_not_fit(tmp_path, broken):
    """A library that cannot be loaded, or is of another interface, is an ImportError that says what to do."""
    body = f"""
import pathlib, bethe
from bethe import _core
if {broken!r} == "missing":
    _core.library.path = pathlib.Path({str(tmp_path)!r}) / "libbethe.so"
else:
    _core.INTERFACE = 99
try:
    bethe.build()
except ImportError as e:
    print(e)
"""
    out = subprocess.run([sys.executable, "-c", body], check=True, capture_output=True, text=True).stdout
    assert ("README" in out and "glibc 2.17" in out) if broken == "missing" else "install the wheel again" in out
