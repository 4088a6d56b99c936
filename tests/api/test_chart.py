"""Trends drawn on the server: true to their figures, safe, readable without seeing them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from api.pages.chart import Line, trend

LINES = (Line("目标", 99.0, "target"), Line("红线", 97.0, "red"))
SVG = "{http://www.w3.org/2000/svg}"
figures = st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=40)


def drawn(points: list[tuple[str, float | None]]) -> ET.Element:
    text = trend(points, LINES, title="准确率")
    return ET.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@given(figures)
def test_every_figure_is_a_point_inside_the_drawing_and_stands_in_the_description(
    values: list[float | None],
) -> None:
    points = [(f"2026-{n:02}", value) for n, value in enumerate(values)]
    root = drawn(points)
    circles = root.findall(f"{SVG}circle")
    assert len(circles) == sum(value is not None for value in values)
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= 360
        assert 0 <= float(circle.attrib["cy"]) <= 190
    described = root.findtext(f"{SVG}desc") or ""
    assert all(period in described for period, _ in points)


def test_a_higher_figure_stands_higher() -> None:
    low, high = drawn([("2026-01", 96.0), ("2026-02", 99.5)]).findall(f"{SVG}circle")
    assert float(high.attrib["cy"]) < float(low.attrib["cy"])


def test_no_line_is_drawn_over_a_month_without_figure() -> None:
    root = drawn([("2026-01", 99.0), ("2026-02", None), ("2026-03", 98.0), ("2026-04", 98.5)])
    (line,) = root.findall(f"{SVG}polyline")
    assert len(line.attrib["points"].split()) == 2


def test_a_figure_just_below_the_target_is_not_written_as_the_target() -> None:
    texts = [text.text for text in drawn([("2026-01", 98.9999)]).findall(f"{SVG}text")]
    assert "98.99 %" in texts
    assert "99.00 %" not in texts


def test_hostile_words_stay_words() -> None:
    text = trend([("<script>", 99.0)], LINES, title='"><script>alert(1)</script>')
    assert "<script>" not in text


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    assert drawn([]).findall(f"{SVG}circle") == []
