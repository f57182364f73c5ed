"""Refused before anything is done: strangers, other sites' pages, other names of this host, huge bodies."""

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from vsanon.errors import InputError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 1 << 20
"""Of a body; the largest that the page sends is an edit with a key frame for each frame of a long shot."""

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer: nothing is loaded from elsewhere, kept on disk, framed, or told to others."""


class Guard:
    """Lets through what comes from the one browser that the address was given to.

    The token of the address is good once: it is exchanged for a cookie, which no script and no other site can use.
    A page of another site can still have the browser send things here; its `Origin`, or a host's name that it has
    made point here (DNS rebinding), gives it away.

    Args:
        app: what is guarded.
        port: that is served, for `Host` and `Origin`, and in the cookie's name: cookies know no ports.
    """

    def __init__(self, app: App, port: int) -> None:
        self._app, self._hosts = app, frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._cookie_name = f"vsanon_review_{port}"
        self._session = secrets.token_urlsafe(32)
        self._token: str | None = secrets.token_urlsafe(32)
        self.address = f"http://127.0.0.1:{port}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        names = [name.lower() for name, _ in scope["headers"]]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        if names.count(b"host") != 1 or headers["host"] not in self._hosts:
            await _refuse(answer, 403, "this server answers to 127.0.0.1 and its port only")
        elif (token := _token_of(scope)) is not None:
            await self._exchange(token, answer)
        elif not self._known(headers.get("cookie", "")):
            await _refuse(answer, 403, "open the address that `vsanon review` printed; it can be used once")
        elif scope["method"] not in ("GET", "HEAD") and (why := _foreign(headers)) is not None:
            await _refuse(answer, 403, why)
        elif headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            await _refuse(answer, 403, "the request comes from another site's page")
        elif _length(headers) > MOST_BYTES:
            await _refuse(answer, 413, f"a body of more than {MOST_BYTES} bytes")
        else:
            await self._app(scope, _bounded(receive), answer)

    async def _exchange(self, token: str, send: Send) -> None:
        expected, fits = self._token, False
        if expected is not None:
            fits = hmac.compare_digest(token.encode(), expected.encode())
        if not fits:
            await _refuse(send, 403, "this address was used already, or is not the one that was printed")
            return
        self._token = None
        cookie = f"{self._cookie_name}={self._session}; HttpOnly; SameSite=Strict; Path=/"
        start = {"type": "http.response.start", "status": 303}
        await send({**start, "headers": [(b"location", b"/"), (b"set-cookie", cookie.encode())]})
        await send({"type": "http.response.body", "body": b""})

    def _known(self, cookies: str) -> bool:
        # By hand: what other servers of this host have set may be no cookie to `http.cookies`, which stops there.
        pairs = [pair.strip().partition("=") for pair in cookies.split(";")]
        return any(
            name == self._cookie_name and hmac.compare_digest(value.encode(), self._session.encode())
            for name, _, value in pairs
        )


class TooLargeError(InputError):
    """A body grew beyond `MOST_BYTES` on the way."""


def _bounded(receive: Receive) -> Receive:
    count = 0

    async def bounded() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > MOST_BYTES:
            raise TooLargeError(f"a body of more than {MOST_BYTES} bytes")
        return message

    return bounded


def _token_of(scope: Scope) -> str | None:
    """The token in an address, where it has one."""
    if scope["path"] != "/" or not scope["query_string"]:
        return None
    try:
        found = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return ""
    return found["token"][0] if "token" in found else None


def _foreign(headers: dict[str, str]) -> str | None:
    """Why something that changes state does not come from the page itself; None where it does."""
    if headers.get("origin") != f"http://{headers['host']}":
        return "the request comes from another site's page"
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return "only JSON is taken here"
    return None


def _length(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else MOST_BYTES + 1


async def _refuse(send: Send, status: int, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
