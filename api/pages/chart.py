"""A trend as SVG, drawn on the server: no script, readable without colour and by a screen reader.

Colours and line styles come from the style sheet, so that the large and the high-contrast look
hold for charts too; the figures stand in the drawing as text.

Source: W3C SVG 2, WAI-ARIA Graphics Module (role img, title and description).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

_WIDTH, _HEIGHT = 360, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 66, 24, 34
_MOST_LABELS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A level that points are compared with, e.g. the target."""

    name: str
    percent: float
    kind: str


def trend(points: Sequence[tuple[str, float | None]], lines: Sequence[Line], *, title: str) -> str:
    """Return the drawing of a percentage over time; every text in it is escaped.

    Args:
        points: (period, percent 0 to 100 or None where there is no figure), oldest first. A gap
            stays a gap: no line is drawn over it.
        title: what is shown, for readers who do not see it.
    """
    known = [value for _, value in points if value is not None]
    lowest = _floor(min([*known, *(line.percent for line in lines)], default=90.0))
    scale = _Scale(len(points), lowest)
    parts = [
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f"<title>{escape(title)}</title><desc>{escape(_told(points))}</desc>",
        *_axis(scale),
        *(part for line in lines for part in _level(scale, line)),
        *_months(scale, [period for period, _ in points]),
        *_curve(scale, [value for _, value in points]),
        "</svg>",
    ]
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    count: int
    lowest: float

    def x(self, position: int) -> float:
        steps = max(1, self.count - 1)
        share = position / steps if self.count > 1 else 0.5
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, percent: float) -> float:
        share = (percent - self.lowest) / (100 - self.lowest)
        return round(_TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _floor(percent: float) -> float:
    """Return the lower end of the axis, with room below the lowest figure.

    >>> _floor(99.2), _floor(88.4), _floor(0)
    (95.0, 85.0, 0.0)
    """
    return max(0.0, 5.0 * ((min(percent, 99.9) - 0.5) // 5))


def _told(points: Sequence[tuple[str, float | None]]) -> str:
    return "；".join(f"{period} {_percent(value)}" for period, value in points)


def _percent(value: float | None) -> str:
    """Return a percentage cut to two digits, as everywhere on the pages."""
    return "—" if value is None else f"{int(value * 100 + 1e-6) / 100:.2f} %"


def _axis(scale: _Scale) -> list[str]:
    marks = (scale.lowest, (scale.lowest + 100) / 2, 100.0)
    return [
        f'<text class="mark" x="{_LEFT - 10}" y="{scale.y(mark) + 5}" text-anchor="end">{mark:g}</text>'
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{scale.y(mark)}" y2="{scale.y(mark)}"/>'
        for mark in marks
    ]


def _level(scale: _Scale, line: Line) -> list[str]:
    y = scale.y(line.percent)
    return [
        f'<line class="level {escape(line.kind)}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>',
        f'<text class="mark" x="{_WIDTH - _RIGHT + 8}" y="{y + 5}">{escape(line.name)} {line.percent:g}</text>',
    ]


def _months(scale: _Scale, periods: Sequence[str]) -> list[str]:
    """Name periods along the axis, so few that they do not run into each other."""
    step = -(-len(periods) // _MOST_LABELS) or 1
    return [
        f'<text class="mark" x="{scale.x(n)}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(period)}</text>'
        for n, period in enumerate(periods)
        if (len(periods) - 1 - n) % step == 0
    ]


def _curve(scale: _Scale, values: Sequence[float | None]) -> list[str]:
    parts = []
    for known, run in groupby(enumerate(values), key=lambda item: item[1] is not None):
        places = [(scale.x(n), scale.y(value)) for n, value in run if value is not None]
        if not known:
            continue
        if len(places) > 1:
            path = " ".join(f"{x},{y}" for x, y in places)
            parts.append(f'<polyline class="curve" points="{path}"/>')
        parts += [f'<circle class="point" cx="{x}" cy="{y}" r="4"/>' for x, y in places]
    last = next((item for item in reversed(list(enumerate(values))) if item[1] is not None), None)
    if last is not None and last[1] is not None:
        x, y = scale.x(last[0]), scale.y(last[1])
        parts.append(  # ends at its point: to the right stand the names of the levels
            f'<text class="figure" x="{x}" y="{y - 9}" text-anchor="end">{_percent(last[1])}</text>'
        )
    return parts
