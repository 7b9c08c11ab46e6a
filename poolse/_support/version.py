"""The release of this library."""

from __future__ import annotations

__all__ = ["version"]

version: str = "0.2.0"
"""Semantic version of this release."""
