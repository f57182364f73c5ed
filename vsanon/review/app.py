"""What the server answers: the page, frames by number, states as JSON, and changes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vsanon.errors import CheckError, InputError, VsanonError
from vsanon.plain_json import load_json
from vsanon.review import follow, second_opinion, view
from vsanon.review.frames import PASSING_WIDTH, WIDTHS, Covered, encoded
from vsanon.review.guard import TooLargeError
from vsanon.review.people import proposals
from vsanon.review.session import Session
from vsanon.tracks.edit_kinds import Tick
from vsanon.tracks.write_edits import ConflictError

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_MOST_BOXES = 500
"""Frames whose boxes are told in one answer."""


def app(session: Session) -> Starlette:
    """The application; `guard.Guard` stands before it."""
    page = _Page(session)
    get: Mapping[str, Callable[[Request], Any]] = {
        "/api/clip": page.clip, "/api/state": page.state, "/api/pulse": page.pulse, "/api/boxes": page.boxes,
        "/api/keys": page.keys,
        "/frame/{n}": page.frame, "/thumbnail/{track}": page.thumbnail,
    }  # fmt: skip
    post: Mapping[str, Callable[[Any], Any]] = {
        "/api/edit": page.edit, "/api/undo": page.undo, "/api/redo": page.redo, "/api/remove": page.remove,
        "/api/reveal": page.reveal, "/api/saw": page.saw, "/api/tick": page.tick, "/api/finish": page.finish,
        "/api/follow": page.follow, "/api/render": page.render, "/api/stop": page.stop,
        "/api/second": page.second,
    }  # fmt: skip
    files = _static_files()
    routes = [Route(path, _got(answer)) for path, answer in get.items()]
    routes += [Route(path, _posted(answer), methods=["POST"]) for path, answer in post.items()]
    routes += [Route(path, _file(*file)) for path, file in files.items()]
    made = Starlette(routes=routes)
    made.router.redirect_slashes = False
    return made


def _static_files() -> dict[str, tuple[bytes, str]]:
    """The files of the page by their addresses; no address leads to any other file."""
    folder = resources.files("vsanon") / "review" / "static"
    found = {f"/{file.name}": (file.read_bytes(), _TYPES[Path(file.name).suffix]) for file in folder.iterdir()}
    found["/"] = found.pop("/index.html")
    return found


def _file(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _got(make: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answered, make, request)

    return answer


def _posted(make: Callable[[Any], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            asked = load_json(await request.body())
        except TooLargeError as error:
            return JSONResponse({"error": str(error)}, 413)
        except ValueError:
            return JSONResponse({"error": "JSON was expected"}, 400)
        if not isinstance(asked, dict):
            return JSONResponse({"error": "an object was expected"}, 400)
        return await run_in_threadpool(_answered, make, asked)

    return answer


def _answered(make: Callable[[Any], Any], asked: Any) -> Response:
    """What `make` answers; its errors by their kind, so that the page can tell a conflict from a refusal."""
    try:
        answer = make(asked)
    except ConflictError as error:
        return JSONResponse({"error": str(error)}, 409)
    except InputError as error:
        return JSONResponse({"error": str(error)}, 400)
    except CheckError as error:
        return JSONResponse({"error": str(error)}, 422)
    except VsanonError as error:
        return JSONResponse({"error": str(error)}, 500)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return JSONResponse({"error": f"the request is not valid: {error!r:.200}"}, 400)
    return answer if isinstance(answer, Response) else JSONResponse(answer)


class _Page:
    """The answers; each gets a request, or the JSON object that was posted."""

    def __init__(self, session: Session) -> None:
        self._s = session

    def clip(self, _: Request) -> dict[str, Any]:
        """What does not change while the page is open."""
        table, source = self._s.document.state().raw, self._s.source
        clock = table.clock
        sar = source.video.sar or Fraction(1)
        if source.video.rotation % 180:
            sar = 1 / sar
        return {
            "name": source.path.name,
            "tracks": self._s.document.path.name,
            "frames": len(table),
            "fps": float(table.fps),
            "size": list(table.size),
            "sar": float(sar),
            "clock": None if clock is None else {"base": clock.base, "drop": clock.drop, "first": clock.first},
            "cuts": list(table.cuts),
            "by": self._s.document.by,
            "reasons": list(self._s.reasons),
            "house": self._s.of_house,
            "widths": list(WIDTHS),
            "seconds": {name: second_opinion.is_here(name) for name in second_opinion.OPINIONS},
            "preset": self._s.renderer.settings.preset,
            "output": self._s.renderer.usual_name(),
        }

    def state(self, _: Request | None) -> dict[str, Any]:
        """What edits change."""
        document, look = self._s.document, self._s.look
        state = document.state()
        return {
            **view.facts(state, document.by, look.ticked()),
            "can": document.can(),
            "revealing": look.revealing,
            "proposals": proposals(state),
            "rendered": None if self._s.renderer.output is None else self._s.renderer.output.name,
        }

    def pulse(self, _: Request) -> dict[str, Any]:
        """What the page asks for again and again."""
        return {
            "version": self._s.document.state().version,
            "job": self._s.jobs.status(),
            "second": self._s.seconds.status(),
            "revealing": self._s.look.revealing,
        }

    def boxes(self, request: Request) -> dict[str, Any]:
        state = self._s.document.state()
        start = _whole(request.query_params["start"], len(state.table))
        stop = min(_whole(request.query_params["stop"], 2**31), len(state.table), start + _MOST_BOXES)
        return {"version": state.version, "start": start, "boxes": view.boxes(state, start, stop)}

    def keys(self, _: Request) -> dict[str, Any]:
        """Frames that come sooner than others, for the timeline to show under a moving hand; null: all do.

        From then on their pictures are made, in that width.
        """
        keys = self._s.frames.key_frames()
        if keys is not None:
            self._s.ahead.hold(keys, PASSING_WIDTH, lambda: Covered(self._s.frames, self._s.document.state()))
        return {"frames": keys, "width": PASSING_WIDTH}

    def frame(self, request: Request) -> Response:
        asked = request.query_params
        shown, exact = asked.get("view", "covered"), asked.get("exact") == "1"
        n = _whole(str(request.path_params["n"]), len(self._s.frames))
        width = int(asked.get("width", "0"))
        if width and width not in WIDTHS:
            raise InputError(f"width is one of {', '.join(map(str, WIDTHS))}")
        state = self._s.document.state()
        if shown == "revealed":
            if not self._s.look.revealing:
                raise InputError("the covers are on: reveal first, which is recorded")
            self._s.look.showed(n)
            rgb = self._s.frames.revealed(state, n, width)
        elif shown == "result":
            if self._s.renderer.output is None:
                raise InputError("nothing was rendered yet")
            rgb = self._s.frames.result(self._s.renderer.output, n, width)
        elif shown == "covered" and not exact:
            maker = Covered(self._s.frames, state)
            content, kind = self._s.ahead.get(n, width, maker, alone=asked.get("alone") == "1")
            return Response(content, media_type=kind, headers={"x-vsanon-version": state.version})
        elif shown == "covered":
            rgb = self._s.frames.covered(state, n, width)
        else:
            raise InputError(f"there is no view {shown!r:.40}")
        content, kind = encoded(rgb, exact=exact)
        return Response(content, media_type=kind, headers={"x-vsanon-version": state.version})

    def thumbnail(self, request: Request) -> Response:
        state = self._s.document.state()
        if request.query_params.get("version", state.version) != state.version:
            return Response(status_code=204)  # of tracks that were changed since: the page asks anew
        content = self._s.frames.thumbnail(state, _whole(str(request.path_params["track"]), 2**31))
        return Response(content, media_type="image/jpeg")

    def edit(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        changes = asked["changes"]
        if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
            raise InputError("changes are a list of objects")
        replaces = [_number(number) for number in asked.get("replaces", [])]
        put = self._s.document.commit(_text(asked["version"]), changes, _text(asked["reason"]), replaces)
        return {**self.state(None), "added": [edit.number for edit in put]}

    def undo(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        step = self._s.document.undo(_text(asked["version"]))
        return {**self.state(None), "frame": _frame_of(step.put or step.taken)}

    def redo(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        step = self._s.document.redo(_text(asked["version"]))
        return {**self.state(None), "frame": _frame_of(step.put or step.taken)}

    def remove(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._s.document.remove(_text(asked["version"]), _number(asked["number"]))
        return self.state(None)

    def reveal(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._s.look.reveal(asked["on"] is True, _whole(str(asked.get("frame", 0)), len(self._s.frames)))
        return self.state(None)

    def saw(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        count = len(self._s.frames)
        spans = [(_number(start), min(_number(stop), count)) for start, stop in asked["spans"]]
        seconds = asked["seconds"]
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 600:
            raise InputError("seconds from 0 to 600 were expected")
        self._s.look.saw([(start, stop) for start, stop in spans if start < stop], float(seconds))
        return {}

    def tick(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        tick = Tick(_number(asked["frame"]), _number(asked["track"]), _text(asked["kind"]))
        state = self._s.document.state()
        known = {(m["frame"], m["track"], m["kind"]) for m in view.facts(state, "", ())["moments"]}
        if (tick.frame, tick.track, tick.kind) not in known:
            raise ConflictError("that moment is not there any more")
        self._s.look.tick(tick, asked["on"] is True)
        return self.state(None)

    def finish(self, _: Mapping[str, Any]) -> dict[str, Any]:
        edit = self._s.look.finish()
        return {**self.state(None), "number": edit.number}

    def follow(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        document, frames = self._s.document, self._s.frames
        state = document.state()
        if state.version != _text(asked["version"]):
            raise ConflictError("somebody else has changed the tracks in the meantime: look at them again")
        number, stop = _number(asked["number"]), _number(asked["stop"])
        work = self._s.jobs.start(
            "follow", lambda tell: follow.follow_edit(document, state, number, stop, frames.luma, tell)
        )
        return {"job": work}

    def render(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        work = self._s.renderer.work(_text(asked["name"]), self._s.frames.forget_result)
        self._s.look.settle()
        return {"job": self._s.jobs.start("render", work)}

    def second(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"job": self._s.begin_second(_text(asked["name"]), every=asked["every"] is True)}

    def stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        jobs = self._s.seconds if asked.get("second") is True else self._s.jobs
        jobs.stop()
        return {"job": jobs.status()}


def _frame_of(edits: Sequence[Any]) -> int | None:
    """Where something changed, for the page to show."""
    for edit in edits:
        change = edit.change
        for key in getattr(change, "keys", ()):
            return int(key.frame)
        if hasattr(change, "range"):
            return int(change.range.start)
        if hasattr(change, "frame"):
            return int(change.frame)
    return None


def _whole(text: str, stop: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12) or int(text) >= stop:
        raise InputError(f"a whole number from 0 up, below {stop}, was expected, got {text!r:.40}")
    return int(text)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise InputError(f"a whole number from 0 up was expected, got {value!r:.40}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"text was expected, got {value!r:.40}")
    return value
