"""The artefacts, built once for each run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.artefacts import build


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install poolse` gets."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources that are published beside it."""
    return build("sdist", tmp_path_factory.mktemp("sdist"))
