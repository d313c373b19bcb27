"""The form to suppress many addresses, pasted or in a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from customers.consent import Suppressed, addresses_in, suppress_many
from customers.models import Suppression
from customers.models.consent import Channel

LARGEST_FILE = 20 * 2**20
SHOWN = 5


class AddressesForm(forms.Form):
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
    pasted = forms.CharField(
        label=gettext_lazy("Addresses"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=gettext_lazy("One per line, or separated by commas."),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(),
        help_text=gettext_lazy("Text or CSV with one address per line, up to 20 MB."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file and file.size > LARGEST_FILE:
            self.add_error("file", _("This file is larger than 20 MB. Split it."))
            return cleaned
        text = cleaned.get("pasted", "")
        if file:
            text += "\n" + file.read().decode("utf-8-sig", errors="replace")
        cleaned["addresses"] = addresses_in(text)
        if not cleaned["addresses"]:
            raise forms.ValidationError(_("Paste addresses, or choose a file of them."))
        return cleaned

    def suppress(self) -> Suppressed:
        given = self.cleaned_data
        return suppress_many(
            given["channel"],
            given["addresses"],
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
