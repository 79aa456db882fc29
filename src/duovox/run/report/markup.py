"""HTML that escapes by itself: whatever is not markup already is text, and text is data."""

from __future__ import annotations

from html import escape

VOID = ("img", "meta", "br")  # elements that have no content and no end tag


class Markup(str):
    """Text that is HTML already; every other string is escaped when it enters an element."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str) -> Markup:
    """Return `<name attributes>content</name>`; `class_` stands for `class`, `a_b` for `a-b`."""
    inside = "".join(c if isinstance(c, Markup) else escape(c, quote=False) for c in content)
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    written = "".join(f' {key}="{escape(value)}"' for key, value in named)
    return Markup(f"<{name}{written}>" + ("" if name in VOID else f"{inside}</{name}>"))


def join(parts: list[Markup]) -> Markup:
    """Return the parts one after the other."""
    return Markup("\n".join(parts))


def table(header: list[str], rows: list[list[str]], *, class_: str = "") -> Markup:
    """Return a table that scrolls sideways where the page is narrow."""
    head = element("tr", *(element("th", name, scope="col") for name in header))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    whole = element("table", element("thead", head), element("tbody", *body), class_=class_)
    return element("div", whole, class_="scroll")
