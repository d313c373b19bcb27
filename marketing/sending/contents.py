"""What the messages of a run say: the content of each variant, compiled when the first of it is sent."""

from __future__ import annotations

from marketing.content.context import person_context
from marketing.content.render import Rendered, Renderer, Tracking, tracking_for
from marketing.models import CampaignRun, TemplateVersion
from marketing.sending.claimed_message import Held


class Contents:
    """Renders the messages of a run, each with its variant's version and links."""

    def __init__(self, run: CampaignRun) -> None:
        self._campaign_name = run.campaign.name
        self._default = run.version
        self._versions = {
            variant.name: variant.version for variant in run.variants.select_related("version")
        }
        self._compiled: dict[int, tuple[Renderer, int]] = {}

    def render(self, execution: Held) -> tuple[Rendered, Tracking]:
        """The message and the addresses in it. Raises ContentError when it cannot be rendered for its recipient."""
        renderer, link_count = self._renderer(
            self._versions.get(execution.variant) or self._default
        )
        tracking = tracking_for(execution.pk, link_count)
        return renderer.render(person_context(execution.person), tracking), tracking

    def _renderer(self, version: TemplateVersion) -> tuple[Renderer, int]:
        if version.pk not in self._compiled:
            links = list(version.links.order_by("position").values_list("url", flat=True))
            renderer = Renderer(version, campaign_name=self._campaign_name, tracked=links)
            self._compiled[version.pk] = renderer, len(links)
        return self._compiled[version.pk]
