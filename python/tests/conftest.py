"""What tests share: data, and the command that the library is held against."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """The command bethe: BETHE_COMMAND, or built here."""
    given = os.environ.get("BETHE_COMMAND")
    if given:
        return given
    path = tmp_path_factory.mktemp("command") / "bethe"
    subprocess.run(["go", "build", "-o", str(path), "./cmd/bethe"], cwd=PROJECT, check=True)
    return str(path)


@pytest.fixture(scope="session")
def bars():
    """Bars and stripes of 4 x 4, 600 samples, as uint8."""
    rng = np.random.default_rng(5)
    rows = np.repeat(rng.random((300, 4)) < 0.5, 4, axis=1)
    columns = np.tile(rng.random((300, 4)) < 0.5, (1, 4))
    return np.concatenate([rows, columns]).astype(np.uint8)
