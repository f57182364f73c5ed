"""What a job on a file does: one frozen value for every choice, and its description for track file and ledger."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

import vsanon
from vsanon.covering.effects import FILL, Fill
from vsanon.covering.looks import PROFILES
from vsanon.covering.pictures import Sticker
from vsanon.covering.shapes import SHAPES, Shape
from vsanon.detectors.search import Search
from vsanon.encode import AS_IS, KEEP, Sound
from vsanon.files import sha256_file
from vsanon.job.ledger import Painting
from vsanon.job.part import Span
from vsanon.media.best_source import SOURCE_FILTER
from vsanon.media.source import Source
from vsanon.timing import Clock
from vsanon.tracking.identities import IdentitySettings
from vsanon.tracking.settings import TrackSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """What a job does; every field goes into the ledger.

    Args:
        search: as for `filters.detect`.
        track: as for `filters.track`.
        preset: name or path of an ffmpeg preset; "source" for the kind of file that the source is.
        profile: as for `filters.blur`.
        grid: block grid, pixels; None goes by the source's codec.
        fill, shapes, picture: as for `filters.blur`.
        on_missing: as for `filters.blur`.
        same_picture: as for `filters.blur` and `filters.load`.
        keep: what goes with the picture; some of `encode.KEEP` and `encode.KEEP_IF_ASKED`.
        sound: which sound goes with it, and in which codec.
        video_track: which of the source's video tracks, counted from 1; None for its default, see
            `media.streams.video_stream`.
        rate, start_number: of a source that is an image sequence: frames a second, and the first image to take.
        span: which part of the file is searched and covered, and whether just that is delivered.
        across_cuts: link identities across cuts too, by colours and size; what is covered does not depend on it.

    Raises:
        ValueError: an unknown profile.

    Examples:
        >>> Settings(Search(classes=["plate"]), preset="prores_hq").search.classes
        ('plate',)
        >>> Settings(profile="invisible")
        Traceback (most recent call last):
        ValueError: profile is one of strict, soft, mosaic, picture, inpaint, cosmetic, not 'invisible'
    """

    search: Search = field(default_factory=Search)
    track: TrackSettings = field(default_factory=TrackSettings)
    preset: str = "h264_crf"
    profile: str = "strict"
    grid: int | None = None
    fill: Fill = FILL
    shapes: Mapping[str, Shape] = field(default_factory=lambda: dict(SHAPES))
    on_missing: str = "error"
    same_picture: bool = True
    keep: frozenset[str] = KEEP
    sound: Sound = AS_IS
    video_track: int | None = None
    across_cuts: bool = False
    rate: Fraction | None = None
    start_number: int | None = None
    span: Span = field(default_factory=Span)
    picture: Sticker | None = None

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"profile is one of {', '.join(PROFILES)}, not {self.profile!r}")

    def painting(self, grid: int) -> Painting:
        """How frames are covered, for a source of this block grid."""
        own = self
        return Painting(
            own.profile, own.grid or grid, own.fill, own.on_missing, own.same_picture, own.shapes, own.picture
        )

    @property
    def identities(self) -> IdentitySettings:
        """How runs are linked into identities."""
        return IdentitySettings(across_cuts=self.across_cuts)

    def analysis(self, search: Search, size: tuple[int, int] | None = None) -> dict[str, Any]:
        """What track file and ledger say of how things were found and followed.

        Args:
            search: that of the settings as `filters.settled` gives it for a clip.
            size: (width, height) of the clip, pixels; None where none is known yet.
        """
        return {
            **search.facts(),
            "least_scores": search.least_scores(),
            **({} if size is None else {"heights_px": search.heights(size)}),
            "turned_asked": self.search.turned,
            "track": asdict(self.track),
            "across_cuts": self.across_cuts,
        }


def track_header(source: Source, settings: Settings, search: Search, *, hashed: bool = True) -> dict[str, Any]:
    """What a track file says of its clip and of how it was made; names of folders are left out.

    Args:
        search: that of the settings as `filters.settled` gives it.
        hashed: with the SHA-256 of the source, for which all of it is read.
    """
    once = {card.name: card for used in search.cards().values() for card in used}
    return {
        "vsanon": vsanon.__version__,
        "frames": source.clip.num_frames,
        "size": [source.clip.width, source.clip.height],
        "fps": str(source.timeline.fps),
        **_timecode(source),
        "video_track": source.video.track,
        **({"source_sha256": sha256_file(source.path)} if hashed else {}),
        "source_filter": f"{SOURCE_FILTER}, {source.filter_version}",
        "models": [card.facts for card in once.values()],
        "settings": settings.analysis(search, (source.clip.width, source.clip.height)),
    }


def _timecode(source: Source) -> dict[str, str]:
    """The timecode of frame 0, where each frame has one."""
    first = source.first_timecode
    if first is None or source.timeline.is_vfr:
        return {}
    try:
        Clock.of(source.timeline.fps, first)
    except ValueError:
        return {}
    return {"timecode": first}


def video_track_of(header: Mapping[str, Any]) -> int | None:
    """Which video track of its source the tracks of a file belong to, by its header; None where it doesn't say."""
    track = header.get("video_track")
    return track if isinstance(track, int) else None
