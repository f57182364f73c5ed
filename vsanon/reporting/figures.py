"""The report's figures as SVG: heat map of the matrix, curves of recall, exposure over time, literature.

Each takes the report in the form of `vsanon.reporting.pointers`, so that a printed number carries its pointer.
"""

from math import floor
from typing import Any

from markupsafe import Markup

from vsanon.reporting import svg
from vsanon.reporting.names import CODECS
from vsanon.reporting.words import METRICS, exact, share_kind, short, shown

BANDS = {
    "reaches": ("≥", "the estimate reaches the limit"),
    "unclear": ("~", "the estimate lies below it, its interval holds it"),
    "below": ("<", "the whole interval lies below it"),
    "measured": ("", "measured; no criterion sets a limit"),
    "none": ("–", "not measured"),
    "failed": ("!", "the cell failed"),
    "waiting": ("…", "not run yet"),
    "absent": ("", "not in the matrix"),
}
"""Sign and words of the state of a cell of the heat map."""

AXES = {
    "crf": ("CRF (left: best picture)", False),
    "bit_rate": ("Measured bitrate, Mbit/s, logarithmic", True),
    "side_px": ("Shorter side of the box, px, logarithmic", True),
    "jpeg_quality": ("JPEG quality (left: best picture)", False),
}
"""Words of an axis, and whether it is logarithmic."""

_ROW, _CELL, _LABEL = 30, 118, 232
_CHART, _INNER = (840, 392), (64, 46, 620, 330)
_TIMELINE_ROWS = 24


def heat_map(view: Any, report: Any, identity: str) -> Markup:
    """Encodes downwards, sources across; each cell has its figure, a sign and a colour."""
    sources, names = view["sources"], report["views"]["names"]["encodes"]
    width, height = _LABEL + _CELL * len(sources) + 2, _ROW * (len(view["rows"]) + 1) + 6
    parts = [
        svg.text(_LABEL + _CELL * (k + 0.5), 20, short(source, 15), text_anchor="middle", font_weight="600")
        for k, source in enumerate(sources)
    ]
    told = []
    for r, row in enumerate(view["rows"]):
        y = _ROW * (r + 1)
        label = names[row["encode"]]
        parts.append(svg.text(_LABEL - 10, y + 20, short(label, 32), text_anchor="end"))
        for k, entry in enumerate(row["cells"]):
            parts += _heat_cell(entry, view, report, _LABEL + _CELL * k, y)
            told.append(f"{short(label)} on {short(sources[k])}: {BANDS[entry['band']][1]}")
    name = view["class"]
    title = (
        f"Coverage of class {short(name)}, by encode and source; setting {short(view['setting'])}, "
        f"profile {short(view['profile'])}"
    )
    return svg.picture(
        identity, (width, height), title, f"{'; '.join(told)}. The table holds the figures.", *parts, links=True
    )


def _heat_cell(entry: Any, view: Any, report: Any, x: float, y: float) -> list[Markup]:
    band = entry["band"]
    if band == "absent":
        return []
    return [svg.element("a", *_heat_box(entry, view, report, x, y), href=f"#cell-{int(entry['cell'])}")]


def _heat_box(entry: Any, view: Any, report: Any, x: float, y: float) -> list[Markup]:
    band = entry["band"]
    parts = [svg.box(x + 2, y + 2, _CELL - 4, _ROW - 4, band, rx=3)]
    sign = BANDS[band][0]
    if band in ("none", "failed", "waiting"):
        words = {"failed": "failed", "waiting": "not run"}.get(band, "not measured")
        return [*parts, svg.text(x + _CELL / 2, y + 20, f"{sign} {words}", text_anchor="middle")]
    figure = report["conclusions"]["cells"][entry["id"]][view["class"]][view["metric"]]
    kind = share_kind(int(figure["n_identities"]))
    middle = {"text_anchor": "middle", "font_variant_numeric": "tabular-nums"}
    return [
        *parts,
        svg.text(x + _CELL / 2, y + 20, Markup("{} {}").format(sign, _handle(figure["estimate"], kind)), **middle),
    ]


