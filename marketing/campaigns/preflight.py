"""Preflights: a job that renders the message for all recipients, and lists the customers with an error.

A change of a template or of the variants makes its result stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import jobs
from crm.accounts.models import User
from customers.models import Customer
from marketing.campaigns.audience import dry_run, recipients
from marketing.campaigns.checks import check_recipients, templates_of
from marketing.campaigns.states import NotReady
from marketing.content import (
    ALL_PARTS,
    NO_TRACKING,
    ContentError,
    Renderer,
    customer_context,
    shows_link,
    snippets_in,
)
from marketing.models import Campaign, Preflight, PreflightFailure

CHUNK = 500
NAMED = 3

State = Preflight.State


def start_preflight(campaign: Campaign, *, by: User | None) -> Preflight:
    """Start a preflight, or return the one of the same content that is under way."""
    running = campaign.preflights.filter(state=State.RUNNING)
    content = _fingerprint(campaign)
    if same := running.filter(content=content).first():
        return same
    stop_preflight(campaign)
    try:
        with transaction.atomic():
            begun = Preflight.objects.create(campaign=campaign, content=content, created_by=by)
            jobs.start(begun)
            return begun
    except IntegrityError:  # another user started one at the same moment
        return running.get()


def stop_preflight(campaign: Campaign) -> None:
    """Stop the preflight under way and keep what it found so far."""
    for running in campaign.preflights.filter(state=State.RUNNING):
        jobs.cancel(running)


def newest_preflight(campaign: Campaign) -> Preflight | None:
    """Return the newest preflight of a campaign."""
    return campaign.preflights.first()


def is_current(found: Preflight) -> bool:
    """Return whether the campaign still has the content that was rendered."""
    return found.content == _fingerprint(found.campaign)


def check_preflight(campaign: Campaign) -> None:
    """Raises NotReady where the preflight of this content found failures or is under way, or where a required one is missing."""
    found = newest_preflight(campaign)
    if found and not is_current(found):
        found = None
    if found and found.state == State.RUNNING:
        raise NotReady(_("The preflight is under way: wait until it ends, or stop it."))
    if found and found.failed:
        raise NotReady(_fails_for(found))
    if settings.PREFLIGHT_REQUIRED and not (found and found.state == State.FINISHED):
        raise NotReady(_("Run the preflight first: this site requires it before sending."))


def work(job: Preflight, turn: jobs.Turn) -> bool:
    """Do one turn; returns whether customers are left. Raises ValueError for a campaign that cannot be rendered, or has no recipient."""
    while True:
        with transaction.atomic():
            if not _render_next(job, turn):
                turn.save(total=F("done"))
                return False
        if turn.is_over():
            return True


def _render_next(job: Preflight, turn: jobs.Turn) -> bool:
    """Render the next chunk; returns whether there was one."""
    campaign = job.campaign
    if job.last_customer_id == 0:
        check_recipients(campaign)
        job.total = dry_run(campaign, sample=0).reachable
    last, chosen = _chosen(campaign, after=job.last_customer_id)
    if last is None:
        return False
    renderers = _renderers(campaign)
    customers = Customer.objects.in_bulk(chosen)
    failures = [
        PreflightFailure(preflight=job, customer=customer, variant=name, error=error)
        for pk, customer in customers.items()
        for name, error in _errors(renderers, chosen[pk], customer)
    ]
    PreflightFailure.objects.bulk_create(failures, ignore_conflicts=True)
    turn.save(
        total=job.total,
        last_customer_id=last,
        done=F("done") + len(customers),
        failed=F("failed") + len({failure.customer_id for failure in failures}),
    )
    job.last_customer_id = last
    return True


def _chosen(campaign: Campaign, *, after: int) -> tuple[int | None, dict[int, str]]:
    """Return the last id of the next chunk, None without one, and the variant of each recipient in it by id."""
    planned = recipients(campaign, after=after, limit=CHUNK)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, variant, reason FROM ({planned.sql}) AS planned",
            planned.parameters,
        )
        rows = cursor.fetchall()
    last = max((pk for pk, _variant, _reason in rows), default=None)
    return last, {pk: variant for pk, variant, reason in rows if not reason}


def _renderers(campaign: Campaign) -> dict[str, Renderer]:
    """Return a renderer for each variant; under "" that of a campaign without variants."""
    variants = campaign.variants.select_related("template")
    contents = {variant.name: variant.template for variant in variants}
    return {
        name: Renderer(template, campaign_name=campaign.name)
        for name, template in (contents or {"": campaign.template}).items()
    }


def _errors(
    renderers: Mapping[str, Renderer], variant: str, customer: Customer
) -> Iterable[tuple[str, str]]:
    """Yield (variant, error) for the variant of a customer, or for each that they may still be assigned."""
    names = [variant] if variant in renderers else list(renderers)
    context = customer_context(customer)
    for name in names:
        try:
            rendered = renderers[name].render(context, NO_TRACKING)
        except ContentError as error:
            yield name, str(error)
            continue
        if rendered.html and not shows_link(rendered.html, NO_TRACKING.unsubscribe):
            yield name, _("The customer sees no unsubscribe link.")


def _fails_for(found: Preflight) -> str:
    failures = found.failures.select_related("customer")[:NAMED]
    names = ", ".join(str(failure.customer) for failure in failures)
    fails = ngettext(
        "The message cannot be rendered for %(number)s customer: %(names)s.",
        "The message cannot be rendered for %(number)s customers, such as %(names)s.",
        found.failed,
    ) % {"number": found.failed, "names": names}
    way_out = _("Correct the content and run the preflight again, or send to the others.")
    return f"{fails} {way_out}"


def _fingerprint(campaign: Campaign) -> str:
    """Return a hash of all content that is rendered: each part of the templates, and the snippets in them."""
    content: list[list[str]] = []
    for template in templates_of(campaign):
        parts = [str(getattr(template, part)) for part in ALL_PARTS]
        snippets = [snippet.body for snippet in snippets_in(parts)]
        content.append([*parts, *snippets])
    return hashlib.sha256(repr(content).encode()).hexdigest()
