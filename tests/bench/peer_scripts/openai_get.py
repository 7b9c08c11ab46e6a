"""The client of openai: one small object."""

from __future__ import annotations

import sys
from importlib import import_module

client = import_module("openai").OpenAI(api_key="x", base_url=f"{sys.argv[1]}/v1")
import_module("timing").serve(lambda: client.models.retrieve("ann"))
