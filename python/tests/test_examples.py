"""The examples run as scripts, and render as notebooks that have the same code."""

import pathlib
import subprocess
import sys

import pytest

PYTHON = pathlib.Path(__file__).parent.parent
EXAMPLES = sorted((PYTHON / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_runs(path, tmp_path):
    run = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, env={"MPLBACKEND": "Agg", "PATH": "/usr/bin:/bin"})
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Warning" not in run.stderr, run.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_renders(path, tmp_path):
    import nbformat

    subprocess.run([sys.executable, str(PYTHON / "tools" / "notebook.py"), str(path), str(tmp_path / "out.ipynb")], check=True)
    book = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(book)
    code = "\n".join(c.source for c in book.cells if c.cell_type == "code")
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("# ") and line != "#"]
    assert [line for line in code.splitlines() if line] == lines
    assert book.cells[0].cell_type == "markdown" and book.cells[0].source.startswith("# ")
    compile(code, str(path), "exec")


def test_there_are_two():
    assert len(EXAMPLES) == 2
