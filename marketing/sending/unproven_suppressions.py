"""Suppressions by hard bounces that prove nothing about the address: find them, and lift them in one action.

Their evidence is the refusal of a mail server or the report of a provider, and speaks of the sender, its account or its reputation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db import transaction

from customers.consent import normalised
from customers.models import Suppression
from marketing.channels import (
    ReceiptKind,
    cut_reply_code,
    is_address_fault,
    kind_of_reply,
    kind_of_report,
)
from marketing.messages import transitions

REPORT = re.compile(r"msg_\w+: (.*)", re.DOTALL)
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
    if report := REPORT.fullmatch(evidence):
        return kind_of_report(report[1]) in OTHER_CAUSES
    if evidence[:1] == "5" and (reply := cut_reply_code(evidence)):
        return kind_of_reply(*reply) != ReceiptKind.BOUNCED_HARD
    return False


def _is_valid(suppression: Suppression) -> bool:
    try:
        normalised(suppression.channel, suppression.address)
    except ValueError:
        return False
    return True
