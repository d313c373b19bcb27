"""Actions on many campaigns at once. Each campaign makes the move by itself, and those that cannot are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.accounts.current_user import user_of
from crm.adminkit import confirm
from crm.adminkit.base import ModelAdmin
from marketing import campaigns
from marketing.models import Campaign

MOST_NAMED = 5

Move = Callable[[Campaign, HttpRequest], Any]


class CampaignBulkActions(ModelAdmin):
    """The actions of the list of campaigns."""

    actions: Any = ("pause_chosen", "resume_chosen", "cancel_chosen", "duplicate_chosen", "discard")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's deletion: `discard` deletes drafts, and a launched campaign stays."""
        offered: dict[str, Any] = super().get_actions(request)
        offered.pop("delete_selected", None)
        return offered

    @admin.action(description=gettext_lazy("Pause"), permissions=["launch"])
    def pause_chosen(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> HttpResponse | None:
        def pause(campaign: Campaign, request: HttpRequest) -> None:
            campaigns.pause(campaign, by=user_of(request))

        return self._each(request, chosen, pause, _("Pause these campaigns?"), _("Pause campaigns"))

    @admin.action(description=gettext_lazy("Resume"), permissions=["launch"])
    def resume_chosen(
        self, request: HttpRequest, chosen: QuerySet[Campaign]
    ) -> HttpResponse | None:
        def resume(campaign: Campaign, request: HttpRequest) -> None:
            campaigns.resume(campaign, by=user_of(request))

        return self._each(
            request, chosen, resume, _("Resume these campaigns?"), _("Resume campaigns")
        )

    @admin.action(description=gettext_lazy("Cancel"), permissions=["launch"])
    def cancel_chosen(
        self, request: HttpRequest, chosen: QuerySet[Campaign]
    ) -> HttpResponse | None:
        def cancel(campaign: Campaign, request: HttpRequest) -> None:
            campaigns.cancel(campaign, by=user_of(request))

        return self._each(
            request,
            chosen,
            cancel,
            _("Cancel these campaigns?"),
            _("Cancel campaigns"),
            note=_("Messages not sent yet are skipped for good."),
            danger=True,
        )

    @admin.action(description=gettext_lazy("Duplicate"), permissions=["add"])
    def duplicate_chosen(
        self, request: HttpRequest, chosen: QuerySet[Campaign]
    ) -> HttpResponse | None:
        def duplicate(campaign: Campaign, request: HttpRequest) -> None:
            campaigns.duplicate(campaign, by=user_of(request))

        return self._each(
            request,
            chosen,
            duplicate,
            _("Duplicate these campaigns?"),
            _("Duplicate campaigns"),
            note=_("The copies are drafts with the same content and audience. Nothing is sent."),
        )

    @admin.action(description=gettext_lazy("Delete drafts"), permissions=["delete"])
    def discard(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> HttpResponse | None:
        def discard(campaign: Campaign, request: HttpRequest) -> None:
            campaigns.discard(campaign)

        return self._each(
            request,
            chosen,
            discard,
            _("Delete these campaigns?"),
            _("Delete campaigns"),
            note=_("A launched campaign cannot be deleted; cancel it instead."),
            danger=True,
        )

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Campaign],
        move: Move,
        title: str | Promise,
        button: str | Promise,
        *,
        note: str = "",
        danger: bool = False,
    ) -> HttpResponse | None:
        """Ask, then make the move for each campaign, and report how many made it and why others did not."""
        if not confirm.given(request):
            facts = [confirm.Fact(chosen.count(), _("campaigns"))]
            return confirm.page(
                self, request, title=title, button=button, facts=facts, note=note, danger=danger
            )
        done, refused = 0, []
        for campaign in chosen.select_related("sender", "template"):
            name = campaign.name
            try:
                move(campaign, request)
            except (campaigns.ImpossibleMove, campaigns.NotReady, campaigns.HasSent) as error:
                refused.append(f"{name}: {error}")
            else:
                done += 1
        if done:
            text = ngettext("%s campaign changed.", "%s campaigns changed.", done) % done
            self.message_user(request, text, messages.SUCCESS)
        for text in refused[:MOST_NAMED]:
            self.message_user(request, text, messages.WARNING)
        if more := refused[MOST_NAMED:]:
            text = ngettext(
                "%s more campaign stayed as it is.",
                "%s more campaigns stayed as they are.",
                len(more),
            ) % len(more)
            self.message_user(request, text, messages.WARNING)
        return None
