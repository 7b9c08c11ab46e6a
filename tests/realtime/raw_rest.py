"""The backend's REST side, without any client of ours."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.request import Request, urlopen

from poolse.testing import Sandbox

__all__ = ["post"]


def post(sandbox: Sandbox, path: str, body: object, user: str = "alice") -> Any:
    """Post something as a user; the answer's JSON."""
    headers = {
        "Authorization": f"Bearer {sandbox.token(user)}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    context = sandbox.ssl_context() if sandbox.url.startswith("https") else None
    request = Request(f"{sandbox.url}{path}", json.dumps(body).encode(), headers)
    with urlopen(request, context=context) as answer:
        return json.load(answer)
