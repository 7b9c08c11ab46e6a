"""The scene of a round of chaos: a backend, the faults before it, clients, and what they did.

Everything here may be used from any thread.
"""

from __future__ import annotations

import uuid
from collections import Counter
from random import Random
from typing import Any

import attrs

from poolse import CancelToken, MessageNew, NetworkError, Poolse, PoolseError, Stats, Timeout
from poolse.testing import Sandbox
from tests.chaos.faults import Plan
from tests.chaos.flavours import Flavour, done
from tests.chaos.proxy import FaultyProxy

__all__ = ["MEMBERS", "SETTINGS", "Followed", "Sent", "Setting", "Size", "World"]

MEMBERS = ("bob", "bot", "carol")
"""Beside alice, who sends."""

POOL = 6
"""Connections of each client: few, so that each one that is lost is missed."""


@attrs.frozen
class Setting:
    """Between the clients and the backend."""

    name: str
    tls: bool = False
    connect: bool = False
    """Whether the faulty proxy is one that clients are told of, and ask for tunnels."""


SETTINGS = (
    Setting("plain"),
    Setting("tls", tls=True),
    Setting("tls through a proxy", tls=True, connect=True),
)


@attrs.frozen(kw_only=True)
class Size:
    """How much is done in a round. It ends when this is done, not when a time is up."""

    senders: int
    sends: int
    """Of each sender."""
    others: int
    """Of each of those who list, upload, react and cancel."""
    rate: float
    """The part of all exchanges that meet a fault."""
    silence: float
    """Seconds that a half-open connection lasts at most."""
    stride: int
    """Of the walk over all byte offsets of a send: 1 leaves none out."""
    pause: float
    """Seconds between two calls of the same worker, on average."""


@attrs.define
class Sent:
    """A message that alice wanted to send."""

    conversation: str
    body: str
    insisted: bool
    """Whether it was tried until it was acknowledged, each time with the same id and key."""
    id: str | None = None
    """That of the acknowledgement; None when none came."""


@attrs.define
class Followed:
    """What one follower was handed out, conversation by conversation."""

    name: str
    skips_own: bool
    conversations: tuple[str, ...]
    got: dict[str, list[tuple[int, str]]] = attrs.field(factory=dict[str, list[tuple[int, str]]])
    restarts: int = 0

    def note(self, delivery: Any) -> None:
        """One message more."""
        message = delivery.message
        log = self.got.setdefault(delivery.conversation.id, [])
        log.append((message.sequence, message.id))


class World:
    """The scene of one round."""

    def __init__(self, flavour: Flavour, setting: Setting, size: Size, seed: str) -> None:
        self.flavour = flavour
        self.setting = setting
        self.size = size
        self.seed = seed
        self.sandbox = Sandbox(tls=setting.tls)
        self.done = Counter[str]()
        """Calls that worked, by what they do."""
        self.given_up = Counter[str]()
        """Calls that ended with a NetworkError, after all retries."""
        self.sent: list[Sent] = []
        self.followed: list[Followed] = []
        self.wrong: list[str] = []
        """What must not be."""
        self.heard = Counter[str]()
        """Ids of the messages that came live, without `follow`."""
        self.walked = Counter[str]()
        """Byte offsets at which a send was cut, by the way of the bytes."""
        self.troubles: list[PoolseError] = []
        """What was told of sockets, as a quiet log."""
        self.retries = 0
        self.reconnects = 0
        self.feeds = CancelToken()
        """Ends all followers."""
        self.proxy = self.proxy_with(size.rate)
        self.conversations: tuple[str, ...] = ()

    def proxy_with(self, rate: float) -> FaultyProxy:
        """A proxy as the setting wants it; to be entered once the sandbox runs."""
        size = self.size
        plan = Plan(
            f"{self.seed} faults", rate=rate, longest_silence=size.silence, stride=size.stride
        )
        return FaultyProxy(plan, lambda: self.port, connect=self.setting.connect)

    @property
    def port(self) -> int:
        """Of the sandbox."""
        return int(self.sandbox.url.rpartition(":")[2])

    def random(self, who: str) -> Random:
        """The choices of one worker."""
        return Random(f"{self.seed} {who}")

    def begin(self) -> None:
        """Make users and conversations, while nothing goes wrong."""
        for name in MEMBERS:
            self.sandbox.user_id(name)
        with self.direct("alice") as chat:
            self.conversations = tuple(
                chat.conversations.create(type="group", member_external_ids=list(MEMBERS)).id
                for _ in range(3)
            )

    def direct(self, user: str) -> Poolse:
        """A client that meets no faults."""
        context = self.sandbox.ssl_context() if self.setting.tls else None
        token = self.sandbox.token(user)
        return Poolse(api_url=self.sandbox.url, token=token, ssl_context=context)

    def client(self, user: str, proxy: FaultyProxy | None = None) -> Any:
        """A client of the flavour, behind the faults."""
        port = (proxy or self.proxy).port
        scheme = "https" if self.setting.tls else "http"
        options: dict[str, Any] = {"api_url": f"{scheme}://127.0.0.1:{port}"}
        if self.setting.connect:
            options = {"api_url": self.sandbox.url, "proxy": f"http://127.0.0.1:{port}"}
        if self.setting.tls:
            options["ssl_context"] = self.sandbox.ssl_context()
        return self.flavour.client(
            **options,
            get_token=lambda: self.sandbox.token(user, lifetime=60.0),
            timeout=Timeout(2.0, connect=1.0),
            max_retries=4,
            base_backoff=0.02,
            max_backoff=0.5,
            max_connections=POOL,
            on_socket_error=self.troubles.append,
            generate_idempotency_key=lambda: str(uuid.uuid4()),
        )

    def counted(self, stats: Stats) -> None:
        """The numbers of a client that has nothing more to do."""
        self.retries += stats.calls.retries
        self.reconnects += stats.realtime.reconnects if stats.realtime else 0
        pool, feeds = stats.pool, stats.follow.feeds if stats.follow else 0
        if stats.calls.active or feeds or pool is None or pool.in_use or pool.waiting:
            self.wrong.append(f"something is still under way: {stats}")

    def hear(self, message: MessageNew) -> None:
        """A message came live."""
        self.heard[message.id] += 1

    async def tried(self, what: str, call: Any) -> Any:
        """What a call gives, or None when the network was worse than its retries."""
        try:
            given = await done(call())
        except NetworkError:
            self.given_up[what] += 1
            return None
        self.done[what] += 1
        return given

    async def pause(self, random: Random) -> None:
        """Between two calls."""
        await self.flavour.sleep(2 * self.size.pause * random.random())
