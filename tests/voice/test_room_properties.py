"""Whatever users and connections do, each room is what the server has, once all has arrived."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse import VoiceError
from tests.voice.simulated_room import Client, Server, signal_to

USERS = ("ann", "bea", "cem")
ACTS = (
    "join", "hold", "release", "drop", "mute", "speak", "signal", "take", "give", "take", "give",
    "take", "give", "signal", "settle",
)  # fmt: skip


def act(server: Server, client: Client, name: str, chance: random.Random) -> None:
    """Let one thing happen."""
    state = client.state
    match name:
        case "hold":
            client.wants += 1
            client.act(state.hold(client.subject, muted=chance.random() < 0.5))
        case "release":
            leaves = client.wants == 1
            client.wants = max(0, client.wants - 1)
            client.act(state.release(state.stay))
            if leaves:
                # The channel is left too, after the last push.
                client.joined = False
                if not client.outbox:
                    server.gone(client)
        case "mute" | "speak":
            change = state.set_muted if name == "mute" else state.set_speaking
            if client.wants:
                client.act(change(chance.random() < 0.5))
            else:
                with pytest.raises(VoiceError):
                    change(True)
        case "signal":
            kind = chance.choice(("offer", "answer", "ice-candidate", "ice-candidate"))
            payload = signal_to(chance.choice(USERS), kind)
            if state.status == "joined":
                client.act(state.send_signal(payload))
            else:
                with pytest.raises(VoiceError):
                    state.send_signal(payload)
        case "settle":
            server.settle()
        case _:
            getattr(server, name)(client)


@given(
    seed=st.integers(0, 2**32),
    steps=st.integers(1, 150),
    subjects=st.sampled_from(("known", "unknown", "foreign")),
)
def test_a_room_is_what_the_server_has(seed: int, steps: int, subjects: str) -> None:
    chance = random.Random(seed)
    clients = [
        Client(user, {"known": user, "unknown": None, "foreign": f"other-{user}"}[subjects])
        for user in (*USERS, "ann")
    ]
    server = Server(clients)
    for _ in range(steps):
        act(server, chance.choice(clients), chance.choice(ACTS), chance)
        # Only the subject tells who oneself is if one's own join crosses another user's.
        if subjects != "known":
            server.settle()
    server.settle()
    metas = server.presence()
    for client in clients:
        state = client.state
        if not client.wants:
            assert state.status in ("idle", "left")
            assert not state.participants
            continue
        assert (state.status, state.user_id) == ("joined", client.user_id)
        assert state.participants.keys() == metas.keys()
        own = state.participants[client.user_id]
        assert (own.muted, own.speaking) == (state.muted, state.speaking)
        # No event says which of ann's devices has left: hers may be the state of either.
        for other in clients[1:3]:
            if other is not client and other.user_id in metas:
                seen = state.participants[other.user_id]
                assert (seen.muted, seen.speaking) == (other.state.muted, other.state.speaking)
        # Exactly one of two users offers.
        assert [state.offers_to(user) for user in USERS] == [client.user_id < u for u in USERS]
