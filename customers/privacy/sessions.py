"""Messages to staff that wait in a session ("Ada Lovelace was changed") name people."""

from __future__ import annotations

from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from customers.privacy.data_subject import Person

WAITING = SessionStorage.session_key


def erase(person: Person) -> int:
    """Drop the messages that name the person; returns from how many sessions. Sessions are those of staff: few."""
    count = 0
    for session in Session.objects.iterator():
        data = session.get_decoded()
        waiting = str(data.get(WAITING, ""))
        if person.are_mentioned_in(waiting) or any(name in waiting for name in person.names):
            del data[WAITING]
            Session.objects.filter(pk=session.pk).update(session_data=SessionStore().encode(data))
            count += 1
    return count
