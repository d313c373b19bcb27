"""Links of messages whose rows are gone: an unsubscribe counts for the merged customer and the address, a click leads where it led."""

from __future__ import annotations

from django.conf import settings

from crm.api import ids
from customers import consent, identity
from customers.models import Customer
from marketing.models import CampaignExecution, CampaignRun, FormerMessage, TrackedLink


def find(execution_id: int) -> FormerMessage | None:
    """Return what is known of a deleted message."""
    return FormerMessage.objects.filter(pk=execution_id).first()


def successor_of(former: FormerMessage) -> CampaignExecution | None:
    """Return the message of the same batch to the merged customer."""
    return (
        CampaignExecution.objects.select_related("customer", "run__campaign", "run__version")
        .filter(run=former.run_id, customer=identity.survivor_of(former.customer_id))
        .first()
    )


def opt_out(former: FormerMessage) -> None:
    """Opt out the address of the message, every customer with it, and the merged customer."""
    survivor = Customer.objects.filter(pk=identity.survivor_of(former.customer_id))
    consent.opt_out_addresses(
        former.channel,
        [former.address],
        f"unsubscribe link of {ids.encode('msg', former.pk)}",
        customer_ids=list(survivor.values_list("pk", flat=True)),
    )


def address_of(former: FormerMessage, position: int) -> str:
    """Return the address of a link as its recipient got it; the site where that is not known any more."""
    if address := (former.links or {}).get(str(position)):
        return str(address)
    run = CampaignRun.objects.filter(pk=former.run_id).first()
    if run is None:
        return settings.SITE_URL
    version = run.version_of(former.variant) if former.variant else run.version
    known = TrackedLink.objects.filter(version=version, position=position)
    return known.values_list("url", flat=True).first() or settings.SITE_URL
