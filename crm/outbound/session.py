"""The session of all outgoing HTTP calls: deadlines, a guard against private targets, and a log.

    with outbound.Session("twilio", account="snd_x1", secrets=[token]) as session:
        session.post(url, json=body)

Redirects are not followed unless asked for; each one goes through the guard again. Proxies and .netrc files of the environment are
not used, because a proxy would bypass the guard.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from crm.outbound.guard import GuardedPool, GuardedTLSPool, PrivateTarget
from crm.outbound.log import Call, Log

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
MAX_BYTES = 1_000_000
CHUNK = 16_384
LONGEST_WAIT = 24 * 3600.0
"""Seconds that a receiver may ask for."""


class Refused(requests.RequestException):
    """The call was not made: its target is private, or not an HTTP address."""


class ResponseTooLong(requests.RequestException):
    """The response has more than MAX_BYTES."""


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": GuardedPool, "https": GuardedTLSPool}


class Session(requests.Session):
    """`service` and `account` name the callee in the log, which never contains `secrets`. `seconds` limits the whole response.

    `guarded=False` is for targets that the operator has configured, which may be private.
    """

    def __init__(
        self,
        service: str,
        *,
        account: str = "",
        secrets: Iterable[str] = (),
        seconds: float = READ_SECONDS,
        guarded: bool = True,
    ) -> None:
        super().__init__()
        self.trust_env = False
        if guarded:
            self.mount("https://", _Adapter())
            self.mount("http://", _Adapter())
        self.headers["User-Agent"] = "Kindling"
        self._seconds = seconds
        self._log = Log(service, account, secrets)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("allow_redirects", False)
        return super().request(method, url, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request and read its response. Raises requests.RequestException, Refused and ResponseTooLong included."""
        kwargs["timeout"] = (CONNECT_SECONDS, min(self._seconds, READ_SECONDS))
        kwargs["stream"] = True
        call = Call(request.method or "", urlsplit(str(request.url)), request.body)
        started = time.monotonic()
        try:
            response = super().send(request, **kwargs)
            _read(response, started + self._seconds)
        except PrivateTarget as error:
            self._log.failed(call, started, str(error))
            raise Refused(str(error), request=request) from error
        except requests.exceptions.InvalidSchema as error:
            raise Refused(str(error), request=request) from error
        except requests.RequestException as error:
            self._log.failed(call, started, reason(error))
            raise
        self._log.answered(call, started, response)
        return response

    def close(self) -> None:
        self._log.write()
        super().close()


def never_sent(error: requests.RequestException) -> bool:
    """Return whether a failed call certainly did not reach its target, so that it may be repeated."""
    if isinstance(error, (Refused, requests.ConnectTimeout, requests.exceptions.SSLError)):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)


def retry_after(response: requests.Response) -> float:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3), a day at most; 0 without one in seconds."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdecimal() else 0.0


def reason(error: requests.RequestException) -> str:
    """Return the reason of a failed call, without the wrapping of requests."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", None) or cause)
    return text.partition("): ")[2] or text


def _read(response: requests.Response, deadline: float) -> None:
    """Read the whole response within the deadline and MAX_BYTES; a socket's own timeout restarts with every byte."""
    if getattr(response, "_content_consumed", False):
        return
    body = bytearray()
    while part := _next(response):
        body += part
        if len(body) > MAX_BYTES:
            response.close()
            raise ResponseTooLong("the response is too long", response=response)
        if time.monotonic() > deadline:
            response.close()
            raise requests.ReadTimeout("the response is too slow", response=response)
    response._content = bytes(body)


def _next(response: requests.Response) -> bytes:
    """Return the bytes received so far, at least one; empty at the end."""
    try:
        return bytes(response.raw.read1(CHUNK, decode_content=True))
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error, response=response) from error
    except HTTPError as error:
        raise requests.ConnectionError(error, response=response) from error
