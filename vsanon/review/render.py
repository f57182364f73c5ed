"""Render from the page: the same job as `vsanon render`, beside the source, verified before it is there."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsanon.encode import presets
from vsanon.encode.source_preset import NAME as NATURAL
from vsanon.errors import InputError
from vsanon.files import require_name
from vsanon.job.pipeline import render_file
from vsanon.job.settings import Settings
from vsanon.review.jobs import Tell
from vsanon.signing import Signer


@dataclass(slots=True)
class Renderer:
    """What is rendered, and how.

    Args:
        source: the clip.
        tracks: its track file.
        settings: as for `render_file`.
        overwrite: replace what others have put there; what this one has rendered is replaced anyway, and only what
            is covered otherwise since is encoded, where the codec allows it.
        sign: the key that ledgers are signed with.
        output: what was rendered last.
    """

    source: Path
    tracks: Path
    settings: Settings
    overwrite: bool = False
    sign: Signer | None = None
    output: Path | None = None

    def usual_name(self) -> str:
        """How the output is named where nobody says."""
        preset = self.settings.preset
        suffix = self.source.suffix if preset == NATURAL else presets.load(preset).suffix
        return f"{self.source.stem}.covered{suffix}"

    def work(self, name: str, forget: Callable[[], None]) -> Callable[[Tell], dict[str, Any]]:
        """The job that renders to a file of that name, beside the source.

        Args:
            forget: closes the file that may lie there.

        Raises:
            InputError: the name leads elsewhere.
        """
        if not name or name != Path(name).name or "\\" in name or name.startswith("."):
            raise InputError(f"{name!r:.80}: a file's name was expected; it is written beside the source")
        output = self.source.with_name(name)
        require_name(output)

        def run(tell: Tell) -> dict[str, Any]:
            said: list[str] = []
            forget()
            # The tracks as they are now: what is looked at and edited meanwhile goes into the file, and a job whose
            # tracks change delivers nothing.
            with tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
                tracks = Path(shutil.copyfile(self.tracks, Path(folder) / self.tracks.name))
                ledger = render_file(
                    self.source, tracks, output, self.settings, overwrite=self.overwrite,
                    again=output == self.output, sign=self.sign, say=said.append, progress=tell,
                )  # fmt: skip
            self.output = output
            checks = ledger["checks"]
            return {
                "name": output.name, "frames": ledger["frames"], "checks": len(checks),
                "passed": sum(check["passed"] for check in checks), "said": said,
            }  # fmt: skip

        return run
