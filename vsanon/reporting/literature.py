"""Published curves of detection against compression: for comparing shapes, never results of a report."""

from typing import Any

_URBAN = (
    "urban_oculus, Sensors 22(3) 1104, RetinaNet-R50 on JPEG pictures; average precision at each JPEG quality, "
    "as a share of that at quality 100"
)

LITERATURE: list[dict[str, Any]] = [
    {
        "id": "poyser-2020",
        "source": "Poyser et al. 2020, arXiv 2007.14314",
        "says": "a significant drop past H.264 CRF 40",
        "x": "crf",
        "marks": [{"from": 40, "to": None}],
        "curves": [],
    },
    {
        "id": "obyrne-2022",
        "source": "O'Byrne et al. 2022, arXiv 2211.05805",
        "says": "YOLOv5 loses little from CRF 22 to 37, then falls",
        "x": "crf",
        "marks": [{"from": 22, "to": 37}],
        "curves": [],
    },
    {
        "id": "urban-oculus",
        "source": _URBAN,
        "says": "average precision falls slowly to quality 30, then steeply; small objects fall first",
        "x": "jpeg_quality",
        "marks": [],
        "curves": [
            {
                "name": name,
                "points": [
                    [quality, round(value / values[0], 4)]
                    for quality, value in zip((100, 75, 50, 30, 20, 15, 10, 5), values, strict=True)
                ],
            }
            for name, values in (
                ("person", (51.2, 50.1, 48.7, 46.0, 42.4, 37.8, 28.1, 6.3)),
                ("car", (41.2, 39.7, 37.3, 34.9, 32.2, 29.1, 22.4, 8.1)),
                ("small objects", (22.3, 21.4, 18.7, 16.4, 12.9, 10.7, 6.2, 1.4)),
            )
        ],
    },
    {
        "id": "frome-2009",
        "source": "Frome et al. 2009, large-scale privacy protection in Street View",
        "says": "more than 89 % of faces and 94 to 96 % of plates blurred",
        "x": None,
        "marks": [],
        "curves": [],
    },
    {
        "id": "ukhanova-2014",
        "source": "Ukhanova et al. 2014",
        "says": "recall is logistic in quality",
        "x": None,
        "marks": [],
        "curves": [],
    },
]
"""`x` is the axis over which an entry can be drawn; its `marks` are spans of that axis, its `curves` points."""
