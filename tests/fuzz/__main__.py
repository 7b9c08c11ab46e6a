"""schemathesis against the sandbox: `make fuzz`, or `python -m tests.fuzz --seed 7 --examples 500`.

The sandbox runs here, over real HTTP; schemathesis runs in a process of its own, with all of its
checks and phases. Both credentials are sent where the spec wants them, and most ids of a path or
a body are of rows that exist, so that what is tried gets past the first check.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from poolse.sandbox.api_filter import ApiFilter
from poolse.sandbox.response_validation import watch
from poolse.sandbox.routes import ENDPOINTS, match
from poolse.testing import Request, Sandbox
from tests.architecture.tree import ROOT
from tests.fuzz.seed_rows import World, seeded

SPEC = ROOT / "poolse/sandbox/openapi.json"

SHOWN = 20
"""Lines about answers, at most."""


def configuration(world: World) -> str:
    """schemathesis.toml. JSON texts of strings, numbers and lists are TOML too."""
    lines = [
        "[auth.openapi.userToken]",
        f"bearer = {json.dumps(world.token)}",
        "[auth.openapi.apiKey]",
        f"bearer = {json.dumps(world.api_key)}",
        # All of them; named on the command line, they could not be turned off for one operation.
        "[checks]",
        "enabled = true",
        # A schema cannot say whose external ids exist, nor that a body of blanks is none, nor that
        # a direct conversation has two members: 422. Nor what was deleted: 410. Nor how large a
        # file may be, which is up to the backend: 413. The rest is what schemathesis takes anyway.
        "[checks.positive_data_acceptance]",
        'expected-statuses = ["2xx", 401, 403, 404, 409, 410, 413, 422]',
    ]
    # What the backend does not know in a query it ignores, as it does in a body.
    lines += ["[generation]", "allow-extra-parameters = false"]
    for name, values in world.values.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values, ensure_ascii=False)}"]
    lines.append("[parameters]")
    for place, name in world.places.items():
        lines.append(f'"{place}" = {{dictionary = "{name}", probability = 0.8}}')
    # The ID of a device that was registered is taken for the token that unregisters it.
    lines += ["[[operations]]", 'include-name = "DELETE /v1/devices/{token}"']
    lines += ["checks.ensure_resource_availability.enabled = false"]
    return "\n".join(lines) + "\n"


def command(url: str, config: Path, seed: int, examples: int) -> list[str]:
    """The command line of schemathesis."""
    return [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", str(SPEC), "--url", url),
        *("--mode", "all", "--max-examples", str(examples)),
        *("--seed", str(seed), "--generation-database", "none", "--continue-on-failure"),
        *("--warnings", "off", "--no-color"),
    ]


def unreached(requests: list[Request]) -> set[str]:
    """Routes none of whose requests got past all checks, so that little is known of them."""
    left = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    for request in requests:
        path = request.path.partition("?")[0]
        if path.startswith("/v1/") and (request.status or 500) < 300:
            endpoint = match(request.method, path, ApiFilter()).endpoint
            left.discard((endpoint.method, endpoint.path))
    return {f"{method} {path}" for method, path in left}


def main() -> int:
    """Run it; 0 when neither schemathesis nor the sandbox found anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another one tries other requests")
    parser.add_argument(
        "--examples", type=int, default=150, help="requests per operation and phase"
    )
    options = parser.parse_args()
    breaches: list[str] = []
    seen: list[Request] = []
    # With a media server, so that call tokens are no 503.
    server = Sandbox(livekit_url="wss://livekit.example", on_request=seen.append)
    with server as sandbox, tempfile.TemporaryDirectory() as folder, watch(breaches.append):
        config = Path(folder) / "schemathesis.toml"
        config.write_text(configuration(seeded(sandbox)), "utf-8")
        run = command(sandbox.url, config, options.seed, options.examples)
        code = subprocess.run(run, cwd=folder, check=False).returncode
        breaches += [f"{route}: never worked" for route in unreached(seen)]
        print(f"{len(seen)} requests")
    for breach in breaches[:SHOWN]:
        print(breach)
    return code or bool(breaches)


if __name__ == "__main__":
    sys.exit(main())
