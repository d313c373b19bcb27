"""The pages of senders: set up, test and reconnect them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import label_for_field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.decorators import action

from crm import masking
from crm.accounts.current_user import user_of
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, page
from customers.models import Suppression
from customers.models.consent import Channel
from marketing.admin import badges
from marketing.admin.sender_form import SenderForm, field_name, form_for
from marketing.channels import SendError, get_provider
from marketing.models import Sender, SenderBreaker
from marketing.sending import reconnect, sender_accounts, unproven_suppressions

SHOWN = 20

BREAKER_TONES: dict[str, display.Tone] = {
    SenderBreaker.State.CLOSED: "success",
    SenderBreaker.State.OPEN: "danger",
    SenderBreaker.State.PROBING: "warning",
}


@admin.register(Sender)
class SenderAdmin(ModelAdmin):
    form = SenderForm
    list_display = ("name_and_icon", "sends_as", "provider_label", "works", "default")
    list_filter = ("channel", "provider")
    list_select_related = ("breaker",)
    search_fields = ("name", "from_address")
    search_help_text = gettext_lazy("Name or address")
    empty_says = gettext_lazy(
        "A sender is an account at a provider that sends messages. The simulator needs no account, and sends nothing."
    )
    actions_list = ("lift_suppressions",)
    change_form_outer_before_template = "admin/marketing/sender/trouble.html"
    change_form_outer_after_template = "admin/marketing/sender/standing.html"

    def get_form(
        self, request: HttpRequest, obj: Sender | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, **{**kwargs, "form": form_for(obj)})

    def get_fieldsets(self, request: HttpRequest, obj: Sender | None = None) -> Any:
        basics = (None, {"fields": (("name", "is_default"), ("channel", "provider"))})
        if obj is None:
            return (basics,)
        own = [field_name(each) for each in get_provider(obj.provider).settings]
        return (
            basics,
            *(((get_provider(obj.provider).label, {"fields": own}),) if own else ()),
            (
                _("From and reply-to"),
                {"fields": (("from_name", "from_address"), "reply_to")},
            ),
            (
                _("Rate limit and cost"),
                {"fields": (("per_second", "per_day"), ("connections", "cost_per_message"))},
            ),
        )

    def response_add(
        self, request: HttpRequest, obj: Sender, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Redirect to the page with the settings of its provider."""
        self.message_user(request, _("Enter the settings of %s.") % obj.get_provider_display())
        return HttpResponseRedirect(reverse("admin:marketing_sender_change", args=[obj.pk]))

    def page_context(self, request: HttpRequest, obj: Sender) -> dict[str, Any]:
        status = sender_accounts.status_of(obj)
        return {
            "sender": obj,
            "status": status,
            "faults": [(_name_of(obj, each), what) for each, what in status.faults.items()],
            "breaker": self.works(obj),
            "reports_delivery": get_provider(obj.provider).reports_delivery,
            "test_to": user_of(request).email if obj.channel == Channel.EMAIL else "",
            "is_post": obj.channel == Channel.SOCIAL,
            "is_push": obj.channel == Channel.PUSH,
            "site_url": settings.SITE_URL,
        }

    @action(
        description=gettext_lazy("Review suppressions"),
        icon="undo",
        permissions=["lift_suppressions"],
    )
    def lift_suppressions(self, request: HttpRequest) -> HttpResponse:
        """Lift the suppressions by refusals that blame the sender, after a look at them."""
        changelist = reverse("admin:marketing_sender_changelist")
        if confirm.given(request):
            lifted = unproven_suppressions.lift()
            self.message_user(
                request,
                ngettext(
                    "%(number)d suppression lifted.", "%(number)d suppressions lifted.", lifted
                )
                % {"number": lifted},
                messages.SUCCESS,
            )
            return HttpResponseRedirect(changelist)
        found = list(unproven_suppressions.find())
        if not found:
            self.message_user(request, _("No suppression was caused by a fault of a sender."))
            return HttpResponseRedirect(changelist)
        columns = ("address", "evidence")
        rows = (
            masking.row(Suppression, columns, (each.address, each.evidence))
            for each in found[:SHOWN]
        )
        return confirm.page(
            self,
            request,
            title=_("Lift these suppressions?"),
            button=_("Lift suppressions"),
            facts=[confirm.Fact(len(found), _("addresses"))],
            note=_(
                "Their evidence blames the sender, not the address. Failed messages to them can be retried."
            ),
            back=changelist,
            details=format_html_join("", "<p><b>{}</b> {}</p>", rows),
        )

    def has_lift_suppressions_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm("customers.delete_suppression")

    @page("test", "<int:pk>/test/", "change")
    @method_decorator(require_POST)
    def send_test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test message to the posted address, and report the result."""
        sender = get_object_or_404(Sender, pk=pk)
        try:
            receipt, remarks = sender_accounts.send_test(sender, request.POST.get("to", "").strip())
        except SendError as error:
            self.message_user(request, _("The test was not sent: %s") % error, messages.ERROR)
        else:
            result = (
                _("The simulator accepted the test; nothing was sent.")
                if sender.simulated
                else _("The provider accepted the test as %s.")
                % (receipt.url or receipt.provider_id)
            )
            self.message_user(request, " ".join([result, *remarks]), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:marketing_sender_change", args=[pk]))

    @page("works_again", "<int:pk>/works-again/", "change")
    @method_decorator(require_POST)
    def works_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close the breaker for a user who says that the provider works, and resume its campaigns."""
        reconnect(get_object_or_404(Sender, pk=pk))
        self.message_user(
            request,
            _("The sender is used again, and its campaigns have resumed."),
            messages.SUCCESS,
        )
        return HttpResponseRedirect(reverse("admin:marketing_sender_change", args=[pk]))

    @admin.display(description=gettext_lazy("Name"), ordering="name")
    def name_and_icon(self, sender: Sender) -> SafeString:
        return badges.named(sender.name, sender.channel)

    @admin.display(description=gettext_lazy("Sends as"), ordering="from_address")
    def sends_as(self, sender: Sender) -> str:
        return badges.sends_as(sender) or display.NOTHING

    @admin.display(description=gettext_lazy("Provider"), ordering="provider")
    def provider_label(self, sender: Sender) -> SafeString | str:
        label = sender.get_provider_display()
        return badges.simulated() if sender.simulated else label

    @admin.display(description=gettext_lazy("Connection"))
    def works(self, sender: Sender) -> SafeString | str:
        breaker = SenderBreaker.objects.filter(sender=sender).first()
        if breaker is None:
            return _("Not used yet")
        return display.badge(breaker.get_state_display(), BREAKER_TONES[breaker.state])

    @admin.display(description=gettext_lazy("Default"), ordering="-is_default")
    def default(self, sender: Sender) -> SafeString | str:
        return display.badge(_("Default"), "primary") if sender.is_default else display.NOTHING


def _name_of(sender: Sender, field: str) -> str:
    """Return the label of a provider's setting, or of a field of the sender."""
    for setting in get_provider(sender.provider).settings:
        if setting.name == field:
            return str(setting.label)
    return str(label_for_field(field, Sender)).capitalize()
