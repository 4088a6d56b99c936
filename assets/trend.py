"""The months of a dataset's accuracy as a small table that Dagster shows on the asset; pure."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.accuracy.figures import MonthFigures
from contracts.accuracy.measures import cut_percent

MONTHS = 12
_HEAD = (
    "| 月份 month | 行数 rows | 准确率 accuracy | 变化 change | 停发 stopped | 依据 by |\n"
    "|---|--:|--:|:-:|--:|---|"
)
_BARS = "▁▂▃▄▅▆▇█"


def trend_table(months: Sequence[MonthFigures]) -> str:
    """Return the newest months as Markdown: a sparkline, then a row each, newest first.

    Args:
        months: of one dataset, newest first.
    """
    if not months:
        return "尚无批次 / nothing delivered yet"
    shown = months[:MONTHS]
    shares = [item.headline.share for item in months[: MONTHS + 1]]
    before = [*shares[1:], None][: len(shown)]
    rows = [_row(item, older) for item, older in zip(shown, before, strict=True)]
    return "\n".join((f"`{sparkline(shares[:MONTHS][::-1])}`", "", _HEAD, *rows))


def _row(item: MonthFigures, before: float | None) -> str:
    share, measure = item.headline.share, item.headline.measure
    percent = "–" if share is None else f"{cut_percent(share):.2f} %"
    by = "–" if measure is None else measure.title
    return (
        f"| {item.month} | {item.rows:,} | {percent} | {arrow(share, before)} | {item.stopped} "
        f"| {by} |"
    )


def arrow(now: float | None, before: float | None) -> str:
    """Return where a share has gone, as far as two digits of its percentage show.

    >>> arrow(0.992, 0.981), arrow(0.981, 0.992), arrow(0.99, 0.99), arrow(0.99, None)
    ('↑', '↓', '→', '')
    """
    if now is None or before is None:
        return ""
    new, old = cut_percent(now) or 0.0, cut_percent(before) or 0.0
    return "→" if new == old else ("↑" if new > old else "↓")


def sparkline(shares: Sequence[float | None]) -> str:
    """Return shares as bars between the lowest and the highest of them, oldest first.

    >>> sparkline([0.95, 0.97, None, 0.99])
    '▁▄ █'
    """
    known = [share for share in shares if share is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    top = len(_BARS) - 1
    return "".join(
        " " if share is None else _BARS[int((share - low) / span * top + 1e-9)] for share in shares
    )
