"""Serve the page to this machine's own browser, until it is stopped."""

import asyncio
import contextlib
import getpass
import logging
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from vsanon import stops
from vsanon.errors import InputError, MissingError, TrackFileError, VsanonError
from vsanon.job.opening import open_for_work
from vsanon.job.settings import Settings, video_track_of
from vsanon.review.ahead import Ahead
from vsanon.review.document import Document
from vsanon.review.frames import Frames
from vsanon.review.guard import Guard
from vsanon.review.jobs import Jobs
from vsanon.review.looked_at import Look
from vsanon.review.render import Renderer
from vsanon.review.session import Session
from vsanon.signing import Signer
from vsanon.tracks.file import read_tracks

log = logging.getLogger(__name__)

REASONS = (
    "not covered by the search",
    "the box did not fit",
    "a false detection",
    "asked for by the person",
    "consent given",
    "brand or sign",
)
"""What a house chooses from that has set none of its own."""

_FLUSH_S = 20.0


def author() -> str:
    """Who edits, as the system knows the person: `VSANON_BY`, else the full name, else the name of the login."""
    if named := os.environ.get("VSANON_BY", "").strip():
        return named
    try:
        login = getpass.getuser()
    except (KeyError, OSError) as error:
        raise InputError("the system does not say who you are: name the author with --by") from error
    if sys.platform != "win32":
        import pwd

        with contextlib.suppress(KeyError):
            return pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0].strip() or login
    return login


@contextlib.contextmanager
def serving(
    source: Path, tracks: Path, *, by: str, settings: Settings | None = None, reasons: Sequence[str] = (),
    overwrite: bool = False, sign: Signer | None = None, second: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:  # fmt: skip
    """Serve the page of a clip and its tracks while the context is open.

    Args:
        source: the clip.
        tracks: its track file.
        by: who makes the edits.
        settings: how the clip is covered, in the page and when it is rendered from there.
        reasons: what a person chooses from.
        overwrite: what is rendered may replace a file.
        sign: the key that ledgers are signed with.
        second: begin with this second opinion, in the background.
        say: takes lines for people.

    Yields:
        The address, with its token, which can be used once.

    Raises:
        InputError: a file can't be read, or the tracks belong to another clip.
        MissingError: the extra `review` is not installed.
    """
    uvicorn, make = _libraries()
    chosen = settings or Settings()
    opened = open_for_work(source, say, video_track_of(read_tracks(tracks).header), access="to and fro")
    document = Document(tracks, by)
    frames = Frames(opened, tracks, chosen, document.state())
    ahead, look, jobs, seconds = Ahead(len(frames)), Look(document), Jobs(), Jobs()
    renderer = Renderer(source, tracks, chosen, overwrite, sign)
    session = Session(
        opened, document, frames, ahead, look, jobs, seconds, renderer, tuple(reasons) or REASONS, bool(reasons)
    )
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    guard = Guard(make.app(session), listening.getsockname()[1])
    config = uvicorn.Config(
        guard, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        date_header=False, limit_concurrency=100, timeout_graceful_shutdown=2,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    server = uvicorn.Server(config)
    # In a thread of its own it leaves the signals to `stops`.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="review", daemon=True)
    thread.start()
    done = threading.Event()
    flusher = threading.Thread(target=_flush, args=(look, done), name="review-record", daemon=True)
    flusher.start()
    # Known by the time that a hand moves over the timeline: the packets of a long film take seconds to read.
    keys = threading.Thread(target=_key_frames, args=(frames,), name="review-keys", daemon=True)
    keys.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        if second is not None:
            session.begin_second(second, every=False)
        yield guard.address
    finally:
        done.set()
        jobs.stop()
        seconds.stop()
        server.should_exit = True
        thread.join(5)
        ahead.close()
        jobs.wait(30)
        seconds.wait(30)
        flusher.join(5)
        listening.close()
        with contextlib.suppress(TrackFileError):  # the file may be gone, and then there is nothing to add to
            look.flush()


def serve(source: Path, tracks: Path, *, browser: bool, tell: Callable[[str], None], **options: Any) -> None:
    """Serve until the process is asked to stop; arguments and errors as for `serving`.

    Args:
        browser: open the system's browser.
        tell: takes the address, as the result of the command.
    """
    with serving(source, tracks, **options) as address:
        tell(address)
        if browser and not webbrowser.open(address):
            options["say"]("no browser could be opened: open the address yourself")
        while True:
            stops.poll()
            time.sleep(stops.LOOK_S)


def _is_news(record: logging.LogRecord) -> bool:
    """Whoever stops the command while a picture is being made calls that off, which is no error."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _flush(look: Look, done: threading.Event) -> None:
    while not done.wait(_FLUSH_S):
        try:
            look.flush()
        except InputError as error:  # a file that is gone or held; said once each time, and tried again
            log.warning("what was looked at is not recorded yet: %s", error)


def _key_frames(frames: Frames) -> None:
    with contextlib.suppress(VsanonError, stops.Stopped):  # the page asks again, and is told
        frames.key_frames()


def _libraries() -> tuple[Any, ModuleType]:
    try:
        import uvicorn

        from vsanon.review import app
    except ImportError as error:
        raise MissingError("the page needs a server library: pip install 'vsanon[review]'") from error
    return uvicorn, app
