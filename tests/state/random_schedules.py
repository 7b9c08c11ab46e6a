"""Two clients, each with its state of one conversation, and a server: by a random schedule.

Each client has a queue of events of its channel, and tasks that are under way, such as a refresh.
A task is a generator: it yields what the server is asked, and receives the answer. The server does
it in one step of the schedule, and the client hears of it in a later one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import attrs

from poolse import Message, from_dict
from poolse._state.conversation_reducer import reduce
from poolse._state.inputs import (
    Change,
    ChangeBegan,
    ChangeRefused,
    Discarded,
    Joined,
    Lost,
    MembersRead,
    PageRead,
    PageRequest,
    ReadBegan,
    ReadRefused,
    RefreshEnded,
    RefreshFailed,
    RepliesRead,
    RequestBegan,
    RequestFailed,
    SendBegan,
    SendFailed,
    Stored,
    ThreadClosed,
    TimePassed,
)
from poolse._state.live_conversation import (
    REFRESHED,
    LiveConversation,
    first_page,
    next_page,
    older_page,
)
from poolse._state.snapshots import ConversationChange, ConversationSnapshot, LiveMessage
from poolse.errors import NetworkError
from tests.state.model_server import ID, ModelServer, Refused

__all__ = ["USERS", "Client", "Plan", "Run"]

USERS = ("ann", "bob")
EMOJIS = ("+", "-")

Task: TypeAlias = Generator[Callable[[], Any], Any, None]


@attrs.frozen(kw_only=True)
class Plan:
    """What kind of trouble there is."""

    seed: int = 0
    steps: int = 120
    history: int = 12
    page_size: int = 4
    refreshed: int = REFRESHED
    cap: int = 100
    failures: float = 0.0
    """How many requests fail, before or after the server has done what they ask."""
    lost: float = 0.0
    doubled: float = 0.0
    overtaken: float = 0.0
    drops: float = 0.0
    skew: float = 0.0
    """Seconds by which the clocks of clients are ahead."""
    echoes_reads: bool = True

    @property
    def is_calm(self) -> bool:
        """Whether all events arrive, once, and in order."""
        return not (self.lost or self.doubled or self.overtaken or self.drops)


@attrs.define(eq=False)
class Flight:
    """A task that waits for the server."""

    task: Task
    ask: Callable[[], Any]
    is_action: bool
    answer: Callable[[], Any] | None = None
    """Given once the server has done its part: returns what it returned, or raises."""


class Client:
    """A user with a state of the conversation."""

    def __init__(self, run: Run, user: str) -> None:
        self.run, self.user, self.server = run, user, run.server
        self.random = run.random
        self.state = LiveConversation(snapshot=ConversationSnapshot(id=ID))
        self.events: list[Any] = []
        """Sent by the channel, and not received."""
        self.flights: list[Flight] = []
        self.is_refreshing = False
        self.sends: dict[str, Message] = {}
        """Messages that are on their way."""
        self.failed: dict[str, Message] = {}
        self.hidden: set[str] = set()
        """IDs of unsent replies whose thread was not open."""
        self.opened: set[str] = set()
        self.kept: list[tuple[ConversationSnapshot, tuple[LiveMessage, ...]]] = []
        self.count = 0
        self.server.listeners[user].append(self._send_event)

    def _send_event(self, event: Any) -> None:
        if self.state.join:
            self.events.append(event)

    # The network.

    def hear(self) -> None:
        """Receive an event."""
        if not self.events:
            return
        chance, plan = self.random.random, self.run.plan
        at = self.random.randrange(len(self.events)) if chance() < plan.overtaken else 0
        event = self.events[at]
        if chance() >= plan.doubled:
            del self.events[at]
        if chance() >= plan.lost:
            self.apply(event)

    def begin(self, task: Task, *, is_action: bool = False) -> None:
        self._go_on(task, partial(next, task), is_action)

    def advance(self, flight: Flight) -> None:
        """Let the server do its part, or let the client hear of it."""
        if flight.answer is None:
            flight.answer = self._answer(flight)
            return
        self.flights.remove(flight)
        try:
            value = flight.answer()
        except (NetworkError, Refused) as error:
            self._go_on(flight.task, partial(flight.task.throw, error), flight.is_action)
        else:
            self._go_on(flight.task, partial(flight.task.send, value), flight.is_action)

    def _go_on(self, task: Task, step: Callable[[], Callable[[], Any]], is_action: bool) -> None:
        try:
            ask = step()
        except StopIteration:
            return
        self.flights.append(Flight(task, ask, is_action))

    def _answer(self, flight: Flight) -> Callable[[], Any]:
        fails = self.random.random() < self.run.plan.failures and not self.run.is_ending
        if fails and self.random.random() < 0.5:
            return _broken
        try:
            value = flight.ask()
        except Refused as error:
            return partial(_raise, error)
        return _broken if fails else lambda: value

    # What the runtime does.

    def apply(self, event: Any) -> None:
        """Reduce the state, and check what must always hold."""
        before, self.state = self.state, reduce(self.state, event, self.run.now)
        self.count += 1
        self._check_change(before.snapshot, self.state.snapshot)
        self._check_messages()
        if self.random.random() < 0.05:
            snapshot = self.state.snapshot
            self.kept = [*self.kept[-3:], (snapshot, tuple(snapshot.messages))]
        for snapshot, messages in self.kept:
            assert [*map(id, snapshot.messages)] == [*map(id, messages)]

    def request(self, key: Any, ask: Callable[[], Any]) -> Generator[Callable[[], Any], Any, Any]:
        self.apply(RequestBegan(key))
        try:
            return (yield ask)
        except NetworkError:
            self.apply(RequestFailed(key))
            raise

    def refresh(self, *, is_strict: bool) -> Task:
        """Read the newest messages, the members and the open threads."""
        if self.is_refreshing:
            return
        self.is_refreshing = True
        plan = self.run.plan
        request: PageRequest | None = first_page(
            self.state, plan.page_size, is_strict=is_strict, refreshed=plan.refreshed
        )
        try:
            while request is not None:
                rows = yield from self._page(request)
                request = next_page(request, rows)
            key = object()
            self.apply(MembersRead(key, (yield from self.request(key, self.server.members))))
            for root_id in [*self.state.snapshot.threads]:
                yield from self._replies(root_id)
        except NetworkError as error:
            self.apply(RefreshFailed(error, self.run.now + 1.0))
        else:
            self.apply(RefreshEnded())
        self.is_refreshing = False

    def load_older(self) -> Task:
        request = older_page(self.state, self.run.plan.page_size)
        if request is not None:
            try:
                yield from self._page(request)
            except NetworkError:
                return

    def open_thread(self, root_id: str) -> Task:
        self.opened.add(root_id)
        try:
            yield from self._replies(root_id)
        except NetworkError:
            return

    def close_thread(self, root_id: str) -> None:
        self.opened.discard(root_id)
        waiting = {**self.sends, **self.failed}
        self.hidden.update(id for id, m in waiting.items() if m.thread_root_id == root_id)
        self.apply(ThreadClosed(root_id))

    def send(self, message: Message) -> Task:
        self.failed.pop(message.id, None)
        self.sends[message.id] = message
        body, root_id = message.body or "", message.thread_root_id
        is_shown = root_id is None or root_id in self.state.snapshot.threads
        (self.hidden.discard if is_shown else self.hidden.add)(message.id)
        self.apply(SendBegan(message))
        try:
            row = yield partial(self.server.send, self.user, message.id, body, root_id)
        except NetworkError as error:
            del self.sends[message.id]
            self.failed[message.id] = message
            self.apply(SendFailed(message.id, error))
        else:
            del self.sends[message.id]
            self.apply(Stored(message.id, row))

    def discard(self, id: str) -> None:
        del self.failed[id]
        self.apply(Discarded(id))

    def change(self, id: str, kind: Any, value: str) -> Task:
        asks: dict[str, Callable[[], Any]] = {
            "edit": partial(self.server.edit, self.user, id, value),
            "delete": partial(self.server.delete, self.user, id),
            "react": partial(self.server.react, self.user, id, value),
            "unreact": partial(self.server.unreact, self.user, id, value),
        }
        change = Change(id, kind, value, self.user, self._clock())
        self.apply(ChangeBegan(change))
        try:
            row = yield asks[kind]
        except (NetworkError, Refused):
            self.apply(ChangeRefused(change))
        else:
            self.apply(Stored(change, row))

    def mark_read(self, id: str) -> Task:
        members = self.state.snapshot.members
        before = next((member for member in members if member.user_id == self.user), None)
        began = ReadBegan(self.user, id, self._clock())
        self.apply(began)
        try:
            yield partial(self.server.mark_read, self.user, id)
        except NetworkError:
            self.apply(ReadRefused(began, before))

    def new_message(self, root_id: str | None) -> Message:
        now = self._clock().isoformat()
        row: dict[str, object] = {
            "id": f"{self.user}{self.count}",
            "conversation_id": ID,
            "sender_id": self.user,
            "type": "text",
            "body": "hello",
            "reply_to_id": root_id,
            "thread_root_id": root_id,
            "mentions": [],
            "reactions": {},
            "inserted_at": now,
            "updated_at": now,
            "sequence": 1,
        }
        # It has none before the server has stored it.
        unknown: Any = None
        return attrs.evolve(from_dict(row, Message), sequence=unknown)

    def _clock(self) -> Any:
        return self.server.time + timedelta(seconds=self.run.plan.skew)

    def _page(self, request: PageRequest) -> Generator[Callable[[], Any], Any, Any]:
        ask = partial(self.server.page, request.before, request.limit)
        rows = yield from self.request(request, ask)
        self.apply(PageRead(request, rows))
        return rows

    def _replies(self, root_id: str) -> Task:
        key = object()
        replies = yield from self.request(key, partial(self.server.replies, root_id))
        self.apply(RepliesRead(key, root_id, replies))

    # What must always hold.

    def _check_change(self, before: ConversationSnapshot, after: ConversationSnapshot) -> None:
        """What a change tells is what a comparison of everything finds."""
        told = ConversationChange(before, after)
        held = {item.id: item for item in before.messages.stored}
        changed = [item for item in after.messages.stored if held.get(item.id) is not item]
        waiting = [m for m in after.messages.outgoing if m not in before.messages.outgoing]
        assert [*map(id, told.messages)] == [*map(id, [*changed, *waiting])]
        if after.messages != before.messages:
            assert "messages" in told.fields
        for item in changed:
            self._check_later(held.get(item.id), item)

    def _check_later(self, before: LiveMessage | None, after: LiveMessage) -> None:
        """Nothing is shown in an older version than before."""
        old, new = None if before is None else before.stored, after.stored
        if old is None or new is None or old is new:
            return
        assert not old.deleted_at or new.deleted_at
        assert new.deleted_at or new.updated_at >= old.updated_at

    def _check_messages(self) -> None:
        snapshot = self.state.snapshot
        ids = [item.id for item in snapshot.messages]
        ids += [item.id for shown in snapshot.threads.values() for item in shown]
        assert len(ids) == len({*ids})
        changing = {change.message_id for change in self.state.changes}
        for shown in (snapshot.messages, *snapshot.threads.values()):
            sequences = [item.message.sequence for item in shown.stored]
            assert all(a < b for a, b in pairwise(sequences))
            for item in shown.stored:
                assert snapshot.message(item.id) is item
                assert (item.status == "sending") == (item.id in changing)
            for item in shown.outgoing:
                assert snapshot.message(item.id) is item
                waiting = "sending" if item.id in self.sends else "failed"
                assert item.status == ("sent" if item.stored else waiting)
                assert item.stored or item.id in self.sends or item.id in self.failed
        # A message of the user's is there until it is stored, or given up.
        for id in [*self.sends, *self.failed]:
            is_shown = id in self.hidden or snapshot.message(id) is not None
            # Or it was stored before all that is loaded.
            assert is_shown or (id in self.server.ids and len(snapshot.messages.stored))


class Run:
    """One schedule from start to end."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.now = 0.0
        self.is_ending = False
        self.server = ModelServer(USERS, cap=plan.cap, echoes_reads=plan.echoes_reads)
        for number in range(plan.history):
            self._elsewhere_send(f"h{number}")
        self.clients = [Client(self, user) for user in USERS]

    def go(self) -> Run:
        """Play it."""
        for client in self.clients:
            client.apply(Joined())
            client.begin(client.refresh(is_strict=False))
        for _ in range(self.plan.steps):
            self.now += 0.001
            self._step(self.random.choice(self.clients))
        self.is_ending = True
        self.settle()
        return self

    def settle(self) -> None:
        """Let everything arrive that is under way."""
        while any(client.events or client.flights for client in self.clients):
            self.now += 0.001
            client = self.random.choice(self.clients)
            self._hear_or_advance(client)

    def finish(self, client: Client, task: Task) -> None:
        """Do a task until its end."""
        client.begin(task)
        self.settle()

    def _step(self, client: Client) -> None:
        if self.random.random() < 0.6:
            self._hear_or_advance(client)
        elif self.random.random() < self.plan.drops:
            self._drop_or_join(client)
        elif self.random.random() < 0.3:
            self._elsewhere(self.random.choice(USERS))
        else:
            self._act(client)

    def _hear_or_advance(self, client: Client) -> None:
        if client.flights and self.random.random() < 0.5:
            client.advance(self.random.choice(client.flights))
        else:
            client.hear()

    def _drop_or_join(self, client: Client) -> None:
        if client.state.join:
            client.events.clear()
            client.apply(Lost())
        else:
            client.apply(Joined())

    def _elsewhere(self, user: str) -> None:
        """Let a user do something in another place."""
        server, choice = self.server, self.random.choice
        match self.random.randrange(8):
            case 0 | 1:
                self._elsewhere_send(f"e{len(server.ids)}")
            case 2:
                server.start_typing(user)
            case kind if server.ids:
                id = choice(server.ids[-12:])
                try:
                    match kind:
                        case 3:
                            server.edit(user, id, f"edit {len(server.ids)}")
                        case 4:
                            server.delete(user, id)
                        case 5:
                            server.react(user, id, choice(EMOJIS))
                        case 6:
                            server.unreact(user, id, choice(EMOJIS))
                        case _:
                            server.mark_read(user, id)
                except Refused:
                    pass
            case _:
                pass

    def _elsewhere_send(self, id: str) -> None:
        roots = self.server.roots
        root_id = self.random.choice(roots[-6:]) if roots and self.random.random() < 0.3 else None
        self.server.send(self.random.choice(USERS), id, "hi", root_id)

    def _act(self, client: Client) -> None:
        choice = self.random.choice
        stored = client.state.snapshot.messages.stored
        shown = [item.id for item in stored[-8:]]
        replies = [m.id for t in client.state.snapshot.threads.values() for m in t.stored]
        match self.random.randrange(12):
            case 0:
                client.begin(client.refresh(is_strict=self.random.random() < 0.3))
            case 1:
                client.begin(client.load_older())
            case 2 | 3:
                root_id = choice(shown) if shown and self.random.random() < 0.3 else None
                message = client.new_message(root_id)
                client.begin(client.send(message), is_action=True)
            case 4 if client.failed:
                client.begin(client.send(choice([*client.failed.values()])), is_action=True)
            case 5 if client.failed:
                client.discard(choice([*client.failed]))
            case 6 if shown:
                client.begin(client.open_thread(choice(shown)))
            case 7 if client.opened:
                client.close_thread(choice(sorted(client.opened)))
            case 8 if shown:
                client.begin(client.mark_read(shown[-1]))
            case 9:
                client.apply(TimePassed())
            case _ if shown:
                kind = choice(["edit", "delete", "react", "unreact"])
                task = client.change(choice([*shown, *replies]), kind, choice(EMOJIS))
                client.begin(task, is_action=True)
            case _:
                pass


def _broken() -> Any:
    raise NetworkError("the network is down")


def _raise(error: Exception) -> Any:
    raise error
