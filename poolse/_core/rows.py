"""Names that pickles of release 0.1 hold, which still load through this module."""

from __future__ import annotations

from poolse._json.models import Visited as Seen

__all__ = ["Seen"]
