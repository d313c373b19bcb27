"""UTM tags: the parameters by which web analytics attribute a visit to a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils.text import slugify

from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class UtmTags:
    """The tags of a campaign's links; without a source links stay as they are."""

    source: str = ""
    medium: str = ""
    campaign: str = ""

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """Return the campaign's tags, with its channel and its name where it says nothing else."""
        return cls(
            source=campaign.utm_source,
            medium=campaign.utm_medium or campaign.channel,
            campaign=campaign.utm_campaign or slugify(campaign.name, allow_unicode=True),
        )

    def parameters(self, variant: str = "") -> dict[str, str]:
        """Return the tags by the name of their URL parameter."""
        return {
            "utm_source": self.source,
            "utm_medium": self.medium,
            "utm_campaign": self.campaign,
            "utm_content": variant,
        }

    def tag(self, address: str, variant: str = "") -> str:
        """Return the address with the tags; a tag that the address already has stays."""
        if not self.source:
            return address
        parts = urlsplit(address)
        present = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
        missing = {
            name: value
            for name, value in self.parameters(variant).items()
            if value and name not in present
        }
        query = "&".join(filter(None, (parts.query, urlencode(missing))))
        return urlunsplit(parts._replace(query=query))
