"""What goes with a picture beside its samples: how it is turned, what of it is hidden, HDR, and the rest."""

import struct
from fractions import Fraction
from math import ceil
from typing import Any, cast

from av.sidedata.sidedata import Type as SideDataType

from vsanon.errors import InputError
from vsanon.media.atoms import Aperture

Edges = tuple[int, int, int, int]

# Side data that goes with the picture but that no preset carries on; the caller reports it as left behind.
_UNCARRIED = {
    "A53_CC": "closed captions inside the video",
    "DYNAMIC_HDR_PLUS": "HDR10+ dynamic metadata",
    "DYNAMIC_HDR_VIVID": "HDR Vivid dynamic metadata",
    "DOVI_METADATA": "Dolby Vision metadata",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "dovi_conf": "Dolby Vision metadata",
    "AMBIENT_VIEWING_ENVIRONMENT": "ambient viewing environment",
    "ICC_PROFILE": "ICC profile",
    "SPHERICAL": "spherical projection",
    "STEREO3D": "stereo 3D layout",
    "S12M_TIMECODE": "timecode inside the video frames",
    "AFD": "active format description",
    "SEI_UNREGISTERED": "data of a device inside the video, which may tell place and time",
}

_ENCODERS = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"),
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"),
)
"""By which x264 and x265 mark what they write of their own settings as such data."""


def side_data_of(frame: Any, context: Any) -> dict[str, bytes]:
    """What lies beside a frame's samples and in its stream's parameters, by the names of ffmpeg."""
    names = {
        "mastering_display_metadata": "MASTERING_DISPLAY_METADATA",
        "content_light_level": "CONTENT_LIGHT_LEVEL",
    }
    found = {d.type.name: bytes(d) for d in frame.side_data.values() if bytes(d)[:16] not in _ENCODERS}
    coded = cast(dict[str, bytes], context.coded_side_data)
    return found | {names.get(k, k if k == "dovi_conf" else k.upper()): v for k, v in coded.items()}


def beside_samples(frame: Any) -> frozenset[str]:
    """What lies beside a frame's samples that no preset carries on, in words."""
    own = (d for d in frame.side_data.values() if d.type.name in _UNCARRIED)
    return frozenset(_UNCARRIED[d.type.name] for d in own if bytes(d)[:16] not in _ENCODERS)


def require_own_colors(path: object, side: dict[str, bytes]) -> None:
    """Refuse Dolby Vision whose base layer is no picture by itself: profile 5, and 10 of that kind.

    Its samples are neither those of HDR10 nor of HLG or BT.709 (`dv_bl_signal_compatibility_id` 0 in "Dolby Vision
    Streams Within the ISO Base Media File Format", 2.1): models and encoders would take them for other colours.

    Raises:
        InputError: it is of that kind.
    """
    record = side.get("dovi_conf", b"")
    profile = record[2] if len(record) >= 8 and record[6] and not record[7] else None  # compatible with nothing
    if not record and _is_profile_5(side.get("DOVI_RPU_BUFFER", b"")):
        profile = 5
    if profile is not None:
        raise InputError(
            f"{path}: Dolby Vision of profile {profile}, whose colours are right only in a player for it: nobody "
            "else sees its picture as it is. Export it as HDR10, HLG or SDR where Dolby Vision is understood, as "
            "in the camera's or an editor's own program, and hand that in"
        )


def _is_profile_5(metadata: bytes) -> bool:
    """Whether the metadata of a picture are of profile 5, in a bare stream, where no record says so.

    They begin with a prefix of 25; type (6 bits), format (11), profile (4) and level (4) follow, and where it is
    said of the sequence, resampling (1), type (2) and denominator of the coefficients, an index (2), and whether
    the picture is in full range (ETSI GS CCM 001, 5.2.1). Of profile 5 are those of RPU profile 0 and full range.
    """
    bits = "".join(f"{byte:08b}" for byte in metadata.replace(b"\0\0\3", b"\0\0")[:16])
    if not bits.startswith(f"{25:08b}") or len(bits) < 128 or bits[33] != "1":
        return False
    at = 37
    if bits[35:37] == "00":  # fixed point, whose denominator is an Exp-Golomb number
        at += 2 * (len(bits[at:]) - len(bits[at:].lstrip("0"))) + 1
    return bits[25:29] == "0000" and bits[at + 2 : at + 3] == "1"


