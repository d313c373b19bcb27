"""allauth's forms, drawn with the admin's widgets."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)


class AdminLook(forms.Form):
    """Swap every visible widget for the admin's, keeping autocomplete; the label says it, no placeholder."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            attrs = {k: v for k, v in field.widget.attrs.items() if k != "placeholder"}
            match field.widget:
                case forms.HiddenInput():
                    continue
                case forms.PasswordInput():
                    field.widget = UnfoldAdminPasswordWidget(attrs)
                case forms.CheckboxInput():
                    field.widget = UnfoldBooleanWidget(attrs)
                case forms.TextInput() if isinstance(field, forms.EmailField):
                    field.widget = UnfoldAdminEmailInputWidget(attrs)
                case _:
                    field.widget = UnfoldAdminTextInputWidget(attrs)


class LoginForm(AdminLook, allauth_forms.LoginForm):
    """Sign in by e-mail address, which programs may send as `username` or `email`, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        data = args[0] if args else kwargs.get("data")
        if data is not None and "login" not in data:
            named = {**data.dict(), "login": data.get("username") or data.get("email") or ""}
            args, kwargs = args[1:], {**kwargs, "data": named}
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autofocus"] = True
        self.fields["password"].help_text = ""


class SignupForm(AdminLook, allauth_forms.SignupForm):
    pass


class AddEmailForm(AdminLook, allauth_forms.AddEmailForm):
    pass


class ChangePasswordForm(AdminLook, allauth_forms.ChangePasswordForm):
    pass


class SetPasswordForm(AdminLook, allauth_forms.SetPasswordForm):
    pass


class ResetPasswordForm(AdminLook, allauth_forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(AdminLook, allauth_forms.ResetPasswordKeyForm):
    pass


class ReauthenticateForm(AdminLook, allauth_forms.ReauthenticateForm):
    pass


class CodeForm(AdminLook):
    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )
