"""The versions of the API that a sandbox can speak, and the rules by which they differ.

What one has and another does not (endpoints, topics, events, fields) is in their specs, see
`api_filter`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["API_VERSIONS", "NEWEST", "ApiVersion"]


@dataclass(frozen=True)
class ApiVersion:
    """One version of the API, and the rules that its spec cannot say."""

    name: str
    """As in `Sandbox(api=…)`, and in the names of the files of its spec."""
    creates_members: bool
    """Whether users who do not exist yet are created when they are added to a conversation."""
    sending_is_reading: bool
    """Whether a message that a user sends moves the user's read marker."""
    counts_deleted: bool
    """Whether deleted messages count as unread."""


NEWEST: Final = ApiVersion("2", creates_members=True, sending_is_reading=True, counts_deleted=False)
_BEFORE_2: Final = ApiVersion(
    "1.1", creates_members=False, sending_is_reading=False, counts_deleted=True
)

API_VERSIONS: Final[Mapping[str, ApiVersion]] = MappingProxyType(
    {version.name: version for version in (NEWEST, _BEFORE_2)}
)
"""By their names, the newest first."""
