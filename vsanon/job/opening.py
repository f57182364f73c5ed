"""What must hold before work on a file begins: it opens and fits into memory, and the preset fits the output."""

from pathlib import Path

from vsanon.detectors.search import Search
from vsanon.encode import ffmpeg_path, presets, require_encoder
from vsanon.encode.source_preset import NAME as NATURAL
from vsanon.encode.source_preset import usual_suffix
from vsanon.errors import InputError
from vsanon.filters.clips import frame_bytes
from vsanon.job.frames import map_planes
from vsanon.job.memory import require_memory
from vsanon.job.progress import Say, quiet
from vsanon.job.settings import Settings
from vsanon.media import probe
from vsanon.media.sequences import is_pattern, is_sequence
from vsanon.media.source import Access, Source, bound_cache, open_source
from vsanon.models.store import fetch


def preset_for(source: Path, output: Path, settings: Settings) -> presets.Preset | None:
    """The preset of the settings; refuses what can't work before anything is done.

    Returns:
        None where it follows from the source, which must be opened first.

    Raises:
        InputError: there is no such preset, or it writes files of another kind than the output.
        MissingError: there is no ffmpeg.
    """
    ffmpeg_path()
    if settings.preset == NATURAL:
        if output.suffix.lower() not in presets.MUXERS:
            images = is_sequence(source)
            usual = ".mkv" if images else usual_suffix(probe(source))
            more = "; images are written by presets of their own, such as dpx" if images else ""
            raise InputError(
                f"{output}: vsanon writes {', '.join(presets.MUXERS)}: name the output so, here best {usual}{more}"
            )
        return None
    preset = presets.load(settings.preset)
    require_encoder(preset.encoder)
    if preset.muxer == "image2" and not is_pattern(output):
        raise InputError(f"{output}: images need a pattern in a new folder, such as OUT/shot.%06d{preset.suffix}")
    if output.suffix.lower() != preset.suffix:
        raise InputError(
            f"{output}: the preset {preset.name} writes {preset.suffix} files: name the output so, "
            "or choose another preset (`vsanon presets list`)"
        )
    return preset


def require_models(search: Search, say: Say = quiet) -> None:
    """Have the models of a search on this machine, pulled if need be, before a file is read.

    Raises:
        InputError: there is no such card.
        MissingError: a model can't be had.
    """
    for card in {card.name: card for used in search.cards().values() for card in used}.values():
        fetch(card, say)


def open_for_work(
    path: Path,
    say: Say = quiet,
    video_track: int | None = None,
    *,
    named: Path | None = None,
    access: Access = "in order",
    once: bool = False,
) -> Source:
    """Open a file for work, which people named so; whether every frame decodes cleanly is for `IntactCheck`.

    Args:
        access, once: as for `open_source`.
    """
    require_memory()
    bound_cache(access=access)
    say(f"reading {named or path}")
    opened = open_source(path, video_track, access=access, once=once)
    if any(opened.video.crop):
        left, top, right, bottom = opened.video.crop
        say(f"hidden by the container, and not shown: {left} px left, {top} top, {right} right, {bottom} bottom")
    require_memory(opened.clip.num_frames * frame_bytes(opened.clip) >> 20)
    map_planes(opened.clip, large=access != "in order")
    return opened
