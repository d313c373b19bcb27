"""How long Django's mail queues take from "send this to them" to "all is sent": each in a process and database of its own.

python -m benchmarks.peers post_office|mailer MESSAGES PORT     prints the seconds
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time

SETTINGS = "benchmarks.peer_settings"


def seconds_of(peer: str, messages: int, port: int) -> float:
    """Measure a peer ("post_office" or "mailer"); what it takes to start is not counted."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", peer, str(messages), str(port)],
        env=os.environ | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return float(done.stdout.split()[-1])


def post_office(messages: int) -> None:
    """A template of its own in the database, a queue in one call, and its sender with four threads."""
    from post_office import mail
    from post_office.models import STATUS, Email, EmailTemplate

    subject, body = _as_django_templates()
    template = EmailTemplate.objects.create(name="letter", subject=subject, html_content=body)
    mail.send_many(
        {
            "recipients": [f"c{number}@example.com"],
            "sender": "letter@shop.example",
            "template": template,
            "context": _person(number),
            "headers": {"List-Unsubscribe": f"<https://shop.example/u/{number}>"},
        }
        for number in range(messages)
    )
    while Email.objects.filter(status=STATUS.sent).count() < messages:
        mail.send_queued()


def mailer(messages: int) -> None:
    """Messages rendered and queued in one call, and its sender, which knows no threads."""
    from django.core.mail import EmailMultiAlternatives
    from django.template import Context, Template
    from mailer.backend import DbBackend
    from mailer.engine import send_all

    subject, body = (Template(part) for part in _as_django_templates())
    queue = []
    for number in range(messages):
        context = Context(_person(number))
        message = EmailMultiAlternatives(
            subject.render(context),
            "Hello",
            "letter@shop.example",
            [f"c{number}@example.com"],
            headers={"List-Unsubscribe": f"<https://shop.example/u/{number}>"},
        )
        message.attach_alternative(body.render(context), "text/html")
        queue.append(message)
    DbBackend().send_messages(queue)
    send_all()


def _person(number: int) -> dict[str, object]:
    return {
        "customer": {"first_name": f"First{number % 1000}", "city": "Berlin", "order_count": 0},
        "unsubscribe_url": f"https://shop.example/u/{number}",
    }


def _as_django_templates() -> tuple[str, str]:
    """Our newsletter uses nothing of Liquid that Django's language does not have."""
    from benchmarks.newsletter import BODY, SUBJECT

    return SUBJECT, BODY


def main() -> None:
    peer, messages = sys.argv[1], int(sys.argv[2])
    logging.disable(logging.INFO)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    django.setup()
    connection.settings_dict["TEST"]["NAME"] = f"bench_{peer}"
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        started = time.perf_counter()
        {"post_office": post_office, "mailer": mailer}[peer](messages)
        print(time.perf_counter() - started)
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
