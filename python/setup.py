"""Builds the wheel: Go makes the library, and the tag says what it runs on.

There is no extension module, so one wheel serves every Python 3. On x86-64 Linux the
library needs no symbol of glibc newer than 2.17 (tests/test_wheel.py reads them), which
is manylinux2014; elsewhere the tag is that of the system that builds.
"""

import os
import pathlib
import platform
import shutil
import subprocess
import sysconfig
import zipfile

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from wheel.bdist_wheel import bdist_wheel

PROJECT = pathlib.Path(__file__).resolve().parent.parent
MANYLINUX = platform.system() == "Linux" and platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"


#: Packages in which little time is spent: their functions stay calls, which takes 0.2 MB from the wheel.
COLD = (
    "archive/zip", "bufio", "bytes", "compress/flate", "compress/gzip", "context", "crypto/...", "encoding/...", "errors", "fmt", "hash/...", "go/...", "internal/fmtsort", "internal/strconv",
    "embed", "internal/bisect", "internal/filepathlite", "internal/godebug", "internal/poll", "internal/syscall/...", "internal/testlog", "path", "unique", "weak", "io", "io/fs", "maps", "net/...", "os", "os/exec", "path/filepath", "reflect", "regexp/...", "slices", "sort", "strconv", "strings", "syscall", "text/tabwriter", "text/template/...", "time",
    "unicode/...", "gonum.org/v1/gonum/...", "golang.org/x/...", "bethe/anatomy", "bethe/causes", "bethe/dataset", "bethe/dual", "bethe/evaluate", "bethe/exchange", "bethe/hyperadam", "bethe/internal/build", "bethe/internal/fixed", "bethe/internal/durable", "bethe/internal/memory",
    "bethe/internal/npy", "bethe/internal/parallel", "internal/reflectlite", "internal/runtime/cgroup", "internal/sync", "math", "math/cmplx", "math/rand/v2", "runtime/debug", "sync", "bethe/learn", "bethe/libbethe", "bethe/rbm", "bethe/runs", "bethe/sample", "bethe/sampler", "bethe/setting", "bethe/spikes", "bethe/thermo", "bethe/units", "bethe/variational",
)


class Build(build_py):
    """Copies the package and builds the library into it."""

    def run(self):
        super().run()
        if not (PROJECT / "libbethe").is_dir():
            raise SystemExit(f"{PROJECT}/libbethe is not there: the wheel is built in the project's folder python/")
        environment, small = dict(os.environ, CGO_ENABLED="1"), []
        if MANYLINUX:
            small = [f"-gcflags={p}=-l" for p in COLD]
            environment["CGO_CFLAGS"] = f"-O2 -include {PROJECT / 'libbethe' / 'glibc.h'}"
            environment["CGO_LDFLAGS"] = "-Wl,--no-as-needed -l:libpthread.so.0 -Wl,--as-needed"
        target = pathlib.Path(self.build_lib).resolve() / "bethe" / "libbethe.so"
        subprocess.run(
            ["go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", *small, "-o", str(target), "./libbethe"],
            cwd=PROJECT, env=environment, check=True,
        )
        target.with_suffix(".h").unlink()  # of the go command: bethe.h is the one that is documented
        target.chmod(0o644)
        for source in PROJECT / "libbethe" / "bethe.h", PROJECT / "LICENSE":
            (target.parent / source.name).write_bytes(source.read_bytes())


class OfPlatform(Distribution):
    """A package that belongs to a platform, as one with an extension module does."""

    def has_ext_modules(self):
        return True


class Wheel(bdist_wheel):
    """No extension module: any Python 3, one platform. Compressed as far as deflate goes."""

    def run(self):
        super().run()
        for _, _, path in self.distribution.dist_files:
            with zipfile.ZipFile(path) as wheel:
                members = [(info, wheel.read(info)) for info in wheel.infolist()]
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
                for info, content in members:
                    wheel.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
            if shutil.which("advzip"):  # of advancecomp: it searches for the smallest deflate, 4 % below zlib's
                subprocess.run(["advzip", "--recompress", "--shrink-insane", "--iter=1", "--quiet", path], check=True)

    def get_tag(self):
        if MANYLINUX:
            return "py3", "none", "manylinux2014_x86_64.manylinux_2_17_x86_64"
        return "py3", "none", sysconfig.get_platform().replace("-", "_").replace(".", "_")


setup(distclass=OfPlatform, cmdclass={"build_py": Build, "bdist_wheel": Wheel})
