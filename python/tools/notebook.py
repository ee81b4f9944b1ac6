"""Renders an example as a notebook: python3 tools/notebook.py examples/digits.py digits.ipynb

Examples are scripts whose cells begin with "# %%", markdown with "# %% [markdown]", which
editors know as well. The notebook has no outputs: they come when it is run.
"""

import pathlib
import re
import sys

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def cells(text):
    """Yield the cells of a script."""
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        body = body.strip("\n")
        if head.strip() == "[markdown]":
            yield new_markdown_cell(re.sub(r"^# ?", "", body, flags=re.M))
        else:
            yield new_code_cell(body)


def render(text):
    """Return the notebook of a script."""
    book = new_notebook(cells=list(cells(text)), metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    for k, cell in enumerate(book.cells):
        cell.id = f"cell-{k}"  # the same notebook each time
    nbformat.validate(book)
    return book


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    nbformat.write(render(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2])
