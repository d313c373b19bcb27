"""Check a whole message, by channel."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from customers.models.consent import Channel
from marketing.channels import measure_sms, outside_gsm7
from marketing.content import build, links, liquid, mjml, snippets, unsubscribe_link, variables
from marketing.content.checks import addresses, html, spam
from marketing.content.checks.finding import Finding, error, warning
from marketing.content.liquid import ContentError
from marketing.content.render import Rendered
from marketing.content.tokens import Purpose, signed_url
from marketing.models import CampaignTemplate
from marketing.models.template import Content

LONGEST_POST = 500
"""Characters of a post on Mastodon as it comes (docs.joinmastodon.org/user/posting)."""

MANY = 3


def findings(text: str) -> Iterator[Finding]:
    measured = measure_sms(text)
    if others := outside_gsm7(text):
        yield warning(
            "ucs2",
            _("%s leaves 70 characters a message instead of 160.") % " ".join(others[:10]),
        )
    if measured.segments > MANY:
        yield warning("many_segments", _("It takes %s text messages.") % measured.segments)


def check(
    template: CampaignTemplate,
    seen: Rendered | None = None,
    *,
    sms_text: str = "",
    context: Collection[str] = variables.CONTEXT,
) -> list[Finding]:
    """Return the findings, errors first: for what one recipient would get, or without `seen` for what all have in common.

    `sms_text` is what a text message says as it leaves, with short links. `context` names the variables that the messages bring with
    them, as `event`.
    """
    try:
        parts = build.build(template)
        message = seen or Rendered(parts.subject, parts.html, parts.text, parts.link)
        found = [*_unknown(template, context), *_findings(template, message)]
        if template.channel == Channel.SMS:
            found += findings(sms_text or links.replace_in_text(message.text, _short))
    except ContentError as problem:
        return [error("unreadable", str(problem))]
    return sorted(found, key=lambda each: each.level != "error")


def _findings(template: CampaignTemplate, message: Rendered) -> Iterator[Finding]:
    match template.channel:
        case Channel.EMAIL:
            yield from _email(template, message)
        case Channel.SMS | Channel.WHATSAPP:
            yield from _text(message)
        case Channel.PUSH:
            yield from _push(message)
        case Channel.SOCIAL:
            yield from _text(message)
            if len(message.text) > LONGEST_POST:
                yield warning("long_post", _("Longer than 500 characters, Mastodon's own limit."))


def _short(url: str) -> str:
    """Return an address as long as that of a tracked link."""
    return signed_url(Purpose.CLICK, 0)


def _unknown(template: CampaignTemplate, context: Collection[str]) -> Iterator[Finding]:
    for path in unknown_in(template, context=context):
        yield warning("unknown_variable", _("No recipient has “%s”; it stays empty.") % path)


def unknown_in(
    template: CampaignTemplate, *, context: Collection[str] = variables.CONTEXT
) -> list[str]:
    """Return the variables in any part of the template, its snippets included, that no recipient can have."""
    parts = build.build(template)
    return variables.unknown(
        [parts.subject, template.preheader, parts.html, parts.text, parts.link], context=context
    )


def _email(template: CampaignTemplate, message: Rendered) -> Iterator[Finding]:
    if not template.subject.strip():
        yield error("no_subject", _("There is no subject."))
    elif not message.subject.strip():
        yield warning("empty_subject", _("The subject is empty for this recipient."))
    if not template.body.strip():
        yield error("empty", _("The message is empty."))
    if not template.preheader.strip():
        yield warning("no_preheader", _("There is no preheader: inboxes show the first words."))
    if not unsubscribe_link.in_html(build.build(template).html, on_all_screens=False):
        yield error(
            "hidden_unsubscribe",
            _("No recipient sees an unsubscribe link: close the element that hides the rest."),
        )
    elif not _has_unsubscribe_link(template):
        yield warning(
            "no_unsubscribe",
            _("Not every recipient sees an unsubscribe link; one is added at the end."),
        )
    page = html.read(message.html)
    yield from html.findings(page, message.html)
    yield from spam.findings(message.subject, page)


def _has_unsubscribe_link(template: CampaignTemplate) -> bool:
    written = liquid.expand_placeholders(snippets.expand(template.body))
    if template.body_format == Content.BodyFormat.TEXT:
        return unsubscribe_link.in_text(written)
    if template.body_format == Content.BodyFormat.MJML:
        written = mjml.to_html(written)
    return unsubscribe_link.in_html(written)


def _text(message: Rendered) -> Iterator[Finding]:
    if not message.text.strip():
        yield error("empty", _("The message is empty."))
    for url in links.in_text(message.text):
        yield from addresses.findings(url)


def _push(message: Rendered) -> Iterator[Finding]:
    if not message.subject.strip():
        yield error("no_subject", _("There is no title."))
    if not message.text.strip():
        yield error("empty", _("The message is empty."))
    if message.link:
        yield from addresses.findings(message.link)