def recall_chart(view: Any, report: Any, identity: str) -> Markup:
    """Curves with the bands of their intervals, the limit, and what literature says of the same axis."""
    curves = [report["conclusions"]["curves"][int(k)] for k in view["drawn"]]
    points = [point for curve in curves for point in curve["points"] if "not_measured" not in point["y"]]
    title = (
        f"{METRICS[view['y']]}, class {short(view['class'])}, setting {short(view['setting'])}, "
        f"over {AXES[view['x']][0]}"
    )
    if not points:
        nothing = svg.text(12, 30, "Nothing was measured here; the table says why.")
        return svg.picture(identity, (_CHART[0], 50), title, "No point was measured.", nothing)
    left, top, right, bottom = _INNER
    x_scale, x_ticks = _x_axis(view["x"], [float(point["x"]) for point in points])
    low = min(float(point["y"]["low"]) for point in points)
    lowest = max(0.0, _floor(min(low, float(view["limit"] or 1) - 0.03)))
    y_scale = svg.Scale((lowest, 1.0), (bottom, top))
    parts = _literature_marks(view, report, x_scale)
    parts += _axes(x_scale, x_ticks, y_scale, svg.ticks(lowest, 1.0, 5), view["x"])
    ends = []
    told = []
    for k, curve in enumerate(curves):
        found = sorted(
            (float(p["x"]), float(p["y"]["low"]), float(p["y"]["estimate"]), float(p["y"]["high"]))
            for p in curve["points"]
            if "not_measured" not in p["y"]
        )
        if not found:
            continue
        at = [x_scale(p[0]) for p in found]
        band = [(x, y_scale(p[3])) for x, p in zip(at, found, strict=True)]
        band += [(x, y_scale(p[1])) for x, p in reversed(list(zip(at, found, strict=True)))]
        middle = [(x, y_scale(p[2])) for x, p in zip(at, found, strict=True)]
        kind = f"series-{k % 6}"
        if len(found) > 1:
            parts.append(svg.area(band, kind))
            parts.append(svg.path(middle, kind, stroke_dasharray=svg.DASHES[k % 6]))
        else:
            parts.append(svg.line(at[0], y_scale(found[0][1]), at[0], y_scale(found[0][3]), kind))
        parts += [svg.marker(x, y, k) for x, y in middle]
        ends.append((middle[-1][1], middle[-1][0], k, short(series_name(report, curve), 24)))
        told.append(
            f"{short(series_name(report, curve))}: {len(found)} points from {shown(found[0][2], 'share')} at "
            f"{_x_words(found[0][0], view['x'])} to {shown(found[-1][2], 'share')} at "
            f"{_x_words(found[-1][0], view['x'])}"
        )
    if view["limit"] is not None:
        y = y_scale(float(view["limit"]))
        parts.append(svg.line(left, y, right, y, "ink", stroke_dasharray="3 3"))
        limit = f"limit {shown(float(view['limit']), 'level')}"
        parts.append(svg.text(left + 6, y + 14, limit, font_size=12))
    parts += _end_labels(ends)
    description = f"{'. '.join(told)}. Bands are the intervals. The table holds the figures."
    return svg.picture(identity, _CHART, title, description, *parts)


def series_name(report: Any, curve: Any) -> str:
    """What a curve is called: encodes and codecs by their short name."""
    name = str(curve["series"])
    codec, comma, others = name.partition(",")
    return str(report["views"]["names"]["encodes"].get(name, f"{CODECS.get(codec, codec)}{comma}{others}"))


def literature_chart(report: Any, identity: str) -> Markup:
    """The published curves over JPEG quality, which nothing in this report was measured on."""
    entry = next(e for e in report["literature"] if e["x"] == "jpeg_quality")
    left, top, right, bottom = _INNER
    x_scale = svg.Scale((100.0, 0.0), (left, right))
    y_scale = svg.Scale((0.0, 1.0), (bottom, top))
    parts = _axes(x_scale, [100.0, 80.0, 60.0, 40.0, 20.0, 0.0], y_scale, svg.ticks(0, 1, 5), "jpeg_quality")
    ends = []
    for k, curve in enumerate(entry["curves"]):
        at = [(x_scale(float(q)), y_scale(float(share))) for q, share in curve["points"]]
        parts.append(svg.path(at, "literature", stroke_dasharray=svg.DASHES[k + 1]))
        ends.append((at[-1][1], at[-1][0], None, curve["name"]))
    parts += _end_labels(ends)
    title = "Literature, not measured here: average precision over JPEG quality, as a share of that at quality 100"
    return svg.picture(identity, _CHART, title, f"{entry['source']}: {entry['says']}.", *parts)


