from __future__ import annotations

from duovox.run.report.markup import Markup, element, join, table


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element("p", "a < b & c", element("b", "<i>")) == (
        "<p>a &lt; b &amp; c<b>&lt;i&gt;</b></p>"
    )


def test_attributes_are_escaped_and_named_as_in_html() -> None:
    written = element("meta", http_equiv="x", class_='"><script>')
    assert written == '<meta http-equiv="x" class="&quot;&gt;&lt;script&gt;">'


def test_parts_stay_markup_when_joined() -> None:
    assert element("p", join([Markup("<b>"), Markup("</b>")])) == "<p><b>\n</b></p>"


def test_a_table_has_its_header_and_rows() -> None:
    written = table(["a"], [["1"], ["<"]], class_="x")
    assert '<th scope="col">a</th>' in written
    assert "<tr><td>1</td></tr><tr><td>&lt;</td></tr>" in written
