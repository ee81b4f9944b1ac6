"""Docstrings are in numpydoc's form, their examples run, and the reference is what they say."""

import doctest
import importlib.util
import inspect
import pathlib
import warnings

import pytest

import bethe

PYTHON = pathlib.Path(__file__).parent.parent

#: What we do not ask of a docstring: examples and references in each, a summary on a line of its
#: own, a name of one return value left out, a capital at its beginning.
FREE = {"GL01", "EX01", "SA01", "SA04", "ES01", "RT02", "RT04"}


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", PYTHON / "tools" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


def test_page(reference):
    assert (PYTHON / "reference.md").read_text() == reference.page(), "python3 tools/reference.py > reference.md"


def test_numpydoc(reference):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from numpydoc.validate import validate

        names = []
        for name in bethe.__all__:
            thing = getattr(bethe, name)
            names.append(f"bethe.{name}")
            if inspect.isclass(thing):
                names.extend(f"bethe.{name}.{method}" for method, _ in reference.methods(thing))
        assert len(names) > 40
        wrong = [f"{name}: {code} {text}" for name in names for code, text in validate(name)["errors"] if code not in FREE]
    assert not wrong


def test_examples_of_docstrings():
    for module, at_least in ((bethe._estimator, 5), (bethe._causes, 5)):
        failed, tried = doctest.testmod(module)
        assert tried >= at_least and not failed


def test_hints():
    """Whatever is public has types."""
    for name in bethe.__all__:
        thing = getattr(bethe, name)
        if inspect.isfunction(thing):
            assert "return" in thing.__annotations__ and len(thing.__annotations__) == 1 + len(inspect.signature(thing).parameters), name
