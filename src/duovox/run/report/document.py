"""A page of its own: nothing in it is fetched or run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from importlib import resources

from duovox.run.report.canvas import DARK, Plot, render
from duovox.run.report.markup import Markup, element, join

# Nothing in the page may run or be fetched, whatever a transcript or a key holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, *sections: Markup) -> str:
    """Return the whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", title),
        element("style", Markup(_style())),
    )
    body = element("body", join([*sections]))
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en")


def _style() -> str:
    return resources.files("duovox.run.report").joinpath("page.css").read_text(encoding="utf-8")


def section(title: str, *parts: Markup) -> list[Markup]:
    """Return a section in a list, or an empty list where all parts are empty."""
    content = [part for part in parts if part]
    return [element("section", element("h2", title), *content)] if content else []


def gallery(plots: Sequence[Plot], images: dict[str, bytes]) -> Markup:
    """Return the plots side by side; `images` holds the light rendering of each by name."""
    figures = [_figure(plot, images[plot.name]) for plot in plots]
    return element("div", *figures, class_="plots") if figures else Markup()


def _figure(plot: Plot, light: bytes) -> Markup:
    alt = f"{plot.title}. {plot.note}"
    return element(
        "figure",
        element("h3", plot.title),
        element("img", src=_data_address(light), alt=alt, class_="light"),  # also on paper
        element("img", src=_data_address(render(plot, DARK)), alt=alt, class_="dark"),
        element("figcaption", plot.note),
    )


def _data_address(image: bytes) -> str:
    return "data:image/png;base64," + b64encode(image).decode("ascii")
