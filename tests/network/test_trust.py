"""When the certificates are loaded: once, and again when the environment names others."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolse import UsageError
from poolse._network.trust import context_of, default_context


def test_they_are_loaded_once_until_the_environment_names_others(
    ca_file: Path, ca_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts = [default_context()]
    for name, path in (("SSL_CERT_FILE", ca_file), ("SSL_CERT_DIR", ca_directory)):
        monkeypatch.setenv(name, str(path))
        contexts.append(default_context())
        assert context_of(None)() is contexts[-1]
    assert len({id(context) for context in contexts}) == 3


def test_a_mistake_is_not_remembered(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file) + ".gone")
    for _ in range(2):
        with pytest.raises(UsageError, match="SSL_CERT_FILE"):
            default_context()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    assert default_context().get_ca_certs()
