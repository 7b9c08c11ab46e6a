"""Which certificates are trusted, for REST and for the socket, when no `ssl_context` is given.

Those that the system trusts, or those that the environment variables SSL_CERT_FILE and
SSL_CERT_DIR name instead. On macOS and Windows OpenSSL does not know the system's store, or knows
a part of it: `truststore` asks the system there. Elsewhere the store is a file that OpenSSL loads
itself, once for all connections, where truststore would load it for each (45 ms).
"""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from poolse._support.lazy import Lazy
from poolse.errors import UsageError

__all__ = ["SHARED", "context_of", "default_context", "of_the_system"]

FILE: Final = "SSL_CERT_FILE"
DIRECTORY: Final = "SSL_CERT_DIR"

PLACES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL 6
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL 7 and later
    "/etc/ssl/cert.pem",  # Alpine, BSD
)
"""Places where a Python that was built elsewhere, such as uv's, does not look."""

HASHED: Final = re.compile(r"[0-9a-f]{8}\.\d+")
"""The names by which OpenSSL finds certificates in a directory."""


@attrs.frozen
class _Loaded:
    variables: tuple[str | None, str | None]
    context: ssl.SSLContext


def context_of(given: ssl.SSLContext | None) -> Callable[[], ssl.SSLContext]:
    """Return the source of a transport's context, on first use: loading the CAs takes 40 ms."""
    return default_context if given is None else lambda: given


def default_context() -> ssl.SSLContext:
    """Return the default context, loaded once.

    Raises:
        UsageError: SSL_CERT_FILE or SSL_CERT_DIR names nothing that can be used.
    """
    return SHARED.get().context


def _load() -> _Loaded:
    file, directory = variables = _variables()
    context = of_the_system(sys.platform) if variables == (None, None) else _of(file, directory)
    return _Loaded(variables, context)


def _variables() -> tuple[str | None, str | None]:
    return os.environ.get(FILE) or None, os.environ.get(DIRECTORY) or None


def _is_outdated(loaded: _Loaded) -> bool:
    return loaded.variables != _variables()


SHARED: Final = Lazy(_load, _is_outdated)


def _of(file: str | None, directory: str | None) -> ssl.SSLContext:
    """Trust in what the environment names, and in nothing else."""
    if directory is not None:
        _check_directory(directory)
    try:
        if file is not None:
            Path(file).open("rb").close()  # OpenSSL's own error would not name the file
        return ssl.create_default_context(cafile=file, capath=directory)
    except ssl.SSLError:
        raise _unusable(FILE, file, "it holds no certificate in PEM format") from None
    except (OSError, ValueError) as error:
        raise _unusable(FILE, file, _reason(error)) from None


def _check_directory(value: str) -> None:
    reason = "it holds no certificate under a hashed name (see `openssl rehash`)"
    for name in value.split(os.pathsep):
        try:
            if any(HASHED.fullmatch(entry.name) for entry in Path(name).iterdir()):
                return
        except (OSError, ValueError) as error:
            reason = _reason(error)
    raise _unusable(DIRECTORY, value, reason)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "it is not a path"


def _unusable(variable: str, value: str | None, reason: str) -> UsageError:
    return UsageError(f"the {variable} environment variable names {value!r}: {reason}")


def of_the_system(platform: str) -> ssl.SSLContext:
    if platform in ("darwin", "win32"):
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    if not _knows_any(context):
        context.load_verify_locations(cafile=_elsewhere())
    return context


def _knows_any(context: ssl.SSLContext) -> bool:
    if context.cert_store_stats()["x509_ca"]:
        return True
    directory = Path(ssl.get_default_verify_paths().capath or "/nowhere")
    return directory.is_dir() and any(HASHED.fullmatch(entry.name) for entry in directory.iterdir())


def _elsewhere() -> str:
    """Return a file of certificates: the system's, or certifi's if there is none."""
    for place in PLACES:
        if Path(place).is_file():
            return place
    import certifi

    return certifi.where()
