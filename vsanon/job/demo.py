"""The main job on a clip that vsanon draws itself."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vsanon.drawn.demo import write_demo
from vsanon.encode import presets
from vsanon.errors import InputError
from vsanon.files import write_output
from vsanon.job import ledger
from vsanon.job.frames import picture
from vsanon.job.pipeline import anonymize_file
from vsanon.job.progress import Progress, Say, quiet
from vsanon.job.settings import Settings
from vsanon.media.source import open_source


def demo(
    folder: Path, preset: str, *, say: Say = quiet, progress: Progress = quiet
) -> tuple[list[Path], dict[str, Any]]:
    """Draw a clip, cover its faces and its plate, and put both beside each other.

    Args:
        folder: where to write; made if need be. Files of an earlier demo are replaced.
        preset: name or path of an ffmpeg preset.

    Returns:
        The files (the drawn clip, the covered one, its ledger, a picture of before and after), and the ledger.

    Raises:
        As for `anonymize_file`.
    """
    suffix = presets.load(preset).suffix
    source, output = folder / "demo.mp4", folder / f"demo_anonymized{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the folder can't be made: {error.strerror}") from error
    say(f"drawing {source}")
    write_demo(source)
    book = anonymize_file(source, output, Settings(preset=preset), overwrite=True, say=say, progress=progress)
    before, after = open_source(source).clip, open_source(output).clip
    shown = (before.num_frames // 4, 3 * before.num_frames // 4)
    rows = [np.hstack([picture(before, n), picture(after, n)]) for n in shown]
    coded = cv2.imencode(".png", np.vstack(rows)[..., ::-1])[1]
    image = folder / "before_after.png"
    write_output(image, coded.tobytes())
    return [source, output, ledger.path_of(output), image], book
