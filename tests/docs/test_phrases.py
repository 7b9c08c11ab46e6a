"""Phrases that readers cannot search for, and the words to use instead.

A page is checked without its code, but with the comments in it. Of the library, messages and public
docstrings are checked, and for the clearest phrases only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest

import poolse.testing
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import FENCE, PAGES

CLEAREST: Final = {
    r"(?:is|are|was|were|be|been|being) told": "is notified, is called with, is reported",
    r"tells? (?:of|about)": "reports",
    r"anew": "again, a new …",
    r"(?:goes|go|went|going) on": "continues, resumes",
    r"giv(?:e|es|en|ing)(?: \w+){0,3} back": "returns, releases",
    r"gave(?: \w+){0,3} back": "returned, released",
    r"of the environment": "the … environment variable",
    r"lets? us in(?:to)?": "joined",
    r"a mistake in poolse": "internal error",
    r"mint(?:s|ed|ing)?": "issue a token",
    r"time limits?": "timeout",
    r"(?:tried again|tries again|try again(?! later))": "retried, retries, retry",
    r"(?:whoever|whomever)": "a name for who it is: the user, the caller, the process",
    r"(?:twins?|flavou?rs?)": "sync and async clients",
    r"(?:no|without|lost,) double[sd]": "duplicates",
    r"shut out": "blocked",
    r"how far (?:one|it|you)(?: has| have)? (?:come|came)": "the position",
    r"nobody to ask": "name what is missing",
    r"(?:one's own|oneself)": "your own, yourself",
}
"""Regular expressions and what to write instead."""

IN_PAGES: Final = CLEAREST | {
    r"tells? (?:what|how|whether|that|why)": "reports, shows, says",
    r"answer(?:s|ed|ing)?": "response; reply of a push",
    r"rows?": "object, model, message, conversation",
    r"silence": "idle timeout, read timeout, time between two writes",
    r"(?:is|are|was|were) made (?:of|from|when|once|with|by|at|in)": "created, built, derived from",
    r"ids? of (?:its|their|your) own": "its own ID",
    r"done with": "acknowledged",
    r"for a moment": "transient",
    r"also when": "even if, while",
    r"ends? nothing": "non-fatal",
    r"(?:to the|a) storage(?! service)": "object storage, the storage service",
    r"makes? no sense": "invalid",
    r"hand(?:s|ed|ing)? out": "returns, yields, delivers, issues",
    r"(?:comes?|came|coming) back": "reconnects, rejoins, returns",
    r"of (?:ours|yours)": "our, your",
    r"read marks?": "read marker",
}


class Honest(NamedTuple):
    """A use of a phrase that is meant as it stands."""

    file: str
    text: str
    """The phrase, with enough words around it to find it."""
    reason: str


HONEST: Final = [
    Honest("CHANGELOG.md", "10 refusals in a row", "one after the other"),
    Honest("docs/realtime.md", "attempts in a row", "one after the other"),
    Honest("docs/calls.md", "answer", "a call is answered"),
    Honest("docs/cookbook/calls.md", "answers each call", "a call is answered"),
    Honest("docs/cookbook/index.md", "answer calls", "a call is answered"),
    Honest("docs/contributing/undocumented.md", "needs a row in this table", "a row of a table"),
    Honest("docs/contributing/undocumented.md", "a row whose API", "a row of a table"),
    Honest("docs/contributing/undocumented.md", "delete its row", "a row of a table"),
]


BLANKS: Final = r"[ \n]+"


def compiled(phrases: dict[str, str]) -> dict[re.Pattern[str], str]:
    """Phrases that may stretch over two lines."""
    return {
        re.compile(rf"(?<![\w-])(?:{phrase.replace(' ', BLANKS)})(?![\w-])", re.IGNORECASE): word
        for phrase, word in phrases.items()
    }


EXPORTED: Final = {*poolse.__all__, *poolse.testing.__all__}
OF_PAGES: Final = compiled(IN_PAGES)
OF_CODE: Final = compiled(CLEAREST)
PYTHON: Final = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "poolse").rglob("*.py")
)


def prose(text: str) -> str:
    """A page without its code; as many lines as before. Comments in code are prose."""

    def comments(found: re.Match[str]) -> str:
        lines = found[0].split("\n")
        return "\n".join(line.partition("# ")[2] for line in lines)

    return re.sub(r"`[^`\n]+`|\]\([^)]+\)", "", FENCE.sub(comments, text))


def is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def public_texts(path: str) -> Iterator[tuple[int, str]]:
    """The messages of a module, and docstrings that users see, each with its line."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    private = any(part.startswith("_") for part in path.replace("__init__", "").split("/"))
    # Of the sandbox, users see only the classes that poolse.testing exports.
    is_public = "/_generated/" in path or not (private or "/sandbox/" in path)
    docs = {
        id(child.value)
        for node in ast.walk(tree)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and is_sentence(node) and id(node) not in docs:
            yield node.lineno, str(node.value)
    yield from docstrings(tree, is_public=is_public)


def docstrings(node: ast.AST, *, is_public: bool) -> Iterator[tuple[int, str]]:
    """Those of a node and of what is in it; of a private module, those of exported classes."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Expr(ast.Constant(value=str(text)) as constant) if is_public:
                yield constant.lineno, text
            case (
                ast.ClassDef(name=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ):
                shown = (is_public and not name.startswith("_")) or name in EXPORTED
                yield from docstrings(child, is_public=shown)
            case _:
                pass


def found_in(text: str, phrases: dict[re.Pattern[str], str]) -> Iterator[tuple[int, str, str]]:
    """The offset of each phrase, the phrase, and what to write."""
    for phrase, instead in phrases.items():
        for found in phrase.finditer(text):
            yield found.start(), " ".join(found[0].split()), instead


def excused(file: str, text: str, start: int) -> bool:
    around = " ".join(text[max(0, start - 80) : start + 80].split())
    return any(one.file == file and one.text in around for one in HONEST)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_uses_words_that_can_be_searched_for(page: str) -> None:
    text = prose((ROOT / page).read_text("utf-8"))
    found = [
        f"{page}:{text.count(chr(10), 0, start) + 1}: “{phrase}”: {instead}"
        for start, phrase, instead in sorted(found_in(text, OF_PAGES))
        if not excused(page, text, start)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", PYTHON)
def test_a_module_uses_words_that_can_be_searched_for(module: str) -> None:
    found = [
        f"{module}:{line}: “{phrase}”: {instead}"
        for line, text in public_texts(module)
        for start, phrase, instead in found_in(text, OF_CODE)
        if not excused(module, text, start)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("use", HONEST, ids=lambda use: f"{use.file}: {use.text}")
def test_an_exception_is_still_needed(use: Honest) -> None:
    text = " ".join((ROOT / use.file).read_text("utf-8").split())
    assert use.text in text
    phrases = OF_PAGES if use.file.endswith(".md") else OF_CODE
    assert any(found_in(use.text, phrases))


def test_a_phrase_is_found_over_two_lines_and_in_comments_of_code() -> None:
    text = prose("It is\ntold.\n\n```python\nx = 1  # goes on\n```\n\n`is told`\n")
    assert [phrase for _, phrase, _ in found_in(text, OF_PAGES)] == ["is told", "goes on"]
