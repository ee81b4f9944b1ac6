"""Writes the reference of the package from its docstrings: python3 tools/reference.py > reference.md

With bethe installed. tests/test_reference.py holds that reference.md is what this writes.
"""

import inspect
import textwrap
import warnings

from numpydoc.docscrape import FunctionDoc, NumpyDocString

import bethe

HEAD = """# Reference of bethe for Python

Written by `tools/reference.py` from the docstrings: change those.
"""

#: Sections of a docstring that list names, and those that are text.
LISTS = "Parameters", "Attributes", "Returns", "Raises"


def joined(lines):
    """Return lines of reStructuredText as a line of Markdown."""
    return " ".join(textwrap.dedent("\n".join(lines)).split()).replace("``", "`")


def listed(title, entries):
    """Yield a section that lists names with their types."""
    if not entries:
        return
    yield f"\n*{title}*\n\n"
    for entry in entries:
        name = f"`{entry.name}`" if entry.name else ""
        kind = f"({entry.type})" if entry.name and entry.type else f"`{entry.type}`" if entry.type else ""
        yield f"- {' '.join(part for part in (name, kind) if part)}: {joined(entry.desc)}\n"


def body(doc):
    """Yield the Markdown of a docstring."""
    yield joined(doc["Summary"]) + "\n"
    if doc["Extended Summary"]:
        yield "\n" + "\n".join(doc["Extended Summary"]).strip("\n").replace("``", "`") + "\n"
    for title in LISTS:
        yield from listed(title, doc[title])
    if doc["Examples"]:
        yield "\n```python\n" + "\n".join(doc["Examples"]).strip("\n") + "\n```\n"


def signature(function, name, method=False):
    """Return a call as it is written, without self and annotations."""
    parameters = list(inspect.signature(function).parameters.values())
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    bare = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])
    return f"{name}{bare}"


def methods(kind):
    """Yield the public methods that this package gives a class."""
    for name, member in inspect.getmembers(kind):
        function = inspect.unwrap(getattr(member, "__func__", member))
        if not name.startswith("_") and inspect.isfunction(function) and function.__module__.startswith("bethe."):
            yield name, function


def page():
    """Return the page."""
    out = [HEAD]
    done = {}
    for name in sorted(bethe.__all__, key=str.lower):
        thing = getattr(bethe, name)
        is_class = inspect.isclass(thing)
        out.append(f"\n## {signature(thing, name) if not is_class or not issubclass(thing, Exception) else name}\n\n")
        out.extend(body(NumpyDocString(inspect.getdoc(thing)) if is_class else FunctionDoc(thing)))
        if not is_class:
            continue
        others = {}
        for method, function in methods(thing):
            if function in done:
                others.setdefault(done[function], []).append(f"`{method}`")
                continue
            done[function] = name
            out.append(f"\n### {signature(function, f'{name}.{method}')}\n\n")
            out.extend(body(FunctionDoc(function)))
        for other, names in others.items():
            out.append(f"\n{', '.join(names)}: as of `{other}`.\n")
    return "".join(out)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(page(), end="")
