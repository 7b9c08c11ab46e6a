"""What `pip install poolse` gives, in environments that know nothing of this tree."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

import poolse
from tests.architecture.tree import ROOT
from tests.package.artefacts import passed
from tests.package.environments import LOCK, Environment, run
from tests.package.pythons import VERSIONS, find_python

pytestmark = pytest.mark.package

HERE = Path(__file__).parent

EXTRAS = ("starlette", "uvicorn", "jsonschema", "pytest", "typer", "rich")

EVERY_NAME = f"""
import importlib.util, poolse
for name in poolse.__all__:
    getattr(poolse, name)
from poolse.testing.factories import make_message
make_message(body="hi")
print([name for name in {EXTRAS!r} if importlib.util.find_spec(name)])
try:
    from poolse.testing import Sandbox
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_it_works_on(version: str, wheel: Path, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    theirs = Environment(tmp_path / "venv", python)
    theirs.install(f"{wheel}[testing,cli]")
    theirs.check()
    printed = theirs.run("-W", "error", HERE / "smoke_test.py")
    assert re.fullmatch(rf"\d+ modules, sync and async, poolse {poolse.version}\n", printed)


def test_pip_installs_the_base_alone(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", folder=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "-c", LOCK, wheel, folder=tmp_path)
    run(python, "-m", "pip", "check", folder=tmp_path)
    present, told = run(python, "-W", "error", "-c", EVERY_NAME, folder=tmp_path).splitlines()
    assert present == "[]"
    assert "pip install 'poolse[sandbox]'" in told
    command = python.with_name("poolse")
    told = run(command, "sandbox", "--port", "0", folder=tmp_path, code=None)
    assert re.search(r"pip install '?poolse\[", told), told
    assert "Traceback" not in told


def test_a_project_of_somebody_else(wheel: Path, tmp_path: Path) -> None:
    theirs = Environment(tmp_path / "venv", sys.executable)
    theirs.install(f"{wheel}[testing]", "pytest-asyncio")
    project = theirs.work / "project"
    shutil.copytree(ROOT / "tests" / "example_project", project)
    assert passed(run(theirs.python, "-m", "pytest", "-W", "error", folder=project)) == 6
    automatic = ("-o", "asyncio_mode=auto", "tests/test_service.py")
    assert passed(run(theirs.python, "-m", "pytest", *automatic, folder=project)) == 2


def test_type_checkers_know_every_public_type(wheel: Path, tmp_path: Path) -> None:
    theirs = Environment(tmp_path / "venv", sys.executable)
    theirs.install(f"{wheel}[testing,cli]")
    pyright = Path(sys.executable).with_name("pyright")
    asked = (pyright, "--verifytypes", "poolse", "--ignoreexternal")
    printed = theirs.in_path(*asked)
    assert "Type completeness score: 100%" in printed, printed
