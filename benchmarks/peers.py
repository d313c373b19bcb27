"""Django's mail queues end to end, each in a process and database of its own.

They send the newsletter that we send, with the same addresses in it, and keep their record of each message as they do by default.

python -m benchmarks.peers post_office|mailer MESSAGES PORT     prints the seconds of a round for each line that it reads
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

SETTINGS = "benchmarks.peer_settings"


class Peer:
    """Start a peer ("post_office" or "mailer") with that many messages to send."""

    def __init__(self, name: str, messages: int, port: int) -> None:
        self.name = name
        self.messages = messages
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", name, str(messages), str(port)],
            env=os.environ | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self) -> float:
        """Return the seconds of sending, without the start."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("send\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def post_office(messages: int) -> Callable[[], None]:
    """Use its templates, its bulk queue and its command."""
    from django.core.management import call_command
    from post_office import mail
    from post_office.models import STATUS, Email, EmailTemplate

    subject, text, html = _as_django_templates()
    template = EmailTemplate.objects.create(
        name="letter", subject=subject, content=text, html_content=html
    )

    def send() -> None:
        mail.send_many(
            {
                "recipients": [f"c{number}@example.com"],
                "sender": "letter@shop.example",
                "template": template,
                "context": (context := _recipient(number)),
                "headers": _headers(context),
            }
            for number in range(1, messages + 1)
        )
        call_command("send_queued_mail")
        assert not Email.objects.exclude(status=STATUS.sent).exists()

    return send


def mailer(messages: int) -> Callable[[], None]:
    """Render and queue in one call, then run its command, which has no threads."""
    from django.core.mail import EmailMultiAlternatives
    from django.core.management import call_command
    from django.template import Context, Template
    from mailer.backend import DbBackend
    from mailer.models import Message

    subject, text, html = (Template(part) for part in _as_django_templates())

    def message(number: int) -> EmailMultiAlternatives:
        recipient = _recipient(number)
        context = Context(recipient)
        message = EmailMultiAlternatives(
            subject.render(context),
            text.render(context),
            "letter@shop.example",
            [f"c{number}@example.com"],
            headers=_headers(recipient),
        )
        message.attach_alternative(html.render(context), "text/html")
        return message

    def send() -> None:
        DbBackend().send_messages([message(number) for number in range(1, messages + 1)])
        call_command("send_mail")
        assert not Message.objects.exists()

    return send


def _recipient(number: int) -> dict[str, Any]:
    """Return the context of one recipient of newsletter.make_people()."""
    from benchmarks.newsletter import LINKS
    from marketing.content import Purpose, signed_url, tracking_for

    tracking = tracking_for(number)
    return {
        "customer": {"first_name": f"First{number % 1000}", "city": "Berlin", "order_count": 0},
        "unsubscribe_url": tracking.unsubscribe,
        "pixel_url": tracking.pixel,
        "trap_url": tracking.trap,
        "links": [signed_url(Purpose.CLICK, number, position) for position in range(1, LINKS + 1)],
    }


def _headers(recipient: dict[str, Any]) -> dict[str, str]:
    from marketing.sending.compose import unsubscribe_headers

    return unsubscribe_headers(recipient["unsubscribe_url"])


def _as_django_templates() -> tuple[str, str, str]:
    """Return subject, text and HTML of the newsletter as Django templates."""
    from benchmarks.newsletter import BODY, LINKS, SUBJECT
    from marketing.content import links, plain_text, render

    tracked = links.in_html(BODY)
    assert len(tracked) == LINKS

    def as_variable(address: str) -> str:
        position = tracked.index(address) if address in tracked else None
        return address if position is None else f"{{{{ links.{position} }}}}"

    html = links.replace_marked(render.with_traces(links.mark_html(BODY)), as_variable)
    text = links.replace_marked(links.mark_text(plain_text.from_html(BODY)), as_variable)
    return SUBJECT, text, html


def main() -> None:
    peer, messages, _port = sys.argv[1:]
    logging.disable(logging.INFO)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    django.setup()
    connection.settings_dict["TEST"]["NAME"] = f"bench_{peer}"
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        send = {"post_office": post_office, "mailer": mailer}[peer](int(messages))
        for _line in sys.stdin:
            started = time.perf_counter()
            send()
            print(time.perf_counter() - started, flush=True)
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
