"""The layouts of many countries' registration plates: sizes, rows of characters, colours."""

from dataclasses import dataclass

Rgb = tuple[int, int, int]

WHITE, SILVER, CREAM = (238, 238, 234), (196, 198, 200), (236, 228, 200)
YELLOW, AMBER, BLACK, INK = (242, 196, 30), (250, 166, 20), (22, 22, 24), (30, 30, 60)
BLUE, NAVY, GREEN, MINT, RED, MAROON = (
    (24, 66, 160),
    (20, 34, 96),
    (0, 104, 66),
    (150, 214, 170),
    (176, 24, 32),
    (96, 14, 28),
)

# In a pattern these stand for one drawn at random; any other character stands for itself.
ALPHABETS = {
    "A": "ABCDEFGHJKLMNPRSTUVWXYZ",
    "9": "0123456789",
    "C": "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云陕甘青宁新",
    "J": "さすせそたちつてとなにぬねのはひふほまみむめもやゆらりるれろ",
    "K": "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주",
    "T": "กขคฆงจฉชฌญฎฐฒณตถทธนบปผพภมยรลวศษสหฬอฮ",
    "R": "٠١٢٣٤٥٦٧٨٩",
    "B": "ابجدرسصطعقكلمنهوى",
    "Y": "ABEKMHOPCTYX",
}
TOWNS = (
    "CALIFORNIA", "NEW YORK", "Texas", "FLORIDA", "Ohio", "Oregon", "SUNSHINE STATE", "Garden State", "QUEBEC",
    "ONTARIO", "VICTORIA", "NSW", "BRASIL", "MEXICO", "ARGENTINA", "CHILE", "PERU", "COLOMBIA", "SP - SAO PAULO",
    "GAUTENG", "KENYA", "WASHINGTON", "Land of Lincoln",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One row of characters in a box of the plate's width and height (0 to 1 each)."""

    patterns: tuple[str, ...]
    box: tuple[float, float, float, float] = (0.04, 0.12, 0.96, 0.88)
    script: str = "latin"


@dataclass(frozen=True, slots=True)
class Layout:
    """A country's plate: its size in mm, its rows, and its colours as (ground, characters)."""

    size: tuple[int, int]
    lines: tuple[Line, ...]
    colours: tuple[tuple[Rgb, Rgb], ...] = ((WHITE, BLACK),)
    band: Rgb | None = None  # left, as in Europe
    band_right: Rgb | None = None
    strip: Rgb | None = None  # along the top, as in Mercosur
    town: tuple[float, float, float, float] | None = None  # small words, as in the United States
    weight: float = 1.0


def _rows(
    upper: tuple[str, ...], lower: tuple[str, ...], split: float = 0.48, script: str = "latin"
) -> tuple[Line, ...]:
    return (
        Line(upper, (0.1, 0.08, 0.9, split - 0.02), script),
        Line(lower, (0.05, split + 0.03, 0.95, 0.93), script),
    )


_EU = (0.13, 0.14, 0.96, 0.86)
_EU_FR = (0.12, 0.14, 0.89, 0.86)
_US = (0.06, 0.27, 0.94, 0.84)
_EU_PATTERNS = (
    "AA 99 AAA", "A 99 AAA", "AA 999999", "AA·AA 9999", "A AA 999", "AAA 9999", "AA-999-AA", "99-AA-99",
    "AA 999 AA", "9AA 9999", "AAA 999", "AA 99999", "99 AA 99", "AAA-99-9", "9-AAA-999", "A 9999 AA", "AA99 AAA",
)  # fmt: skip

LAYOUTS = (
    Layout((520, 112), (Line(_EU_PATTERNS, _EU),), ((WHITE, BLACK),), band=BLUE, weight=6),
    Layout(
        (520, 112), (Line(_EU_PATTERNS, _EU),), ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, RED)), band=BLUE, weight=2
    ),
    Layout((520, 112), (Line(_EU_PATTERNS, _EU_FR),), ((WHITE, BLACK),), band=BLUE, band_right=BLUE, weight=2),
    Layout(
        (520, 114),
        (
            Line(
                ("AA99 AAA", "A999 AAA", "AAA 999A"),
            ),
        ),
        ((YELLOW, BLACK), (WHITE, BLACK)),
        weight=4,
    ),
    Layout(
        (520, 112),
        (
            Line(
                ("AA 999999", "A 99999", "999 999", "AA 99999", "99-AA-99"),
            ),
        ),
        ((WHITE, BLACK), (BLACK, SILVER), (YELLOW, BLACK)),
        weight=3,
    ),
    Layout(
        (520, 112),
        (Line(("Y999YY", "YY9999"), (0.04, 0.12, 0.75, 0.9)), Line(("99", "199", "777"), (0.79, 0.1, 0.95, 0.6))),
        weight=2,
    ),
    Layout(
        (340, 200),
        _rows(("AA", "A 99", "AA 99", "AA·A", "99 AA"), ("999 AA", "9999", "AAA", "99999", "AA 999")),
        ((WHITE, BLACK), (YELLOW, BLACK)),
        band=BLUE,
        weight=3,
    ),
    Layout(
        (280, 200),
        _rows(("AA", "A 99", "AA 99"), ("999", "9999", "AAA", "AA 99")),
        ((WHITE, BLACK), (YELLOW, BLACK)),
        weight=2,
    ),
    Layout(
        (305, 152),
        (Line(("AAA 9999", "9AAA999", "AAA-9999", "AAA 999", "999 AAA", "AAAA 999", "AA 99999", "A99 9AA"), _US),),
        (
            (WHITE, NAVY),
            (WHITE, BLACK),
            (CREAM, MAROON),
            (NAVY, WHITE),
            (WHITE, RED),
            (MINT, INK),
            (YELLOW, NAVY),
            (BLACK, YELLOW),
            (SILVER, GREEN),
        ),
        town=(0.2, 0.05, 0.8, 0.23),
        weight=7,
    ),
    Layout(
        (372, 134),
        (Line(("AAA 999", "999 AAA", "AA 99 AA", "1AA 9AA"), (0.04, 0.22, 0.96, 0.95)),),
        ((WHITE, BLUE), (WHITE, BLACK), (YELLOW, BLACK), (BLACK, WHITE)),
        weight=2,
    ),
    Layout(
        (400, 130),
        (Line(("AAA9A99", "AA 999 AA", "AAA-9999"), (0.06, 0.31, 0.94, 0.92)),),
        ((WHITE, BLACK), (WHITE, RED)),
        strip=BLUE,
        weight=4,
    ),
    Layout(
        (400, 130),
        (Line(("AAA-9999",), (0.05, 0.26, 0.95, 0.94)),),
        ((SILVER, BLACK), (RED, WHITE), (WHITE, BLACK)),
        town=(0.25, 0.04, 0.75, 0.22),
        weight=2,
    ),
    Layout(
        (200, 170),
        _rows(("AAA",), ("9999", "9A99"), 0.52),
        ((SILVER, BLACK), (WHITE, BLACK)),
        town=(0.25, 0.02, 0.75, 0.13),
        weight=2,
    ),
    Layout(
        (330, 165),
        _rows(("99A", "99A", "99AA", "99-A"), ("999.99", "9999", "99999"), 0.5),
        ((WHITE, BLACK), (WHITE, BLACK), (YELLOW, BLACK), (BLUE, WHITE)),
        weight=5,
    ),
    Layout(
        (190, 140),
        _rows(("99-A9", "99-AA", "99 A9", "99-9A"), ("999.99", "9999", "99999"), 0.48),
        ((WHITE, BLACK), (WHITE, BLACK), (BLUE, WHITE), (YELLOW, BLACK)),
        weight=6,
    ),
    Layout(
        (470, 110),
        (
            Line(
                ("99A-999.99", "99A-9999", "99A 99999"),
            ),
        ),
        ((WHITE, BLACK), (YELLOW, BLACK)),
        weight=3,
    ),
    Layout(
        (500, 120),
        (
            Line(
                ("AA 99 AA 9999", "AA99AA9999", "AA 9 A 9999", "AA 99 A 9999"),
            ),
        ),
        ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, BLACK), (BLACK, YELLOW), (GREEN, WHITE)),
        weight=4,
    ),
    Layout(
        (340, 200),
        _rows(("AA 99", "AA 99 A", "AA-99"), ("AA 9999", "9999", "A 9999")),
        ((WHITE, BLACK), (YELLOW, BLACK), (BLACK, WHITE)),
        weight=3,
    ),
    Layout(
        (200, 100),
        _rows(("AA 99", "AA99"), ("A 9999", "9999", "AA 999")),
        ((WHITE, BLACK), (YELLOW, BLACK)),
        weight=2,
    ),
    Layout(
        (440, 140),
        (Line(("CA·99999", "CA·A9999", "CA·9A999"), (0.03, 0.12, 0.97, 0.88), "cjk"),),
        ((BLUE, WHITE), (BLUE, WHITE), (YELLOW, BLACK), (MINT, BLACK)),
        weight=4,
    ),
    Layout(
        (480, 140),
        (Line(("CA·A99999", "CA·99999A"), (0.03, 0.12, 0.97, 0.88), "cjk"),),
        ((MINT, BLACK), (WHITE, BLACK)),
        weight=1,
    ),
    Layout(
        (330, 165),
        (
            Line(("品川 999", "横浜 99", "大阪 999", "名古屋 399"), (0.22, 0.07, 0.78, 0.34), "cjk"),
            Line(("J 99-99", "J ·9-99", "J ··99"), (0.04, 0.4, 0.97, 0.92), "cjk"),
        ),
        ((WHITE, GREEN), (YELLOW, BLACK), (GREEN, WHITE), (BLACK, YELLOW)),
        weight=3,
    ),
    Layout(
        (520, 110),
        (Line(("99K 9999", "999K 9999"), (0.05, 0.1, 0.95, 0.9), "cjk"),),
        ((WHITE, BLACK), (YELLOW, BLACK)),
        weight=1.5,
    ),
    Layout(
        (335, 170),
        _rows(("서울 99", "경기 99", "부산 99"), ("K 9999",), 0.42, "cjk"),
        ((GREEN, WHITE), (YELLOW, BLACK)),
        weight=1,
    ),
    Layout(
        (340, 150),
        (
            Line(("9TT 9999", "TT 9999", "TT 999"), (0.05, 0.08, 0.95, 0.64), "thai"),
            Line(("กรุงเทพมหานคร", "เชียงใหม่", "ชลบุรี", "ภูเก็ต"), (0.18, 0.68, 0.82, 0.94), "thai"),
        ),
        ((WHITE, BLACK), (WHITE, GREEN), (YELLOW, BLACK)),
        weight=2,
    ),
    Layout(
        (520, 110),
        (Line(("RRRR B", "RR B RRR", "R/RRRRR", "99999 A"), (0.12, 0.1, 0.95, 0.9), "arabic"),),
        ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, RED)),
        band=BLUE,
        weight=2,
    ),
    Layout(
        (330, 160),
        (
            Line(("RRRR", "RRRRR"), (0.06, 0.05, 0.94, 0.47), "arabic"),
            Line(("9999 AAA", "99999"), (0.06, 0.53, 0.94, 0.95)),
        ),
        ((WHITE, BLACK), (YELLOW, BLACK), (SILVER, BLACK)),
        weight=2,
    ),
    Layout(
        (440, 120),
        (
            Line(
                ("AA 99 AA AA", "AAA 999 A", "CA 99999", "AA 999-999", "AAA-999 AA"),
            ),
        ),
        ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, GREEN), (CREAM, BLACK)),
        weight=2,
    ),
    Layout(
        (430, 135),
        (
            Line(("A 9999 AA", "AA 9999 AAA", "A 999 AA"), (0.04, 0.08, 0.96, 0.66)),
            Line(("99·99", "09·27"), (0.3, 0.72, 0.7, 0.93)),
        ),
        ((BLACK, WHITE), (WHITE, BLACK), (RED, WHITE), (YELLOW, BLACK)),
        weight=2,
    ),
    Layout(
        (420, 120),
        (
            Line(
                ("AAA 9999", "WAA 999 A", "SAA 9999 A", "99-99-999", "999-99-999"),
            ),
        ),
        ((BLACK, WHITE), (YELLOW, BLACK), (WHITE, BLACK), (BLACK, SILVER)),
        weight=3,
    ),
    Layout(
        (220, 160),
        _rows(("AAA", "AAA 9", "AA 99", "99-99", "AA9"), ("9999", "AA 9", "AAA", "99-99", "999 A")),
        ((BLACK, WHITE), (YELLOW, BLACK), (WHITE, BLACK), (SILVER, BLACK), (WHITE, BLUE), (WHITE, RED)),
        weight=4,
    ),
    Layout(
        (180, 200),
        _rows(("A 9", "AAA", "AA", "99"), ("AA 99", "9999", "99 AA", "AAA")),
        ((WHITE, BLACK), (YELLOW, BLACK), (WHITE, NAVY)),
        weight=2,
    ),
)
