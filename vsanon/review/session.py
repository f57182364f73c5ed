"""What one run of `vsanon review` serves: a clip, its tracks, and all that is at work for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsanon.media.source import Source
from vsanon.review import second_opinion
from vsanon.review.ahead import Ahead
from vsanon.review.document import Document
from vsanon.review.frames import Frames
from vsanon.review.jobs import Jobs, Tell
from vsanon.review.looked_at import Look
from vsanon.review.render import Renderer
from vsanon.tracks.edit_words import told


@dataclass(frozen=True, slots=True)
class Session:
    """The parts of a session.

    Args:
        source: the clip.
        document: its tracks.
        frames: its pictures.
        ahead: those of its covered pictures that are kept, or made before they are asked for.
        look: what was looked at.
        jobs: what takes longer.
        seconds: second opinions, beside all else.
        renderer: makes the deliverable.
        reasons: to choose from.
        of_house: the house has set them, and wants no others unless they are typed.
    """

    source: Source
    document: Document
    frames: Frames
    ahead: Ahead
    look: Look
    jobs: Jobs
    seconds: Jobs
    renderer: Renderer
    reasons: Sequence[str] = ()
    of_house: bool = False

    def begin_second(self, name: str, *, every: bool) -> int:
        """Ask for a second opinion, in the background; arguments and errors as for `second_opinion.search_of`."""
        second_opinion.require_here(name)

        def work(tell: Tell) -> dict[str, Any]:
            state, settings = self.document.state(), self.renderer.settings
            opinion = second_opinion.opinion_on(state, self.source.path, settings, name, every=every, tell=tell)
            self.look.heard(opinion)
            return {"found": len(opinion.finds), "what": told(opinion)}

        return self.seconds.start("a second opinion", work)
