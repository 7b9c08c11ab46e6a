"""What a channel answers with, beside the frames that it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from poolse._realtime.effects import Trouble
from poolse._realtime.frames import Frame
from poolse.errors import PoolseError

if TYPE_CHECKING:
    from poolse._realtime.channel import ChannelProtocol

__all__ = ["Answered", "Changed", "ChannelEffect", "Deliver", "Ended", "JoinDue"]


@attrs.frozen
class Deliver:
    """The server said this in the channel, before we knew that we are in it."""

    channel: ChannelProtocol
    frame: Frame


@attrs.frozen
class JoinDue:
    """Time to join again."""


@attrs.frozen
class Changed:
    """The server let us in, or we are in no more and will join again."""

    channel: ChannelProtocol


@attrs.frozen
class Ended:
    """The channel is closed and stays so; without an error when we left it."""

    channel: ChannelProtocol
    error: PoolseError | None


@attrs.frozen
class Answered:
    """A push has its reply, or will have none: whoever waits for one looks."""

    channel: ChannelProtocol


ChannelEffect = Frame | Deliver | JoinDue | Changed | Ended | Answered | Trouble
