"""The client of stream-chat: one small object."""

from __future__ import annotations

import sys
from importlib import import_module

client = import_module("stream_chat").StreamChat(
    api_key="x", api_secret="x" * 32, base_url=sys.argv[1]
)
import_module("timing").serve(client.get_app_settings)
