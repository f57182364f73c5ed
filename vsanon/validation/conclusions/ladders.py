"""The encodes of a matrix side by side: which differ in one axis alone, which are steps of one ladder of rates."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from math import log
from typing import Any

from vsanon.validation.conclusions.shares import Cell

RATE_AXES = ("crf", "bit_rate")
SAME_RATE = 1.2
"""Rates whose ratio is at most this are taken as equal."""
_CODECS = ("h264", "hevc", "h265", "av1", "vp9", "prores")
"""The older one is the reference; others come after these, by name."""

Encodes = Mapping[str, Mapping[str, Any]]


def rates(cells: Sequence[Cell]) -> dict[str, float]:
    """The measured bits a second of each encode, over all its clips."""
    sums: dict[str, tuple[float, float]] = {}
    seen = set()
    for cell in cells:
        stream = cell["stream"]
        if cell["outcome"] != "measured" or not stream or (cell["source"], cell["encode"]) in seen:
            continue
        rate, seconds = stream["bit_rate"], stream["duration_s"]
        if isinstance(rate, int | float) and isinstance(seconds, int | float) and rate > 0 and seconds > 0:
            seen.add((cell["source"], cell["encode"]))
            bits, total = sums.get(cell["encode"], (0.0, 0.0))
            sums[cell["encode"]] = (bits + rate * seconds, total + seconds)
    return {encode: bits / seconds for encode, (bits, seconds) in sums.items()}


def ladders(encodes: Encodes) -> dict[str, list[str]]:
    """Encodes that differ in rate alone, by the name of their ladder: the codec, and what else tells it apart.

    CRF and average rate of one codec are steps of one ladder. Presets without a rate of their own, as ProRes has,
    are a ladder together. `as_is` is in none.
    """
    groups: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]] = {}
    for name, encode in encodes.items():
        if encode["preset"] is not None:
            groups.setdefault(_ladder(encode), []).append(name)
    named = {}
    for (codec, family, axes), members in groups.items():
        others = [key for key in groups if key[0] == codec and key != (codec, family, axes)]
        differing = {axis for key in others for axis in {*key[2]} ^ {*axes}}
        words = [family if any(key[1] != family for key in others) else codec]
        words += [f"{axis} {value}" for axis, value in axes if any(axis == other for other, _ in differing)]
        named[", ".join(words)] = members
    return named


def steps(encodes: Encodes) -> Iterator[tuple[str, str, str]]:
    """Pairs of encodes of one preset that differ in exactly one axis: the axis, and both names.

    Values of numbers are compared with the next, others with the one that is not set, or the first by name.
    """
    axes = sorted({axis for encode in encodes.values() for axis in _axes(encode)})
    for axis in axes:
        groups: dict[tuple[str, ...], dict[str, str]] = {}
        for name, encode in sorted(encodes.items()):
            if encode["preset"] is not None:
                rest = tuple(f"{k}={v}" for k, v in sorted(_axes(encode).items()) if k != axis)
                groups.setdefault((encode["preset"], *rest), {}).setdefault(repr(_axes(encode).get(axis)), name)
        for group in groups.values():
            members = sorted(group.values(), key=lambda name: _order(_axes(encodes[name]).get(axis)))
            numeric = all(isinstance(_axes(encodes[name]).get(axis), int | float) for name in members)
            for a, b in pairwise(members) if numeric else ((members[0], other) for other in members[1:]):
                yield axis, a, b


def rivals(encodes: Encodes) -> Iterator[tuple[str, str]]:
    """Pairs of ladders of different codecs that agree in all axes that both set; the reference first."""
    found = ladders(encodes)
    ordered = sorted(found, key=lambda name: (_codec_order(encodes[found[name][0]]["codec"]), name))
    for a, b in combinations(ordered, 2):
        one, other = encodes[found[a][0]], encodes[found[b][0]]
        if one["codec"] != other["codec"] and _agree(_axes(one), _axes(other)):
            yield a, b


def at_equal_rate(a: Sequence[str], b: Sequence[str], rate: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Of each encode of `a` the one of `b` whose rate is closest, where they are equal within `SAME_RATE`."""
    for one in sorted(a):
        near = sorted((abs(log(rate[other] / rate[one])), other) for other in b if one in rate and other in rate)
        if near and near[0][0] <= log(SAME_RATE):
            yield one, near[0][1]


def _axes(encode: Mapping[str, Any]) -> dict[str, Any]:
    return dict(encode.get("axes") or {})


def _ladder(encode: Mapping[str, Any]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Codec, preset less its way of rate control, and the axes that are set but for those of rate."""
    axes = _axes(encode)
    set_ = tuple((k, str(v)) for k, v in sorted(axes.items()) if v is not None and k not in RATE_AXES)
    family = encode["preset"].replace("_crf", "").replace("_abr", "")
    if all(axes.get(axis) is None for axis in RATE_AXES):
        family = encode["codec"]
    return encode["codec"], family, set_


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    shared = (set(one) & set(other)) - set(RATE_AXES)
    return all(one[k] is None or other[k] is None or one[k] == other[k] for k in shared)


def _order(value: Any) -> tuple[int, float, str]:
    if value is None:
        return 0, 0.0, ""
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, str(value))


def _codec_order(codec: str) -> tuple[int, str]:
    return (_CODECS.index(codec) if codec in _CODECS else len(_CODECS)), codec
