"""The detector over all score thresholds as SVG: precision over recall, and misses over false boxes."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from vsanon.reporting import svg
from vsanon.reporting.words import short, shown

_SIZE, _INNER = (840, 360), (70, 24, 600, 300)
_LEAST = 1e-3
"""Where logarithmic axes begin."""


def precision_chart(view: Any, report: Any, identity: str) -> Markup:
    """Precision over recall, a curve an encode, from the surest boxes on."""
    rows = _rows(view, report)
    curves = [
        [(float(p["recall"]), float(p["precision"])) for p in row["points"] if p["precision"] is not None]
        for row in rows
    ]
    left, top, right, bottom = _INNER
    least = [min((point[k] for curve in curves for point in curve), default=0.0) for k in (0, 1)]
    x = svg.Scale((_floor(least[0]), 1.0), (left, right))
    y = svg.Scale((_floor(least[1]), 1.0), (bottom, top))
    ticks = (svg.ticks(*x.values, 6), svg.ticks(*y.values, 5))
    names = ("Found (recall)", "Precision")
    parts = _frame(x, y, ticks, names, lambda value: shown(value, "level"))
    title = f"Precision over recall, class {short(view['class'])}, setting {short(view['setting'])}"
    return _drawn(curves, rows, (x, y), parts, title, report, identity)


def miss_chart(view: Any, report: Any, identity: str) -> Markup:
    """The share missed over false boxes a frame, both logarithmic, a curve an encode."""
    rows = _rows(view, report)
    curves = [
        [(max(float(p["false_per_frame"]), _LEAST), max(float(p["miss_rate"]), _LEAST)) for p in row["points"]]
        for row in rows
    ]
    left, top, right, bottom = _INNER
    most = max([1.0, *(point[0] for curve in curves for point in curve)])
    x, y = svg.Scale((_LEAST, most), (left, right), log=True), svg.Scale((_LEAST, 1.0), (bottom, top), log=True)
    marks = [value for value in (0.001, 0.01, 0.1, 1.0, 10.0) if value <= most]
    names = ("False boxes a frame, logarithmic; the least stands for none", "Missed, logarithmic")
    parts = _frame(x, y, (marks, [0.001, 0.01, 0.1, 1.0]), names, lambda value: f"{value:g}")
    title = f"Misses over false boxes, class {short(view['class'])}, setting {short(view['setting'])}"
    return _drawn(curves, rows, (x, y), parts, title, report, identity)


def _rows(view: Any, report: Any) -> list[Any]:
    return [report["conclusions"]["sweeps"][int(k)] for k in view["drawn"]]


def _drawn(
    curves: Sequence[Sequence[tuple[float, float]]],
    rows: Sequence[Any],
    scales: tuple[svg.Scale, svg.Scale],
    parts: list[Markup],
    title: str,
    report: Any,
    identity: str,
) -> Markup:
    x, y = scales
    right, told, labels = _INNER[2], [], []
    for k, (curve, row) in enumerate(zip(curves, rows, strict=True)):
        name = short(report["views"]["names"]["encodes"][row["encode"]], 26)
        if not curve:
            continue
        at = [(x(a), y(b)) for a, b in curve]
        parts.append(svg.path(at, f"series-{k % 6}", stroke_dasharray=svg.DASHES[k % 6]))
        parts += [svg.marker(a, b, k, 3) for a, b in at]
        labels.append((k, name))
        told.append(f"{name}: from {curve[-1][0]:.3g}, {curve[-1][1]:.3g} to {curve[0][0]:.3g}, {curve[0][1]:.3g}")
    for place, (k, name) in enumerate(labels):
        at_y = _INNER[1] + 16 + 20 * place
        parts.append(svg.marker(right + 24, at_y - 4, k))
        parts.append(svg.text(right + 36, at_y, name, f"series-{k % 6}", font_weight="600"))
    return svg.picture(identity, _SIZE, title, f"{'. '.join(told)}. The table holds the figures.", *parts)


def _frame(
    x: svg.Scale, y: svg.Scale, ticks: tuple[Sequence[float], Sequence[float]], names: tuple[str, str], words: Any
) -> list[Markup]:
    left, top, right, bottom = _INNER
    small = {"font_size": 12}
    parts = []
    for value in ticks[1]:
        parts.append(svg.line(left, y(value), right, y(value)))
        parts.append(svg.text(left - 8, y(value) + 4, words(value), "muted", text_anchor="end", **small))
    for value in ticks[0]:
        parts.append(svg.line(x(value), bottom, x(value), bottom + 5, "muted"))
        parts.append(svg.text(x(value), bottom + 19, words(value), "muted", text_anchor="middle", **small))
    parts.append(svg.line(left, bottom, right, bottom, "muted"))
    parts.append(svg.text((left + right) / 2, bottom + 40, names[0], "muted", text_anchor="middle", **small))
    parts.append(svg.text(left, top - 8, names[1], "muted", **small))
    return parts


def _floor(value: float) -> float:
    """The next lower tenth, and one tenth of room at least."""
    return min(0.9, int(value * 10 + 1e-9) / 10)
