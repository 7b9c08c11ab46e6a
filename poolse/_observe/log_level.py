"""Logging that is turned on from outside of a program."""

from __future__ import annotations

import logging
from typing import Final

from poolse.errors import UsageError

__all__ = ["set_log_level"]

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_log_level(level: str) -> None:
    """Log to stderr from this level on, such as `debug`: the value of `POOLSE_LOG`.

    Only a program that has not configured logging gets a handler.

    Raises:
        UsageError: There is no such level.
    """
    number = logging.getLevelNamesMapping().get(level.strip().upper())
    if number is None:
        raise UsageError(f"POOLSE_LOG must be debug, info, warning or error, not {level!r}")
    logger = logging.getLogger("poolse")
    logger.setLevel(number)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
        logger.addHandler(handler)
