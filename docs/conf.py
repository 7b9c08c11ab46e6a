"""How Sphinx makes a site of this folder: `make docs`. No network is needed, nor used.

Every `docs/*.md` is a guide; the other kinds of pages have folders: `cookbook/`, `api/`,
`contributing/`. A page that index.md does not list is a warning.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from api_lists import with_lists  # noqa: E402

import poolse  # noqa: E402  (from this tree)

project = "poolse"
author = "poolse"
copyright = "poolse, MIT licence"
version = release = poolse.version

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["*.py"]
nitpicky = True
suppress_warnings = ["ref.python"]  # `type` of an annotation is no field of ours

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = f"poolse {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e5f", "color-brand-content": "#0b6e5f"},
    "dark_css_variables": {"color-brand-primary": "#4fd1b5", "color-brand-content": "#4fd1b5"},
}
pygments_style = "friendly"
pygments_dark_style = "native"

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# Other people's names, whose documentation lies elsewhere, and ours that nobody imports.
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(collections|contextlib|datetime|enum|httpx|os|pathlib|pytest|sqlite3|ssl|types|uuid)\..*",
    ),
    (r"py:.*", r"poolse\.(\w+\.)+\w+|After|Seen|UUID|datetime|[A-Z]"),
]

MADE_BY_USERS = re.compile(
    r"poolse\.((Async)?Poolse(Backend)?|CallOptions|Timeout|CancelToken|UserProfile|Last|Position"
    r"|\w+Checkpoint|testing\.Sandbox)$"
)
CODE = re.compile(r"(?<![:`\w])`([^`<>]+)`(?![`_])")
LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+)(#[^)]*)?\)")
INCLUDED = {
    "CHANGELOG.md": "/contributing/changelog.md",
    "spec/README.md": "/contributing/spec.md",
}
"""Pages that lie where visitors of the repository look for them, and the page that shows each."""


def setup(app: Sphinx) -> None:
    """Docstrings are written as Markdown has it, and name things as users import them."""
    app.connect("autodoc-process-signature", shorter)
    app.connect("autodoc-process-docstring", as_rst, priority=100)
    app.connect("autodoc-skip-member", not_for_users)
    app.connect("missing-reference", by_public_name)
    app.connect("include-read", links_of_the_site)
    app.connect("source-read", lists_of_names)


def shorter(
    _app: Sphinx, what: str, name: str, obj: object, _options: object, given: str, returned: str
) -> tuple[str, str] | None:
    """Types as users import them; and how a class is made only of those that users make."""
    if not given or (what in ("class", "exception") and not MADE_BY_USERS.match(name)):
        return ("", "") if given else None
    defaults = getattr(obj if what != "class" else obj.__init__, "__globals__", {})
    valued = re.sub(r"= ([A-Z]+_[A-Z_]+)\b", lambda m: f"= {defaults.get(m[1], m[1])}", given)
    return _public(valued), _public(returned or "")


def _public(signature: str) -> str:
    unset = re.sub(r"(~?)[\w.]*Literal\[[\w.~]*_Unset\.UNSET\]", r"\1poolse.Unset", signature)
    return re.sub(r"poolse\.[\w.]+\.([A-Z]\w+)", _as_imported, unset)


def _as_imported(found: re.Match[str]) -> str:
    return f"poolse.{found[1]}" if found[1] in poolse.__all__ else found[0]


def not_for_users(
    _app: Sphinx, _what: str, _name: str, obj: object, _skip: bool, _options: object
) -> bool | None:
    """Some names are public for other packages of the library only, and say so."""
    return True if "library's own use" in (obj.__doc__ or "") else None


def as_rst(
    _app: Sphinx, what: str, _name: str, _obj: object, _options: object, lines: list[str]
) -> None:
    """`Name` is a link where it is one of ours, and code everywhere else."""
    lines[:] = CODE.sub(_linked, "\n".join(lines)).split("\n")
    if what in ("attribute", "data", "property"):
        # Napoleon would take what is before the first colon for a type.
        lines[0] = lines[0].replace(": ", "; ")


def _linked(found: re.Match[str]) -> str:
    name, after = found[1], found.string[found.end() : found.end() + 1]
    shown = f":py:obj:`~poolse.{name}`" if name in poolse.__all__ else f"``{name}``"
    return shown + ("\\ " if after.isalnum() else "")


def by_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """`poolse._generated.models.Message`, or plain `Message`, is `poolse.Message`."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in poolse.__all__:
        return None
    return env.get_domain("py").resolve_xref(
        env, str(node["refdoc"]), app.builder, "obj", f"poolse.{name}", node, content
    )


def links_of_the_site(_app: Sphinx, path: Path, _docname: str, text: list[str]) -> None:
    """A page of the repository links to files; here they are pages, or only names."""
    folder = (ROOT / "docs" / path).resolve().parent

    def link(found: re.Match[str]) -> str:
        shown, target, anchor = found.groups()
        name = (folder / target).resolve().relative_to(ROOT).as_posix()
        page = INCLUDED.get(name) or (name[4:] if name.startswith("docs/") else "")
        return f"[{shown}]({page}{anchor or ''})" if page else f"`{shown}`"

    text[0] = LINK.sub(link, text[0])


def lists_of_names(_app: Sphinx, _docname: str, text: list[str]) -> None:
    """Put in the lists of the API reference."""
    text[0] = with_lists(text[0])
