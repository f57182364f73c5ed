"""SVG from a few pure functions: exact, small, the same bytes for the same numbers, readable in light and dark.

Each element carries its colours of a light page as attributes, so that a picture stands by itself and prints; a
page overrides them by class for a dark screen.
"""

from collections.abc import Iterable
from math import ceil, floor, log2, log10

from markupsafe import Markup, escape

from vsanon.reporting.words import visible

PALETTE = {
    "ink": "#1c2128",
    "muted": "#57606a",
    "line": "#d4d9df",
    "paper": "#ffffff",
    "reaches": "#cde7df",
    "unclear": "#fbe9bd",
    "below": "#f6c8bd",
    "failed": "#d4d9df",
    "waiting": "#d4d9df",
    "none": "#f2f4f6",
    "measured": "#d8e4f3",
    "present": "#c3ccd6",
    "exposed": "#a52a16",
    "literature": "#7a5a00",
    "literature-fill": "#f7efd9",
    "series-0": "#1f5fa8",
    "series-1": "#a8441f",
    "series-2": "#23704f",
    "series-3": "#6d3f9c",
    "series-4": "#57606a",
    "series-5": "#8a6100",
}
"""Colours on a light page by class; reports/templates/report.css has those of a dark one."""

DASHES = (None, "7 4", "2 3", "9 3 2 3", "12 4", "1 3")

Attribute = str | float | int | None


def element(tag: str, *inside: Markup | str, **attributes: Attribute) -> Markup:
    """One element; text inside is made visible, it and attributes are escaped, numbers get two decimals at most.

    A `_` in an attribute's name stands for `-`, and one at its end is dropped (`class_`).
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    content = Markup("").join(part if isinstance(part, Markup) else visible(part) for part in inside)
    return Markup(f"<{tag}{written}/>") if not content else Markup(f"<{tag}{written}>{content}</{tag}>")


def number(value: float | int | str) -> str:
    """A coordinate with two decimals at most, without needless zeros."""
    if isinstance(value, str):
        return value
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def picture(
    identity: str, size: tuple[float, float], title: str, description: str, *inside: Markup, links: bool = False
) -> Markup:
    """A whole SVG of (width, height) pixels with its title and its text alternative.

    Args:
        identity: unique on the page; the ids of title and description start with it.
        links: there are links inside, which a reader of an image would not come to.
    """
    width, height = size
    return element(
        "svg",
        element("title", title, id=f"{identity}-title"),
        element("desc", description, id=f"{identity}-text"),
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        role="group" if links else "img",
        aria_labelledby=f"{identity}-title {identity}-text",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        font_family="system-ui, 'Noto Sans', 'DejaVu Sans', sans-serif",
        font_size=13,
    )


def text(x: float, y: float, words: Markup | str, kind: str = "ink", **more: Attribute) -> Markup:
    return element("text", words, x=x, y=y, class_=_classes(kind, more), fill=PALETTE[kind], **more)


def box(x: float, y: float, width: float, height: float, kind: str, **more: Attribute) -> Markup:
    return element(
        "rect",
        x=x,
        y=y,
        width=max(width, 0),
        height=max(height, 0),
        class_=f"fill-{kind}",
        fill=PALETTE[kind],
        **more,
    )


def line(x0: float, y0: float, x1: float, y1: float, kind: str = "line", **more: Attribute) -> Markup:
    return element("line", x1=x0, y1=y0, x2=x1, y2=y1, class_=f"stroke-{kind}", stroke=PALETTE[kind], **more)


def path(points: Iterable[tuple[float, float]], kind: str, **more: Attribute) -> Markup:
    """A line through `points`, (x, y)."""
    return element(
        "path", d=_d(points), class_=f"stroke-{kind}", stroke=PALETTE[kind], fill="none", stroke_width=2, **more
    )


def area(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    """The surface within `points`, pale."""
    return element("path", d=f"{_d(points)}Z", class_=f"fill-{kind}", fill=PALETTE[kind], fill_opacity="0.14")


def marker(x: float, y: float, series: int, size: float = 4.5) -> Markup:
    """The sign of a series: circle, square, diamond, triangle up, triangle down, cross; filled."""
    kind = f"series-{series % 6}"
    around: tuple[tuple[float, float], ...]
    match series % 6:
        case 0:
            return element("circle", cx=x, cy=y, r=size, class_=f"fill-{kind}", fill=PALETTE[kind])
        case 1:
            around = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        case 2:
            around = ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0))
        case 3:
            around = ((0, -1.2), (1.2, 1), (-1.2, 1))
        case 4:
            around = ((0, 1.2), (1.2, -1), (-1.2, -1))
        case _:
            around = ((-1, -0.4), (-0.4, -0.4), (-0.4, -1), (0.4, -1), (0.4, -0.4), (1, -0.4))
            around += tuple((-dx, -dy) for dx, dy in around)
    d = _d((x + dx * size, y + dy * size) for dx, dy in around)
    return element("path", d=f"{d}Z", class_=f"fill-{kind}", fill=PALETTE[kind])


class Scale:
    """Where a value lies on an axis.

    Args:
        values: the least and the greatest value of the axis.
        pixels: where they lie.
        log: logarithmic; the values must be above 0.
    """

    def __init__(self, values: tuple[float, float], pixels: tuple[float, float], *, log: bool = False) -> None:
        self.values, self.pixels, self.log = values, pixels, log

    def __call__(self, value: float) -> float:
        low, high = (log2(v) for v in self.values) if self.log else self.values
        at = log2(value) if self.log else value
        share = (at - low) / (high - low) if high != low else 0.5
        return self.pixels[0] + min(max(share, 0.0), 1.0) * (self.pixels[1] - self.pixels[0])


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round values from `low` to `high`, in steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Values of 1, 2 and 5 times a power of ten from `low` to `high`."""
    found = [m * 10.0**e for e in range(floor(log10(low)), ceil(log10(high)) + 1) for m in (1, 2, 5)]
    return [value for value in found if low <= value <= high]


def _d(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def _classes(kind: str, more: dict[str, Attribute]) -> str:
    own = more.pop("class_", None)
    return f"fill-{kind}" if own is None else f"fill-{kind} {own}"