def turn_of(path: object, side: dict[str, bytes]) -> tuple[int, int, int, int]:
    """The display matrix (ISO/IEC 14496-12, 6.2.2), without its scale and shift.

    Raises:
        InputError: it turns by less than a quarter.
    """
    if (found := side.get("DISPLAYMATRIX")) is None:
        return (1, 0, 0, 1)
    a, b, _, c, d, *_ = struct.unpack("=9i", found)
    least = max(abs(v) for v in (a, b, c, d)) / 1000
    turn = tuple((v > least) - (v < -least) for v in (a, b, c, d))
    if turn == (0, 0, 0, 0):
        return (1, 0, 0, 1)
    if [v != 0 for v in turn] not in ([True, False, False, True], [False, True, True, False]):
        raise InputError(
            f"{path}: is shown turned by another angle than a quarter circle, or slanted: take that off first "
            "(ffmpeg -display_rotation 0 -i IN -map 0 -c copy OUT), and turn the picture in the edit"
        )
    return turn[0], turn[1], turn[2], turn[3]


def crop_of(side: dict[str, bytes], aperture: Aperture | None, size: tuple[int, int]) -> Edges:
    """The edges that the container hides by either way of saying so, (left, top, right, bottom), pixels."""
    left, top, right, bottom = map(max, _crop(side), _beyond(aperture, size))
    return (left, top, right, bottom)


def hdr_of(side: dict[str, bytes]) -> dict[str, Any] | None:
    """Unpack libavutil's AVMasteringDisplayMetadata (ten rationals, two flags) and AVContentLightMetadata."""
    hdr: dict[str, Any] = {}
    if (mastering := side.get(SideDataType.MASTERING_DISPLAY_METADATA.name)) is not None:
        numbers = struct.unpack_from("=22i", mastering)
        values = [
            Fraction(n, d) if d else Fraction(0) for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)
        ]
        if numbers[20]:
            xy = [round(v * 50000) for v in values[:8]]
            hdr["primaries"] = {"red": xy[0:2], "green": xy[2:4], "blue": xy[4:6], "white": xy[6:8]}
        if numbers[21]:
            hdr["luminance"] = {"min": round(values[8] * 10000), "max": round(values[9] * 10000)}
    if (light := side.get(SideDataType.CONTENT_LIGHT_LEVEL.name)) is not None:
        most, average = struct.unpack_from("=2I", light)
        hdr["light"] = {"max_cll": most, "max_fall": average}
    return hdr or None


def uncarried(side: dict[str, bytes]) -> tuple[str, ...]:
    """What of it no preset carries on, in words."""
    return tuple(sorted({words for name, words in _UNCARRIED.items() if name in side}))


def _crop(side: dict[str, bytes]) -> Edges:
    """The edges that the container hides, (left, top, right, bottom): Matroska's PixelCrop, QuickTime's `clap`."""
    if (found := side.get("FRAME_CROPPING")) is None or len(found) != 16:
        return (0, 0, 0, 0)
    top, bottom, left, right = struct.unpack("<4I", found)
    return (left, top, right, bottom)


def _beyond(aperture: Aperture | None, size: tuple[int, int]) -> Edges:
    """The edges beyond a clean aperture; ffmpeg passes over one that is wider or higher than the picture.

    A column of which a part is hidden is hidden.
    """
    if aperture is None:
        return (0, 0, 0, 0)
    edges = []
    for whole, clean, middle in zip(size, aperture[:2], aperture[2:], strict=True):
        before = Fraction(whole, 2) + middle - clean / 2
        edges.append((max(ceil(before), 0), max(ceil(whole - before - clean), 0)))
    (left, right), (top, bottom) = edges
    return (left, top, right, bottom)
