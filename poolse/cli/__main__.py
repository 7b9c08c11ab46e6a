"""`python -m poolse.cli`."""

from __future__ import annotations

import sys

from poolse.cli import main

sys.exit(main())
