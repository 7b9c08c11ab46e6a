"""`make trace` counts the functions that an operation passes."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.count_functions import GOALS, Function, Tracer, files_of, measure

pytestmark = pytest.mark.tools

SOURCE = """
import threading

def operation(run):
    return [inner(value) for value in range(3)] and run(Class().method)

def inner(value):
    return value

class Class:
    def method(self):
        return (lambda: all(value for value in [1]))()

def unused():
    pass
"""


@pytest.fixture
def tracer(tmp_path: Path) -> Iterator[Tracer]:
    tracer = Tracer(tmp_path, ("left_out/",))
    yield tracer
    tracer.close()


def module(path: Path) -> ModuleType:
    path.parent.mkdir(exist_ok=True)
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


FUNCTIONS = [
    Function("a.py", "Class.method"),
    Function("a.py", "Class.method.<locals>.<lambda>"),
    Function("a.py", "inner"),
    Function("a.py", "operation"),
]


def test_each_function_counts_once(tmp_path: Path, tracer: Tracer) -> None:
    example = module(tmp_path / "a.py")

    def run(method: Callable[[], object]) -> object:  # a function of another file does not count
        return method()

    with tracer.recording():
        example.operation(run)
    example.unused()
    assert tracer.functions() == FUNCTIONS
    assert files_of(tracer.functions()) == {"a.py"}


def test_other_threads_count(tmp_path: Path, tracer: Tracer) -> None:
    example, go = module(tmp_path / "a.py"), threading.Event()

    def work() -> None:
        go.wait()
        example.inner(1)

    thread = threading.Thread(target=work)
    thread.start()  # before the recording
    with tracer.recording():
        go.set()
        thread.join()
    assert tracer.functions() == [Function("a.py", "inner")]


def test_some_folders_and_the_last_recording_are_left_out(tmp_path: Path, tracer: Tracer) -> None:
    example, other = module(tmp_path / "a.py"), module(tmp_path / "left_out/b.py")
    with tracer.recording():
        example.inner(1)
    with tracer.recording():
        other.inner(1)
    assert tracer.functions() == []


def test_the_operations() -> None:
    for operations in measure().values():
        assert operations.keys() == GOALS.keys()
        assert all(operations.values())
        names = {name for _, name in operations["messages.send"]}
        assert any(name.endswith("ConversationMessages.send") for name in names)
        files = {file for functions in operations.values() for file in files_of(functions)}
        assert not [file for file in files if file.startswith(("sandbox/", "testing/"))]
