"""The form of a sender, with the settings of its provider. Secrets are not shown: an empty field leaves them as they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from crm import credentials
from marketing.channels import Setting, get_provider
from marketing.models import Sender
from marketing.sending import sender_accounts

PREFIX = "setting_"


class SenderForm(forms.ModelForm):
    class Meta:
        model = Sender
        fields = (
            "name", "is_default", "channel", "provider", "from_name", "from_address", "reply_to", "per_second", "per_day",
            "connections", "cost_per_message",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        channel, provider = cleaned.get("channel"), cleaned.get("provider")
        if channel and provider and channel not in get_provider(provider).serves:
            self.add_error(
                "provider", _("The provider does not send by this channel: choose another one.")
            )
        return cleaned

    def _post_clean(self) -> None:
        """Check, with the fields on the sender, that its provider can send with the settings."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        if self.instance.pk is None:
            for name, fault in sender_accounts.address_faults(self.instance).items():
                if name in self.fields:
                    self.add_error(name, fault)
            return
        settings = get_provider(self.instance.provider).settings
        given = {
            each.name: value
            for each in settings
            if (value := self.cleaned_data.get(field_name(each))) is not None
            and (value or not each.secret)
        }
        try:
            sender_accounts.set_up(self.instance, given)
        except sender_accounts.NotSetUp as error:
            for name, fault in error.faults.items():
                field = f"{PREFIX}{name}" if f"{PREFIX}{name}" in self.fields else name
                self.add_error(field if field in self.fields else None, fault)


def form_for(sender: Sender | None) -> type[SenderForm]:
    """Return the form with fields for the settings of the sender's provider; a new sender has none yet."""
    if sender is None:
        return SenderForm
    fields = {
        field_name(each): _field(each, sender) for each in get_provider(sender.provider).settings
    }
    return type("SenderForm", (SenderForm,), fields)


def field_name(setting: Setting) -> str:
    return f"{PREFIX}{setting.name}"


def _field(setting: Setting, sender: Sender) -> forms.CharField:
    stored = sender.credentials.get(setting.name, "")
    if not setting.secret:
        return forms.CharField(
            label=str(setting.label),
            help_text=str(setting.help),
            initial=sender.settings.get(setting.name, ""),
            required=False,
            widget=UnfoldAdminTextInputWidget(),
        )
    placeholder = (
        credentials.masked(stored)
        if stored
        else _("the secret, or env:%sNAME") % django_settings.SENDER_SECRETS_PREFIX
    )
    return forms.CharField(
        label=str(setting.label),
        help_text=str(setting.help),
        required=False,
        widget=UnfoldAdminPasswordWidget(
            attrs={"placeholder": placeholder, "autocomplete": "new-password"}
        ),
    )
