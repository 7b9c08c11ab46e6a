"""Arguments that are IDs of another kind, and become those that the API takes.

A list of the API has both, such as that of the members of a conversation. What it says is kept for
the life of the client: the two IDs of one thing belong together for ever. It is asked for again if
it does not have an ID yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from poolse._rest.arguments import is_list
from poolse._rest.endpoint import Translation
from poolse._rest.request import check_arguments
from poolse.errors import UsageError
from poolse.types import UNSET

__all__ = ["MAX_LISTS", "KnownIds", "ids_to_look_up", "key_of", "pairs_in", "remember", "translate"]

MAX_LISTS: Final = 1000
"""Number of lists that are kept. With one more, all others are forgotten."""

Key = tuple[str, str, str]
KnownIds = dict[Key, Mapping[str, str]]
"""By list: what to send for each ID."""


def ids_to_look_up(translation: Translation[Any], given: object, other: object) -> list[str]:
    """Return the IDs that a list has to be asked for, none if the argument can be sent as it is.

    Args:
        translation: How the one parameter becomes the other.
        given: The argument that can be sent.
        other: The argument that is looked up.

    Raises:
        ArgumentTypeError: An ID to look up has the wrong type.
        UsageError: One of them is empty, or not exactly one of two arguments is passed.
    """
    names = f"{translation.target} or {translation.param}"
    if translation.is_needed and (given is UNSET) == (other is UNSET):
        raise UsageError(f"pass {names}, and not both" if other is not UNSET else f"pass {names}")
    if other is UNSET:
        return []
    name = translation.param
    checked = check_arguments({name: translation.takes}, {name: other})[name]
    return list(cast("Sequence[str]", checked)) if translation.is_list else [cast("str", checked)]


def key_of(translation: Translation[Any], path: Mapping[str, object]) -> Key:
    """Return what identifies a list, and the two IDs of its items."""
    where = translation.endpoint.path.format_map(path)
    return where, translation.known, translation.wanted


def pairs_in(translation: Translation[Any], page: object) -> dict[str, str]:
    """Return what to send for each ID in a list. Older servers may not send the IDs."""
    pairs = {
        getattr(item, translation.known): getattr(item, translation.wanted)
        for item in translation.items(page)
    }
    return {known: wanted for known, wanted in pairs.items() if None not in (known, wanted)}


def remember(known_ids: KnownIds, key: Key, pairs: Mapping[str, str]) -> None:
    """Keep what a list says."""
    if len(known_ids) >= MAX_LISTS:
        known_ids.clear()
    known_ids[key] = pairs


def translate(
    translation: Translation[Any], given: object, ids: Sequence[str], known: Mapping[str, str]
) -> object:
    """Return the argument to send.

    Raises:
        UsageError: The list does not have one of the IDs.
    """
    unknown = [one for one in ids if one not in known]
    if unknown:
        listed = f"{translation.param}: {translation.method}() returns"
        name = translation.known
        if not known:
            raise UsageError(f"{listed} no {name}; an older server does not send it")
        raise UsageError(f"{listed} nothing with {name} {' or '.join(map(repr, unknown))}")
    found = [known[one] for one in dict.fromkeys(ids)]
    if not translation.is_list:
        return found[0]
    if given is UNSET:
        return found
    # What is no list is refused like any other argument.
    return [*cast("Sequence[object]", given), *found] if is_list(given) else given
