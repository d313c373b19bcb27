"""Build the parts that are rendered from the source of a template: snippets inserted, MJML compiled, missing parts added."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.translation import gettext as _

from customers.models.consent import Channel
from marketing.content import (
    links,
    liquid,
    merge_tags,
    mjml,
    plain_text,
    snippets,
    unsubscribe_link,
)
from marketing.content.channel_parts import PARTS
from marketing.content.liquid import ContentError
from marketing.content.tokenizer import BLOCKS, Kind, Token, tokenize, tokenize_text
from marketing.content.visibility import Readers, with_readers
from marketing.models import CampaignTemplate, TemplateVersion
from marketing.models.template import Content

EMPTY_TITLE = re.compile(r"<title>\s*</title>", re.IGNORECASE)
HAS_LIQUID = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True)
class Source:
    """Liquid that needs nothing but a recipient. Only e-mail has HTML; its links lead to the author's addresses."""

    subject: str
    html: str
    text: str
    link: str


def of(content: Content) -> Source:
    """Return what a version was frozen as, or what a template would be now. Raises ContentError for a template that cannot be read."""
    if isinstance(content, TemplateVersion):
        subject, link = map(liquid.expand_placeholders, (content.subject, content.link))
        return Source(subject, content.html, content.text, link)
    assert isinstance(content, CampaignTemplate)
    return build(content)


def build(template: CampaignTemplate) -> Source:
    """Return what the template would be sent as. Raises ContentError, with a line of the author's own text where one is to blame."""
    for part in PARTS[template.channel]:
        if part != "body_format":
            _check(template, part)
    body = _expanded(template.body)
    match template.channel:
        case Channel.EMAIL:
            html, text = _email(template, body)
        case Channel.WEBHOOK:
            html, text = "", _json(body)
        case _:
            html, text = "", body
    subject, link = map(liquid.expand_placeholders, (template.subject, template.link))
    return Source(subject, html, text, link)


def validate(template: CampaignTemplate) -> None:
    """Raise ContentError for a template that could not be sent at all."""
    build(template)


def check_message(message: str) -> None:
    """Raise ContentError for the message of a campaign that makes its template of it: bad Liquid, or tags of other products."""
    own = snippets.without(message)
    liquid.check(own, html=True)
    merge_tags.refuse(own)


def links_of(template: CampaignTemplate) -> list[str]:
    """Return the addresses of the template's links that are the same for all recipients. Raises ContentError when it cannot be read."""
    source = build(template)
    return links.in_message(source.html, source.text, source.link)


def _expanded(source: str) -> str:
    return liquid.expand_placeholders(snippets.expand(source))


def _check(template: CampaignTemplate, part: str) -> None:
    own = snippets.without(getattr(template, part))
    is_html = part == "body" and template.channel == Channel.EMAIL
    try:
        if part == "body" and template.channel == Channel.WEBHOOK:
            own = _json(own)
        liquid.check(own, html=is_html)
        if template.channel != Channel.WEBHOOK:  # its receiver may know them
            merge_tags.refuse(own)
        if is_html and template.body_format == Content.BodyFormat.MJML:
            mjml.check(own)
    except ContentError as error:
        error.part = part
        raise


def _email(template: CampaignTemplate, body: str) -> tuple[str, str]:
    match template.body_format:
        case Content.BodyFormat.MJML:
            html = mjml.to_html(body)
        case Content.BodyFormat.TEXT:
            html = plain_text.to_html(body)
        case _:
            html = body
    html = _with_unsubscribe_link(html)
    text = _text_part(template, body, html)
    return _with_title(_with_preheader(html, template.preheader), template.subject), text


