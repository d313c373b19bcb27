"""Suppressions by hard bounces that prove nothing about the address: find them, and lift them in one action.

Their evidence is the refusal of a mail server or the report of a provider, and speaks of the sender, its account or its reputation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db import transaction

from customers.consent import normalised
from customers.models import Suppression
from marketing.channels import ReceiptKind, is_address_fault, kind_of_reply
from marketing.messages import transitions

REPLY = re.compile(r"(5\d\d)[ -](.*)", re.DOTALL)
REPORT = re.compile(r"msg_\w+: (.*)", re.DOTALL)
REPORTED_REPLY = re.compile(r"\b(5\d\d)[ -](?=\D|[45]\.\d)(.*)", re.DOTALL)
OTHER_CAUSES = frozenset({ReceiptKind.ACCOUNT, ReceiptKind.BLOCKED, ReceiptKind.BOUNCED_SOFT})


def find() -> Iterator[Suppression]:
    """Yield the suppressions that prove nothing about their address, oldest first."""
    bounced = Suppression.objects.filter(reason=Suppression.Reason.HARD_BOUNCE).order_by("pk")
    for each in bounced.iterator(chunk_size=2_000):
        if _is_unproven(each):
            yield each


@transaction.atomic
def lift() -> int:
    """Delete these suppressions, and allow another attempt of the messages that caused them; returns how many."""
    found = list(find())
    for channel in {each.channel for each in found}:
        addresses = [each.address for each in found if each.channel == channel]
        transitions.allow_another_attempt(channel, addresses)
    Suppression.objects.filter(pk__in=[each.pk for each in found]).delete()
    return len(found)


def _is_unproven(suppression: Suppression) -> bool:
    evidence = suppression.evidence
    if is_address_fault(evidence):
        return _is_valid(suppression)
    if reply := REPLY.fullmatch(evidence):
        return kind_of_reply(int(reply[1]), reply[2]) != ReceiptKind.BOUNCED_HARD
    if report := REPORT.fullmatch(evidence):
        text = report[1]
        found = REPORTED_REPLY.search(text)
        code, said = (int(found[1]), found[2]) if found else (550, text)
        return kind_of_reply(code, said) in OTHER_CAUSES
    return False


def _is_valid(suppression: Suppression) -> bool:
    try:
        normalised(suppression.channel, suppression.address)
    except ValueError:
        return False
    return True
