"""Markdown people type comes out as harmless HTML."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.markdown import ATTRIBUTES, TAGS, render

REL = 'rel="noopener noreferrer"'
OWN = {"a": {"rel"}, "pre": {"tabindex"}}  # attributes that we set ourselves


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n\n## B\n\n###### C\n\n## D", "<h2>A</h2>\n<h3>B</h3>\n<h4>C</h4>\n<h3>D</h3>\n"),
        ("### A\n\n# B\n\n### C", "<h2>A</h2>\n<h2>B</h2>\n<h3>C</h3>\n"),
        ("**b** *i* `c` ~~s~~", "<p><strong>b</strong> <em>i</em> <code>c</code> <s>s</s></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("a  \nb", "<p>a<br>\nb</p>\n"),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ('[y](https://a.example/b "t")', f'<p><a href="https://a.example/b" title="t" {REL}>y</a></p>\n'),
        ("<https://a.example>", f'<p><a href="https://a.example" {REL}>https://a.example</a></p>\n'),
        ("[m](mailto:a@b.example)", f'<p><a href="mailto:a@b.example" {REL}>m</a></p>\n'),
        ("![a *b*](/media/courses/x.webp)", '<p><img src="/media/courses/x.webp" alt="a b"></p>\n'),
        ("    code", '<pre tabindex="0"><code>code\n</code></pre>\n'),
        ("", ""),
    ],
)
def test_what_people_write_becomes_what_they_mean(text, html):
    assert render(text) == html


def test_a_table_has_no_style_attributes():
    html = render("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert html.count("<th>") == 2
    assert "style" not in html


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=https://evil.example></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](//evil.example)",
    "[x](/sign/logout/)",
    "[x](ftp://evil.example)",
    "[x](https://)",
    "[x](http://[bad)",
    "![x](https://evil.example/pixel.png)",
    "![x](//evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](/media/../sign/logout/)",
    "![x](/media/./x)",
    "![x](/media/)",
    '![x](/media/a.webp "&quot; onload=alert(1) x=&quot;")',
    '[x](https://a.example "&quot; onclick=alert(1) x=&quot;")',
    '![" onload=alert(1) x="](/media/a.webp)',
    '```"><script>alert(1)</script>\nx\n```',
    "`<script>alert(1)</script>`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>*{display:none}</style>",
    "<!-- --><base href=https://evil.example>",
    "<form action=https://evil.example><input name=password>",
    "\x00<script>\x00alert(1)",
]


def tags(html: str) -> list[tuple[str, str]]:
    return re.findall(r"<(/?[a-zA-Z0-9]+)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", html)


def assert_harmless(html: str) -> None:
    for tag, rest in tags(html):
        assert tag.removeprefix("/") in TAGS
        for name, value in re.findall(r'([a-zA-Z-]+)="([^"]*)"', rest):
            assert name in ATTRIBUTES.get(tag, set()) | OWN.get(tag, set())
            if name == "href":
                assert value.startswith(("https://", "http://", "mailto:", "/media/"))
            if name == "src":
                assert re.match(r"/media/[^.]", value)
    # Every < that is left opens or closes one of the tags above: the rest was escaped.
    assert html.count("<") == len(tags(html))


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_become_text(text):
    html = render(text)
    assert_harmless(html)
    assert not re.search(r"<[^>]*\bon\w+\s*=", re.sub(r'"[^"]*"', '""', html))


@given(st.text(alphabet=st.sampled_from("<>&\"'`[]()!#*_-|:/\\ \n\tajs=;x0") | st.characters(), max_size=200))
def test_whatever_is_typed_is_harmless(text):
    assert_harmless(render(text))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [">" * 100_000, "- " * 50_000, "[" * 50_000, "*a " * 30_000, "![" * 30_000, "`" * 50_000, "|" * 50_000],
)
def test_long_nonsense_is_answered_quickly(text):
    assert_harmless(render(text[:100_000]))
