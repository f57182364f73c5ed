"""What is known of a source: its truth, from wherever it comes, and the key that says which truth that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vsanon.detectors.search import Search
from vsanon.errors import InputError
from vsanon.files import sha256_file
from vsanon.job.settings import Settings
from vsanon.tracks.file import read_tracks
from vsanon.validation.metrics.summary import truth_figures
from vsanon.validation.runs import step_media, step_search
from vsanon.validation.runs.specs import AS_IS, REFERENCE, EncodeSpec, SourceSpec
from vsanon.validation.runs.store import Step, Store
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import kind_of, read_any
from vsanon.validation.truth.tracked import truth_of
from vsanon.validation.truth.transforms import cut, resampled, scaled

REFERENCE_SETTING = "thorough"

_NO_TRUTH = "nothing is known of what is to be found: only tracks are counted"
_DRAWN = "drawn: boxes and identities are exact"
_BY_PEOPLE = "by people, from a file"
_REFERENCE = (
    f"no truth by people: what the setting {REFERENCE_SETTING} finds in the source itself stands for it. "
    "What that setting misses, no figure here shows"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A truth and its key, which every step that looks at the truth puts into its own key.

    Args:
        truth: the true boxes; None: nothing is known.
        key: another truth has another key.
    """

    truth: Truth | None
    key: str

    def moved(self, read: Step, master: Step, encode: EncodeSpec) -> "Known":
        """What is known of a source, at the size and rate of its master."""
        truth, key = self.truth, self.key
        if truth is None:
            return self
        if encode.fps is not None:
            start, stop = read.result["range"]
            fps = Fraction(read.result["condition"]["fps"])
            truth = resampled(truth, step_media.shown_frames(stop - start, fps, encode.fps))
            key += f" fps {encode.fps}"
        (width, height), (w, h) = read.result["condition"]["size"], master.result["size"]
        if (width, height) != (w, h):
            truth = scaled(truth, (width, height), (w, h))
            key += f" size {w}x{h}"
        return Known(truth, key)


def known_of(store: Store, spec: SourceSpec, read: Step) -> tuple[Known, dict[str, Any]]:
    """What is known of a source at its own size and rate, and what the evidence says of that.

    Args:
        store: where a reference is found, or made.
        spec: the source.
        read: the source, opened.

    Raises:
        InputError: there is no such truth file, or it does not fit the source.
    """
    start, stop = read.result["range"]
    if spec.scene is not None:
        whole = Known(spec.drawn().truth(), step_media.scene_key(spec.drawn()))
        return _stated(_cut(whole, start, stop), "scene", _DRAWN)
    if spec.truth == REFERENCE:
        return _stated(_reference(store, read), "reference", _REFERENCE)  # its tracks are of the cut source already
    if spec.truth is None:
        return _stated(Known(None, "none"), "none", _NO_TRUTH)
    path = Path(spec.truth)
    if not path.is_file():
        raise InputError(f"{path}: there is no such truth file: mend `truth` in the matrix")
    kind, sha256 = str(spec.truth_kind or kind_of(path)), sha256_file(path)
    width, height = read.result["condition"]["size"]
    truth = read_any(path, kind, spec.truth_class, (width, height), read.result["condition"]["frames"])
    return _stated(_cut(Known(truth, f"{sha256} {kind} {spec.truth_class}"), start, stop), kind, _BY_PEOPLE, sha256)


def nothing_stated() -> dict[str, Any]:
    """What the evidence says of a truth that was not looked at yet."""
    return _facts(None, "none", "", None)


def _cut(whole: Known, start: int, stop: int) -> Known:
    assert whole.truth is not None
    return Known(cut(whole.truth, start, stop), f"{whole.key} {start}:{stop}")


def _reference(store: Store, read: Step) -> Known:
    """What `thorough` tracks in the source: held boxes are a margin in time, and are not asked for."""
    settings = Settings(Search(setting=REFERENCE_SETTING))
    plain = EncodeSpec(AS_IS)
    done = step_media.encoded(store, read, step_media.master(store, read, plain), plain)
    found = step_search.search(store, done, settings)
    return Known(truth_of(read_tracks(found.file())), found.key)


def _stated(known: Known, kind: str, note: str, sha256: str | None = None) -> tuple[Known, dict[str, Any]]:
    return known, _facts(known.truth, kind, note, sha256)


def _facts(truth: Truth | None, kind: str, note: str, sha256: str | None) -> dict[str, Any]:
    classes: Mapping[str, Any] = {} if truth is None else truth_figures(truth)
    return {"kind": kind, "sha256": sha256, "note": note, "classes": classes, "warnings": []}
