"""The form to suppress many addresses, pasted or in a file."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from crm.adminkit.pasted_list import PastedListForm
from customers.consent import Suppressed, addresses_in, suppress_many
from customers.models import Suppression
from customers.models.consent import Channel

SHOWN = 5


class AddressesForm(PastedListForm):
    field_order = ("channel", "reason", "evidence", "pasted", "file")
    items_label = gettext_lazy("Addresses")
    items_help = gettext_lazy("One per line, or separated by commas.")
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=Channel.choices, widget=UnfoldAdminSelectWidget()
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=Suppression.Reason.choices,
        initial=Suppression.Reason.MANUAL,
        widget=UnfoldAdminSelectWidget(),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy(
            "Where the addresses come from: a letter, the list of a former provider."
        ),
    )

    def split(self, text: str) -> list[str]:
        return addresses_in(text)

    def suppress(self) -> Suppressed:
        given = self.cleaned_data
        return suppress_many(
            given["channel"],
            given["items"],
            reason=given["reason"],
            evidence=given["evidence"],
        )


def describe_result(outcome: Suppressed) -> str:
    """Describe the result in a sentence."""
    sentence = ngettext(
        "%(added)d address is suppressed", "%(added)d addresses are suppressed", outcome.added
    ) % {"added": outcome.added}
    if outcome.known:
        sentence += _(", %(known)d already were") % {"known": outcome.known}
    if outcome.refused:
        some = ", ".join(text[:50] for text in outcome.refused[:SHOWN])
        sentence += _("; invalid: %(count)d (%(some)s)") % {
            "count": len(outcome.refused),
            "some": some,
        }
    return f"{sentence}."
