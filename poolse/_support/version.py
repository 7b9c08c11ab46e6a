"""The release of this library."""

from __future__ import annotations

__all__ = ["version"]

version: str = "0.5.0"
"""Semantic version of this release."""
