"""Markdown somebody typed, as HTML that is safe to show.

Raw HTML in the text is shown as text. What comes out is sanitised by an allow-list all the same: links lead to
http, https or mailto addresses, images are those uploaded here, and there is neither style nor script.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

import nh3
from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

SCHEMES = {"http", "https", "mailto"}
TAGS = {
    "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote",
    "ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}


def render(text: str) -> SafeString:
    """The text as HTML. Headings begin at h2, because h1 is the title of the page."""
    html = nh3.clean(
        _parser().render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep,
        # What scrolls sideways on a phone must be reachable by keyboard.
        set_tag_attribute_values={"pre": {"tabindex": "0"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
    )
    return mark_safe(html)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # What may not be linked stays as the text that was typed, rather than as a link to nowhere.
    parser.validateLink = _may_lead_to  # type: ignore[method-assign]
    parser.core.ruler.push("lower_headings", _lower_headings)
    parser.add_render_rule("image", _image)
    return parser


def _may_lead_to(url: str) -> bool:
    return _is_link(url) or _is_ours(url)


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc or parts.scheme == "mailto")


def _is_ours(url: str) -> bool:
    """An uploaded file: below the address of uploads, without a way out of it."""
    return url.startswith(settings.MEDIA_URL) and not {"..", "", "."}.intersection(
        url.removeprefix(settings.MEDIA_URL).split("/")
    )


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src" and not _is_ours(value):
        return None
    if attribute == "href" and not _may_lead_to(value):
        return None
    return value


def _lower_headings(state: StateCore) -> None:
    """The outermost headings become h2, and no level is left out on the way down."""
    outer: list[int] = []  # levels typed, from the outermost to the one we are under
    for token in state.tokens:
        if token.type not in {"heading_open", "heading_close"}:
            continue
        if token.type == "heading_open":
            typed = int(token.tag[1:])
            outer = [*(level for level in outer if level < typed), typed]
        token.tag = f"h{min(6, len(outer) + 1)}"


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    text = renderer.renderInlineAsText(token.children, options, env)
    if not _is_ours(str(token.attrs["src"])):
        return escape(text)
    token.attrs["alt"] = text
    return renderer.renderToken(tokens, index, options, env)
