"""Rows, enums, channels and events, as symbols."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.apidiff.method_symbols import parameters, resource_symbols
from codegen.apidiff.symbols import Symbol, age, named
from codegen.ir import Alias, Api, Channel, Enum, Event, Model, Push

__all__ = ["class_names", "symbols_of"]


def symbols_of(api: Api) -> tuple[Symbol, ...]:
    """All that is public of an API."""
    return (
        *resource_symbols(api),
        *(_enum(enum) for enum in api.enums),
        *(_model(model) for model in api.models),
        *(Symbol(key=f"request {r.name}", name=r.name, mark=r.mark) for r in api.requests),
        *(_channel(channel) for channel in api.channels),
        *(_event(event, channel) for channel in api.channels for event in channel.events),
        *(
            Symbol(key=f"code {code.name}", name=f"ApiError.code == {code.name!r}", mark=code.mark)
            for code in api.codes
        ),
    )


def class_names(api: Api) -> dict[str, str]:
    """What classes of rows and enums are called now, by their old names."""
    things: tuple[Enum | Model | Event, ...] = (*api.enums, *api.models, *api.events)
    return {alias.name: alias.now for one in things for alias in one.old.classes}


def _before(prefix: str, aliases: tuple[Alias, ...]) -> dict[str, str]:
    return {f"{prefix}{alias.name}": alias.until for alias in aliases}


def _enum(enum: Enum) -> Symbol:
    return Symbol(
        key=f"row {enum.name}",
        name=enum.name,
        mark=enum.mark,
        before=_before("row ", enum.old.classes),
        traits={"open": enum.open, **age(enum.old, [enum.doc], is_class=True)},
        parts=tuple(
            Symbol(
                key=value,
                name=f"{enum.name}.{name}",
                mark=enum.mark,
                adding="added" if enum.open else "value of a closed enum",
            )
            for name, value in enum.members
        ),
    )


def _model(model: Model) -> Symbol:
    return Symbol(
        key=f"row {model.name}",
        name=model.name,
        mark=model.mark,
        before=_before("row ", model.old.classes),
        traits={"base": model.base, **age(model.old, [model.doc], is_class=True)},
        parts=tuple(_fields(model)),
    )


def _fields(model: Model) -> Iterator[Symbol]:
    for field in model.fields:
        yield Symbol(
            key=field.name,
            name=f"{model.name}.{field.name}",
            mark=field.mark,
            before=_before("", field.old.names),
            same=field.wire,
            traits={
                "gives": field.annotation,
                "secret": field.secret,
                "absent": (field.annotation, not field.required),
                "wire": (field.wire,),
                **age(field.old, [field.doc]),
            },
        )


def _channel(channel: Channel) -> Symbol:
    return Symbol(
        key=f"channel {channel.accessor}",
        name=channel.class_name,
        called=f".{channel.accessor}()",
        mark=channel.mark,
        before=_before("channel ", channel.old.names),
        same=channel.topic,
        traits={
            "class": named(channel.class_name, channel.old),
            "argument": channel.param,
            "presence": channel.presence.property if channel.presence else "",
            "wire": (channel.topic,),
            **age(channel.old, [channel.doc, channel.param_doc]),
        },
        parts=(
            *(_callback(event, channel) for event in channel.events),
            *(_push(push, channel) for push in channel.pushes),
        ),
    )


def _callback(event: Event, channel: Channel) -> Symbol:
    return Symbol(
        key=event.callback,
        name=f"{channel.class_name}.{event.callback}()",
        mark=event.mark,
        where=event.wire,
        before=_before("", event.old.names),
        same=event.wire,
        traits={
            "payload": named(event.class_name, event.old),
            "event": event.wire,
            "replay": event.replay,
            "transient": event.transient,
            **age(event.old, [event.doc]),
        },
    )


def _push(push: Push, channel: Channel) -> Symbol:
    return Symbol(
        key=push.method,
        name=f"{channel.class_name}.{push.method}()",
        mark=push.mark,
        where=push.wire,
        before=_before("", push.old.names),
        same=push.wire,
        traits={
            "wire": (push.wire,),
            "result": push.result or "None",
            **age(push.old, [push.summary]),
        },
        parts=tuple(parameters(push.params, f"{channel.class_name}.{push.method}")),
    )


def _event(event: Event, channel: Channel) -> Symbol:
    return Symbol(
        key=f"event {event.class_name}",
        name=event.class_name,
        mark=event.mark,
        before=_before("event ", event.old.classes),
        same=f"{channel.topic} {event.wire}",
        traits={"base": event.base, **age(event.old, [], is_class=True)},
        parts=tuple(_fields(event.model)) if event.model else (),
    )
