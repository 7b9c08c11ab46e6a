"""Pages of other origins use the chat API. They reach neither the page nor the control API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from poolse import Poolse
from poolse.testing import Sandbox
from tests.browser.other_origin import served
from tests.browser.visits import Visits

EMPTY = b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Another page</title>'
ICON = ("image/png", b"")

CHAT = """async ({ api, ws, token }) => {
  const { Socket } = await import("/phoenix.mjs")
  const call = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
    const response = await fetch(api + path, { method, headers, body: JSON.stringify(body) })
    return response.json()
  }
  const members = { type: "group", member_external_ids: ["bob"] }
  const { id } = await call("POST", "/v1/conversations", members)
  const socket = new Socket(`${ws}/socket`, { params: { token } })
  socket.connect()
  const channel = socket.channel(`conversation:${id}`)
  const received = new Promise((resolve) => channel.on("message:new", resolve))
  await new Promise((resolve, reject) =>
    channel.join().receive("ok", resolve).receive("error", reject).receive("timeout", reject))
  await call("POST", `/v1/conversations/${id}/messages`, { body: "hello from another port" })
  const { body } = await received
  socket.disconnect()
  return { id, body }
}"""

STRANGER = """async (url) => {
  const json = { "content-type": "application/json" }
  const tries = {
    page: ["/", {}],
    script: ["/_sandbox/page/main.js", {}],
    users: ["/_sandbox/users", {}],
    key: ["/_sandbox/environment", {}],
    traffic: ["/_sandbox/traffic.har", {}],
    reset: ["/_sandbox/reset", { method: "POST" }],
    fault: ["/_sandbox/faults", { method: "POST", headers: json, body: '{"kind":"mute"}' }],
    simple: ["/_sandbox/faults", { method: "POST", body: '{"kind":"mute"}' }],
    blind: ["/_sandbox/faults", { method: "POST", mode: "no-cors", body: '{"kind":"mute"}' }],
    block: ["/_sandbox/users/alice", { method: "PATCH", headers: json, body: '{"blocked":true}' }],
  }
  const found = {}
  for (const [name, [path, options]] of Object.entries(tries)) {
    found[name] = await fetch(url + path, options).then(
      async (response) => `${response.status} ${await response.text()}`, () => "refused")
  }
  return found
}"""


def test_phoenix_and_fetch_of_a_page_on_another_port(
    visits: Visits, sandbox: Sandbox, modules: Path
) -> None:
    phoenix = (modules / "phoenix/priv/static/phoenix.mjs").read_bytes()
    files = {
        "/": ("text/html", EMPTY),
        "/favicon.ico": ICON,
        "/phoenix.mjs": ("text/javascript", phoenix),
    }
    visits.expect(f"another host was asked: {sandbox.url}")
    with served(files) as origin:
        page = visits.open(origin)
        settings = {"api": sandbox.url, "ws": sandbox.ws_url, "token": sandbox.token("alice")}
        said: Any = page.evaluate(CHAT, settings)
    assert said["body"] == "hello from another port"
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as bob:
        (message,) = bob.conversations.one(said["id"]).messages.list()
    assert message.body == "hello from another port"


def test_a_foreign_page_reads_and_changes_nothing(visits: Visits, sandbox: Sandbox) -> None:
    sandbox.user_id("alice")
    visits.expect(f"another host was asked: {sandbox.url}")
    # What Chromium says of each request that it, or the sandbox, refuses.
    visits.expect("blocked by CORS policy|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|status of 403")
    with served({"/": ("text/html", EMPTY), "/favicon.ico": ICON}) as origin:
        found: Any = visits.open(origin).evaluate(STRANGER, sandbox.url)
    assert set(found.values()) == {"refused"}
    assert httpx.get(f"{sandbox.url}/_sandbox/faults").json()["muted"] is False
    (alice,) = httpx.get(f"{sandbox.url}/_sandbox/users").json()["data"]
    assert alice["blocked"] is False
