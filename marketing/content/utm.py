"""Campaign parameters on links (utm_source and its kin), as web analytics read them; what a link has already stays."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils.text import slugify

from marketing.models import Campaign


def tagged(address: str, campaign: Campaign, variant: str = "") -> str:
    """The address with the campaign's parameters; the same where the campaign wants none."""
    if not campaign.utm_source:
        return address
    parts = urlsplit(address)
    there = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    missing = urlencode(
        {
            name: value
            for name, value in parameters(campaign, variant).items()
            if value and name not in there
        }
    )
    query = "&".join(filter(None, (parts.query, missing)))
    return urlunsplit(parts._replace(query=query))


def parameters(campaign: Campaign, variant: str = "") -> dict[str, str]:
    return {
        "utm_source": campaign.utm_source,
        "utm_medium": campaign.utm_medium or campaign.channel,
        "utm_campaign": campaign.utm_campaign or slugify(campaign.name, allow_unicode=True),
        "utm_content": variant,
    }
