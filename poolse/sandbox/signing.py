"""Signed URLs of the storage: who has one may do one thing with one file, for a while."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

__all__ = ["Grant", "signature", "signed_url"]


class Grant(NamedTuple):
    """What a signed URL allows. All of it is signed, so nothing of it can be changed."""

    method: str
    path: str
    expires: str
    """Unix time in whole seconds."""
    content_type: str = ""
    byte_size: str = ""


def signature(grant: Grant, key: str) -> str:
    """The signature of a grant, in hexadecimal."""
    # A key of its own: what signs tokens signs nothing else.
    storage_key = hmac.digest(key.encode(), b"storage", hashlib.sha256)
    return hmac.new(storage_key, "\n".join(grant).encode(), hashlib.sha256).hexdigest()


def signed_url(base: str, grant: Grant, key: str) -> str:
    """The URL that proves the grant; `base` is the address of the sandbox without a slash."""
    return f"{base}{grant.path}?expires={grant.expires}&signature={signature(grant, key)}"
