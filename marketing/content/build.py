"""From what an author wrote to what is rendered: snippets put in, MJML compiled, missing parts made. Done once a version."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.translation import gettext as _

from customers.models.consent import Channel
from marketing.content import links, liquid, mjml, plain_text, snippets
from marketing.content.channel_parts import PARTS
from marketing.content.liquid import ContentError
from marketing.models import CampaignTemplate, TemplateVersion
from marketing.models.template import Content

BODY_START = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
HAS_LIQUID = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True)
class Source:
    """Liquid that needs nothing but a recipient. Only e-mail has HTML; its links lead where the author said."""

    subject: str
    html: str
    text: str
    link: str


def of(content: Content) -> Source:
    """What a version was frozen as, or what a template would be now. Raises ContentError for a template that cannot be read."""
    if isinstance(content, TemplateVersion):
        return Source(content.subject, content.html, content.text, content.link)
    assert isinstance(content, CampaignTemplate)
    return build(content)


def build(template: CampaignTemplate) -> Source:
    """What the template would be sent as. Raises ContentError, with a line of the author's own text where one is to blame."""
    for part in PARTS[template.channel]:
        if part != "body_format":
            _check(template, part)
    body = snippets.expand(template.body)
    match template.channel:
        case Channel.EMAIL:
            html, text = _email(template, body)
        case Channel.WEBHOOK:
            html, text = "", _json(body)
        case _:
            html, text = "", body
    return Source(template.subject, html, text, template.link)


def _check(template: CampaignTemplate, part: str) -> None:
    own = snippets.without(getattr(template, part))
    is_html = part == "body" and template.channel == Channel.EMAIL
    try:
        if part == "body" and template.channel == Channel.WEBHOOK:
            own = _json(own)
        liquid.compile_template(own, html=is_html)
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
    return _with_preheader(html, template.preheader), text


def _text_part(template: CampaignTemplate, body: str, html: str) -> str:
    """The author's own, a plain body as it is, or one made from the HTML; with a way out in each."""
    if template.plain_text:
        text = snippets.expand(template.plain_text)
    elif template.body_format == Content.BodyFormat.TEXT:
        text = body
    else:
        return plain_text.from_html(html)
    if links.UNSUBSCRIBE.search(liquid.with_double_braces(text)):
        return text
    return f"{text.rstrip()}\n\n{_('Unsubscribe')}: {{{{ unsubscribe_url }}}}\n"


def _with_preheader(html: str, preheader: str) -> str:
    """The preheader first in the body, where inboxes look for it and nobody sees it."""
    if not preheader:
        return html
    hidden = (
        '<div style="display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;font-size:1px;line-height:1px">'
        f"{liquid.around(preheader, escape)}</div>"
    )
    start = BODY_START.search(html)
    place = start.end() if start else 0
    return html[:place] + hidden + html[place:]


def _with_unsubscribe_link(html: str) -> str:
    if links.UNSUBSCRIBE.search(liquid.with_double_braces(html)):
        return html
    footer = (
        '<p style="margin:32px 0 0;font-size:12px;color:#71717a;text-align:center">'
        '<a href="{{{{ unsubscribe_url }}}}" style="color:#71717a">{}</a></p>'
    ).format(_("Unsubscribe"))
    return before_body_end(html, footer)


def before_body_end(html: str, addition: str) -> str:
    ends = [match.start() for match in BODY_END.finditer(html)]
    end = ends[-1] if ends else len(html)
    return html[:end] + addition + html[end:]


def _json(body: str) -> str:
    """A JSON document whose texts are Liquid, as one piece of Liquid that makes valid JSON whatever its values are."""
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
        case str() if HAS_LIQUID.search(wide := liquid.with_double_braces(value)):
            yield f"{{% capture json_text %}}{wide}{{% endcapture %}}{{{{ json_text | json }}}}"
        case _:
            yield json.dumps(value)
