"""Refuse the merge tags of other products, which Kindling would send as they stand.

Sources: the help pages of Mailchimp and Mandrill (merge tags), Salesforce Marketing Cloud and Account Engagement (%%…%%), Mailgun
(recipient variables), ActiveCampaign, GetResponse, Constant Contact, Omnisend, Campaign Monitor, MailPoet, Mautic, MailerLite, AWeber,
Zoho, Keap, Dotdigital, Moosend, SendGrid (substitution tags), Brevo, HubSpot and Drip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.content import liquid
from marketing.content.liquid import ContentError
from marketing.content.tokenizer import Kind, tokenize_text


def _named(variable: str, words: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), variable)


VARIABLES = {
    **_named("customer.first_name", "fname firstname first givenname forename vorname prenom nombre"),
    **_named("customer.last_name", "lname lastname last surname familyname nachname apellido cognome"),
    **_named("customer.name", "name fullname contactname subscribername displayname"),
    **_named("customer.email", "email emailaddress emailaddr mail subscriberemail"),
    **_named("customer.phone", "phone phonenumber mobile mobilephone sms"),
    **_named("customer.city", "city town"),
    **_named("customer.country", "country"),
    **_named("unsubscribe_url", "unsub unsubscribe unsubscribeurl unsubscribelink unsublink unsubscribetext optout optouturl"),
    **_named("site.name", "listcompany sendername"),
    **_named("", "company companyname organization birthday birthdate address zip zipcode postalcode state title currentyear webversion"),
    **_named("", "archive viewinbrowser webversiontext updateprofile preferences forward forwardtoafriend subscriberid contactid"),
}  # fmt: skip
"""Names of fields in other products, folded, and the variable that is the same here; empty where there is none."""

IN_PROSE = frozenset(
    _named("", "first last city town country mail sms mobile phone state title address company organization zip archive forward")
)  # fmt: skip
"""Names of fields that people put in square brackets, too: `[SMS] Your parcel is here`."""
ROOTS = frozenset({"contact", "subscriber", "recipient", "lead", "profile"})
"""Names under which other products' Liquid has the recipient: `{{ contact.FIRSTNAME }}`."""


class Syntax(NamedTuple):
    """The merge tags of a product; with `is_common`, the same marks stand in other texts, and only names of fields are merge tags."""

    product: str | Promise
    pattern: re.Pattern[str]
    is_common: bool = False


def _syntax(product: str | Promise, pattern: str, *, is_common: bool = False) -> Syntax:
    return Syntax(product, re.compile(pattern), is_common)


_OTHERS = gettext_lazy("another product")
SYNTAXES = (
    _syntax("Mailchimp", r"\*\|(?P<name>[^|*\n]{1,80})\|\*"),
    _syntax("Marketing Cloud", r"%%(?P<name>[A-Za-z_=\[][^%\n]{0,78})%%"),
    _syntax("Mailgun", r"%recipient(?:[._](?P<name>[\w.]{1,60}))?%|%(?:\w{1,30}_)?unsubscribe_url%"),
    _syntax("ActiveCampaign", r"%(?P<name>[A-Za-z][\w-]{1,40})%", is_common=True),
    _syntax("GetResponse", r"\[\[\s*(?P<name>[A-Za-z][\w.]{0,60})(?:\s+OR\s[^\]\n]{0,80}|\|[^\]\n]{0,80})?\s*\]\]"),
    _syntax("MailPoet", r"\[subscriber:(?P<name>\w{1,60})[^\]\n]{0,80}\]"),
    _syntax("Campaign Monitor", r"(?<![\[\w*])\[(?P<name>[A-Za-z][\w ]{0,40}?)(?:,\s*fallback=[^\]\n]{0,80})?\](?![\](])", is_common=True),
    _syntax("Campaign Monitor", r"</?(?P<name>unsubscribe|webversion|forwardtoafriend|preferences)\b[^>\n]{0,200}>"),
    _syntax("Mautic", r"\{(?:contactfield|leadfield)=(?P<name>\w{1,60})[^}\n]{0,80}\}"),
    _syntax("MailerLite", r"\{\$(?P<name>\w{1,60})(?:\|[^}\n]{0,80})?\}"),
    _syntax("AWeber", r"\{!(?P<name>[\w.]{1,60})\}"),
    _syntax("Zoho", r"\$\[(?P<name>[\w.: ]{1,60})(?:\|[^\]\n]{0,80})?\]\$"),
    _syntax("Zoho", r"\$\{(?P<name>[A-Za-z][\w. ]{1,60})\}", is_common=True),
    _syntax("Keap", r"~(?P<name>Contact\.\w{1,60})~"),
    _syntax("Dotdigital", r"@(?P<name>[A-Z_]{3,30})@", is_common=True),
    _syntax("Moosend", r"#recipient:(?P<name>\w{1,60})#"),
    _syntax("SendGrid", r"<%(?P<name>[^%>\n]{1,80})%>"),
    _syntax(_OTHERS, r"(?<![{$%#])\{(?P<name>[A-Za-z][\w.]{1,40})\}(?!\})", is_common=True),
)  # fmt: skip


def refuse(source: str, *, takes_values: bool = False) -> None:
    """Raise ContentError, with its line, for the first merge tag of another product; what `{% raw %}` surrounds stays as it is.

    A snippet `takes_values` under names of its author's choice.
    """
    for place, tag, product, variable in _found(source):
        raise ContentError(
            _explained(tag, product, variable), line=source.count("\n", 0, place) + 1
        )
    if takes_values:
        return
    for path in sorted(liquid.compile_template(source, html=False).global_variable_paths()):
        root, _dot, name = path.partition(".")
        if root in ROOTS and name:
            place = source.find(path)
            line = source.count("\n", 0, place) + 1 if place >= 0 else None
            raise ContentError(
                _explained(path, _OTHERS, VARIABLES.get(_folded(name), "")), line=line
            )


def _found(source: str) -> Iterator[tuple[int, str, str | Promise, str]]:
    """Yield the merge tags: place, text, product, and the variable that is the same here."""
    is_raw = False
    for token in tokenize_text(source):
        is_raw = token.name == "raw" or (is_raw and token.name != "endraw")
        if token.kind is not Kind.TEXT or is_raw:
            continue
        for syntax in SYNTAXES:
            for match in syntax.pattern.finditer(token.source):
                name = match.groupdict().get("name") or ""
                known = _folded(name)
                if name in liquid.PLACEHOLDERS and match[0] == f"{{{name}}}":
                    continue
                is_prose = known not in VARIABLES or (match[0] == f"[{name}]" and known in IN_PROSE)
                if not (syntax.is_common and is_prose):
                    yield (
                        token.start + match.start(),
                        match[0],
                        syntax.product,
                        VARIABLES.get(known, ""),
                    )


def _folded(name: str) -> str:
    """Return the field in `Contact.First Name` or `first-name`: `firstname`."""
    last = re.split(r"[.:|]", name)[-1]
    return re.sub(r"[\W_]", "", last).casefold()


def _explained(tag: str, product: str | Promise, variable: str) -> str:
    told = _("“%(tag)s” is a merge tag of %(product)s, which has no meaning here.") % {
        "tag": tag[:80],
        "product": product,
    }
    if variable:
        return f"{told} " + _("Write %s.") % f"{{{{ {variable} }}}}"
    way_out = _("Write a variable, such as %(variable)s, or put it between %(start)s and %(end)s.")
    marks = {"variable": "{{ customer.first_name }}", "start": "{% raw %}", "end": "{% endraw %}"}
    return f"{told} {way_out % marks}"