def timeline(view: Any, report: Any, identity: str) -> Markup:
    """One line for each exposed identity: when it was there (thin), and when it was not covered (thick)."""
    cell = report["evidence"]["cells"][int(view["cell"])]
    exposure = cell["classes"][view["class"]]["exposure"]
    exposed = [i for i in exposure["identities"] if int(i["exposed_frames"])]
    exposed.sort(key=lambda i: (-float(i["exposed_px_frames"]), int(i["id"])))
    rows = exposed[:_TIMELINE_ROWS]
    first, last = _range(cell, report)
    left, right, top, row = 96, 590, 12, 22
    height = top + row * len(rows) + 46
    x = svg.Scale((first, last), (left, right))
    bottom = top + row * len(rows) + 4
    parts = []
    for tick in svg.ticks(first, last, 6):
        parts.append(svg.line(x(tick), top, x(tick), bottom))
        parts.append(
            svg.text(x(tick), bottom + 16, shown(tick, "count"), "muted", text_anchor="middle", font_size=12)
        )
    parts.append(svg.text((left + right) / 2, bottom + 34, "frame", "muted", text_anchor="middle", font_size=12))
    parts.append(svg.text(right + 10, bottom + 16, "not covered, of shown", "muted", font_size=12))
    for k, identity_row in enumerate(rows):
        y = top + row * k + row / 2
        start, stop = float(identity_row["first_frame"]), float(identity_row["last_frame"]) + 1
        parts.append(svg.text(left - 8, y + 4, f"identity {int(identity_row['id'])}", text_anchor="end"))
        parts.append(svg.box(x(start), y - 2, x(stop) - x(start), 4, "present"))
        for run in identity_row["runs"]:
            begin, end = x(float(run["start"])), x(float(run["stop"]))
            parts.append(svg.box(begin, y - 7, max(end - begin, 2), 14, "exposed"))
        words = Markup(" of ").join(
            (_handle(identity_row["exposed_frames"], "count"), _handle(identity_row["frames"], "count"))
        )
        parts.append(svg.text(right + 10, y + 4, words + " frames"))
    name = report["views"]["names"]["cells"][cell["id"]]
    title = f"Exposure over time in cell {short(name, 90)}, class {short(view['class'])}"
    told = "; ".join(
        f"identity {int(i['id'])} uncovered in {int(i['exposed_frames'])} of {int(i['frames'])} frames"
        for i in rows
    )
    more = f" {len(exposed) - len(rows)} more are in the table." if len(exposed) > len(rows) else ""
    return svg.picture(identity, (_CHART[0], height), title, f"{told}.{more}", *parts)


def quality_over_time(view: Any, report: Any, identity: str) -> Markup:
    """The least coverage and the worst VMAF of each stretch of frames, over one time: do they fall together?"""
    cell = report["evidence"]["cells"][int(view["cell"])]
    covered = [None if v is None else float(v) for v in cell["classes"][view["class"]]["exposure"]["over_time"]]
    scores = ((cell["picture"] or {}).get("over_time") or {}).get("vmaf") or ()
    lines: dict[str, list[float | None]] = {
        "least coverage": covered,
        "worst VMAF / 100": [float(v) / 100 for v in scores],
    }
    left, right, top, bottom = 64, 590, 12, 132
    frames = float(cell["frames"])
    x, y = svg.Scale((0.0, frames), (left, right)), svg.Scale((0.0, 1.0), (bottom, top))
    parts = []
    for tick in (0.0, 0.5, 1.0):
        parts.append(svg.line(left, y(tick), right, y(tick)))
        parts.append(svg.text(left - 8, y(tick) + 4, f"{tick:g}", "muted", text_anchor="end", font_size=12))
    for tick in svg.ticks(0.0, frames, 6):
        parts.append(
            svg.text(x(tick), bottom + 16, shown(tick, "count"), "muted", text_anchor="middle", font_size=12)
        )
    parts.append(svg.text((left + right) / 2, bottom + 34, "frame", "muted", text_anchor="middle", font_size=12))
    told, ends = [], []
    for k, (name, values) in enumerate(lines.items()):
        known = [(x((n + 0.5) * frames / len(values)), y(v), v) for n, v in enumerate(values) if v is not None]
        if not known:
            continue
        parts.append(svg.path([(a, b) for a, b, _ in known], f"series-{k}", stroke_dasharray=svg.DASHES[k]))
        ends.append((known[-1][1], known[-1][0], k, name))
        told.append(f"{name}: {shown(min(v for _, _, v in known), 'number')} at the worst")
    parts += _end_labels(ends)
    name = report["views"]["names"]["cells"][cell["id"]]
    title = f"Coverage and quality over time in cell {short(name, 90)}, class {short(view['class'])}"
    return svg.picture(identity, (_CHART[0], bottom + 46), title, f"{'; '.join(told)}.", *parts)


def _range(cell: Any, report: Any) -> tuple[float, float]:
    """The frames that the truth speaks of; at least one."""
    start, stop = (float(n) for n in report["evidence"]["sources"][cell["source"]]["range"])
    ends = [
        float(identity[key]) + (key == "last_frame")
        for entry in cell["classes"].values()
        if entry["exposure"]
        for identity in entry["exposure"]["identities"]
        for key in ("first_frame", "last_frame")
    ]
    return min(start, *ends), max(stop, start + 1, *ends)


def _handle(value: Any, kind: str) -> Markup:
    """A number inside an SVG text, with its pointer."""
    handle = {"data_path": value.path, "data_value": exact(value), "data_as": kind}
    return svg.element("tspan", shown(value, kind), class_="figure", **handle)


def _x_axis(x: str, values: list[float]) -> tuple[svg.Scale, list[float]]:
    left, _, right, _ = _INNER
    low, high = min(values), max(values)
    if AXES[x][1]:
        low, high = low / 1.15, high * 1.15
        marks = svg.log_ticks(low, high)
        if len(marks) < 2:
            marks = sorted(set(values))
    else:
        low, high = low - 1, high + 1
        marks = svg.ticks(low, high, 8)
    return svg.Scale((low, high), (left, right), log=AXES[x][1]), marks


def _x_words(value: float, x: str) -> str:
    return {"bit_rate": shown(value, "bit_rate"), "side_px": shown(value, "px")}.get(x, f"{x} {value:g}")


def _axes(x: svg.Scale, xs: list[float], y: svg.Scale, ys: list[float], name: str) -> list[Markup]:
    left, _, right, bottom = _INNER
    parts = []
    decimals = 0 if all(abs(v * 100 - round(v * 100)) < 1e-6 for v in ys) else 1
    for value in ys:
        parts.append(svg.line(left, y(value), right, y(value)))
        words = f"{100 * value:.{decimals}f} %"
        parts.append(svg.text(left - 8, y(value) + 4, words, "muted", text_anchor="end", font_size=12))
    for value in xs:
        words = f"{value / 1e6:g}" if name == "bit_rate" else f"{value:g}"
        parts.append(svg.line(x(value), bottom, x(value), bottom + 5, "muted"))
        parts.append(svg.text(x(value), bottom + 19, words, "muted", text_anchor="middle", font_size=12))
    parts.append(svg.line(left, bottom, right, bottom, "muted"))
    parts.append(
        svg.text((left + right) / 2, bottom + 40, AXES[name][0], "muted", text_anchor="middle", font_size=12)
    )
    return parts


def _literature_marks(view: Any, report: Any, x: svg.Scale) -> list[Markup]:
    """Spans of the axis that literature speaks of: above the curves, dotted at their start, named as literature."""
    left, _, right, bottom = _INNER
    parts = []
    row = 0
    for k in view["literature"]:
        entry = report["literature"][int(k)]
        for mark in entry["marks"]:
            start, stop = x(float(mark["from"])), right if mark["to"] is None else x(float(mark["to"]))
            if stop - start < 1:
                continue
            y = 12 + 17 * row
            parts.append(svg.line(start, y + 4, start, bottom, "literature", stroke_dasharray="1 4"))
            parts.append(svg.line(start, y + 4, stop, y + 4, "literature", stroke_width=2))
            words = f"literature: {entry['source'].split(',')[0]}"
            anchor, at = ("start", start + 5) if start < (left + right) / 2 else ("end", stop - 5)
            parts.append(
                svg.text(at, y, words, "literature", font_size=11, font_style="italic", text_anchor=anchor)
            )
            row += 1
    return parts


def _end_labels(ends: list[Any]) -> list[Markup]:
    """The name of each curve right of its last point, pushed apart where they would touch."""
    parts = []
    last = 0.0
    right = _INNER[2]
    for y, x, series, name in sorted(ends, key=lambda end: (end[0], end[3])):
        at = max(y + 4, last + 16)
        last = at
        kind = "literature" if series is None else f"series-{series % 6}"
        if series is not None:
            parts.append(svg.marker(right + 22, at - 4, series))
        parts.append(svg.line(x + 6, y, right + 12, at - 4, kind, stroke_width="0.7"))
        parts.append(svg.text(right + 32, at, name, kind, font_weight="600"))
    return parts


def _floor(value: float) -> float:
    """The next lower tenth; the next lower twentieth above nine tenths."""
    return floor(value * 20 + 1e-9) / 20 if value >= 0.9 else floor(value * 10 + 1e-9) / 10
