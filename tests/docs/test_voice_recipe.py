"""The program of docs/cookbook/voice.md: two users hear each other's tone through the sandbox."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.docs.code_blocks import python_of
from tests.docs.terminal_sessions import Terminal
from tests.sandbox.raw_clients import User

HERE = "tests/docs/test_voice_recipe.py"
RATE = 48_000
TONES = {"alice": 440, "bob": 880}
"""The tone of each user, in Hz."""


def write_tone(path: Path, frequency: int) -> None:
    """A second of a tone."""
    samples = (int(12_000 * math.sin(math.tau * frequency * n / RATE)) for n in range(RATE))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array("h", samples).tobytes())


def loudness(path: Path, frequency: int) -> float:
    """How much of the loudest half second of a recording is this frequency, from 0 to 1."""
    with wave.open(str(path), "rb") as file:
        step = file.getnchannels()
        rate = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))[::step]
    size = rate // 2
    parts = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    part = max(parts, key=lambda part: sum(abs(sample) for sample in part))
    turn = math.tau * frequency / rate
    sine = sum(sample * math.sin(turn * n) for n, sample in enumerate(part))
    cosine = sum(sample * math.cos(turn * n) for n, sample in enumerate(part))
    power = sum(sample * sample for sample in part)
    return 2 * (sine * sine + cosine * cosine) / (power * size)


@pytest.fixture
def backend() -> Iterator[Sandbox]:
    """One without STUN servers: nothing leaves this machine."""
    with Sandbox(ice_servers=[]) as sandbox:
        yield sandbox


def test_two_users_hear_each_others_tone(backend: Sandbox, tmp_path: Path) -> None:
    [program] = python_of("docs/cookbook/voice.md", HERE)
    owner = User(backend, "alice")
    talk = owner.conversation("bob")
    owner.close()
    recordings = {
        name: tmp_path / name / f"{backend.user_id(other)}.wav"
        for name, other in (("alice", "bob"), ("bob", "alice"))
    }

    def heard_enough() -> bool:
        # A second of stereo, of which the first half may be silent.
        return all(path.exists() and path.stat().st_size > 4 * RATE for path in recordings.values())

    with ExitStack() as stack:
        terminals: list[Terminal] = []
        for name, tone in TONES.items():
            folder = tmp_path / name
            folder.mkdir()
            (folder / "voice.py").write_text(program.code, "utf-8")
            write_tone(folder / "tone.wav", tone)
            terminals.append(stack.enter_context(closing(Terminal(backend, folder))))
            ready = heard_enough if name == "bob" else lambda: True
            terminals[-1].leave_running("voice.py", talk, "tone.wav", user=name, until=ready)
        for terminal in terminals:
            terminal.stop()
    assert loudness(recordings["alice"], TONES["bob"]) > 0.8
    assert loudness(recordings["bob"], TONES["alice"]) > 0.8
    assert loudness(recordings["bob"], TONES["bob"]) < 0.1