def _text_part(template: CampaignTemplate, body: str, html: str) -> str:
    """Return the author's own, a plain body as it is, or one made from the HTML; with a link to unsubscribe in each."""
    if template.plain_text:
        text = _expanded(template.plain_text)
    elif template.body_format == Content.BodyFormat.TEXT:
        text = body
    else:
        text = plain_text.from_html(html)
    if unsubscribe_link.in_text(text):
        return text
    return f"{text.rstrip()}\n\n{_('Unsubscribe')}: {{{{ unsubscribe_url }}}}\n"


def _with_unsubscribe_link(html: str) -> str:
    if unsubscribe_link.in_html(html):
        return html
    footer = (
        '<p style="margin:32px 0 0;font-size:12px;color:#71717a;text-align:center">'
        '<a href="{{{{ unsubscribe_url }}}}" style="color:#71717a">{}</a></p>'
    ).format(_("Unsubscribe"))
    return before_body_end(html, footer)


def _with_preheader(html: str, preheader: str) -> str:
    """Return the HTML with the preheader first in its body, where inboxes look for it, hidden from readers."""
    if not preheader:
        return html
    style = "display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;font-size:1px;line-height:1px"
    hidden = f'<div style="{style}">{_escaped(preheader)}</div>'
    for place in reversed(_starts_of_body(html)):
        html = html[:place] + hidden + html[place:]
    return html


def _with_title(html: str, subject: str) -> str:
    """Return the HTML with the subject as its title, where the author gave none: browsers and readers announce it."""
    return EMPTY_TITLE.sub(lambda _match: f"<title>{_escaped(subject)}</title>", html, count=1)


def _escaped(text: str) -> str:
    """Return a text with Liquid for HTML."""
    return "".join(
        token.source if token.is_liquid else escape(token.source)
        for token in tokenize_text(liquid.expand_placeholders(text))
    )


def _starts_of_body(html: str) -> list[int]:
    """Return where the body begins: once for each branch of Liquid that begins one, and where there is none after the head."""
    before_body = bodies = 0
    starts = []
    for token, depth in _shown_to_most(html):
        end = token.start + len(token.source)
        if token.kind is Kind.START and token.name == "body" and not bodies:
            starts.append(end)
            bodies += depth == 0
        elif (token.name, token.kind) in {("html", Kind.START), ("head", Kind.END)} or (
            token.kind is Kind.DECLARATION
        ):
            before_body = end
    return starts or [before_body]


def before_body_end(html: str, addition: str) -> str:
    """Return the HTML with the addition at the end of its body."""
    end = len(html)
    for token, _depth in _shown_to_most(html):
        if token.kind is Kind.END and token.name == "body":
            end = token.start
    return html[:end] + addition + html[end:]


def _shown_to_most(html: str) -> Iterator[tuple[Token, int]]:
    """Yield the tokens that are not for Outlook alone, each with the number of Liquid's blocks around it."""
    depth = 0
    for token, readers in with_readers(tokenize(html)):
        if token.kind is Kind.TAG:
            depth += (token.name in BLOCKS) - (
                token.name.removeprefix("end") in BLOCKS and token.name.startswith("end")
            )
        elif Readers.OTHERS in readers:
            yield token, depth


def _json(body: str) -> str:
    """Return a JSON document with Liquid texts as one Liquid template that renders valid JSON for any values."""
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        raise ContentError(_("The body is not JSON: %s") % error.msg, line=error.lineno) from error
    return "".join(_written(document))


def _written(value: Any) -> Iterator[str]:
    match value:
        case dict():
            yield "{"
            for place, (name, each) in enumerate(value.items()):
                yield f"{', ' if place else ''}{json.dumps(name)}: "
                yield from _written(each)
            yield "}"
        case list():
            yield "["
            for place, each in enumerate(value):
                yield ", " if place else ""
                yield from _written(each)
            yield "]"
        case str() if HAS_LIQUID.search(text := liquid.expand_placeholders(value)):
            yield f"{links.JSON_CAPTURE}{text}{{% endcapture %}}{links.JSON_OUTPUT}"
        case _:
            yield json.dumps(value, ensure_ascii=False)
