"""Every recipient sees an unsubscribe link; a missing link is added."""

from __future__ import annotations

import re

import pytest

from crm import jobs
from marketing.campaigns import moves, preflight
from marketing.campaigns.states import NotReady
from marketing.content import unsubscribe_link
from marketing.content.checks import check
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_template
from tests.marketing.delivery import send_email
from tests.smtp_sink import Sink

LINK = "<a href='{{ unsubscribe_url }}'>Leave</a>"
LINK_IN_COLOR = "{1}<a href='{{{{ unsubscribe_url }}}}' style='color:{0}'>Leave</a>"
BUTTON = "<v:rect href='{{ unsubscribe_url }}'></v:rect>"


@pytest.mark.parametrize(
    "html",
    [
        LINK,
        "<a href={{unsubscribe_url}}>x</a>",
        "<a href='{{- unsubscribe_url | escape -}}#now'>x</a>",
        "<p>{{ unsubscribe_url }}</p>",
        f"{{% if customer.city %}}{LINK}{{% else %}}<p>{LINK}</p>{{% endif %}}",
        f"{{% unless customer.city %}}{LINK}{{% else %}}{LINK}{{% endunless %}}",
        f"{{% case customer.city %}} {{% when 'a' %}}{LINK}{{% when 'b' %}}{LINK}{{% else %}}{LINK}{{% endcase %}}",
        f"{{% if a %}}{{% if b %}}{LINK}{{% else %}}{LINK}{{% endif %}}{{% else %}}{LINK}{{% endif %}}",
        f"{{% if a %}}x{{% endif %}}{LINK}",
        f"{{% if unsubscribe_url %}}{LINK}{{% endif %}}",
        "{% assign u = unsubscribe_url %}<a href='{{ u }}'>x</a>",
        f"{{% capture footer %}}{LINK}{{% endcapture %}}{{{{ footer }}}}",
        "{% capture u %}{{ unsubscribe_url }}{% endcapture %}<a href='{{ u }}'>x</a>",
        f"<!--[if mso]>{LINK}<![endif]--><!--[if !mso]><!-->{LINK}<!--<![endif]-->",
        f"<!--[if gte mso 9]><!-->{LINK}<!--<![endif]-->",
        "<a href='{% if a %}{{ unsubscribe_url }}{% else %}{{ unsubscribe_url }}?x{% endif %}'>x</a>",
        f"<head><title>T</title><body>{LINK}",
        "<a href='{{ unsubscribe_url }}'><img src='x.png' alt='Leave'></a>",
        "<a href='{{ unsubscribe_url }}'>{{ customer.first_name }}, leave</a>",
        # MJML, Stripo and Mailchimp reset the size of cells and set it again inside
        f"<td style='font-size:0px;padding:10px;word-break:break-word'><div style='font-size:13px'>{LINK}</div></td>",
        f"<td style='font-size:0'><p style='font-size:12px;opacity:.7'>{LINK}</p></td>",
        f"<style>@media (max-width:480px){{.logo{{display:none}}}}a:hover{{opacity:0}}</style><p class='foot'>{LINK}</p>",
        f"<style>.preheader{{display:none}}</style><div class='preheader'>x</div><div class='mcnTextContent'>{LINK}</div>",
        f"<div style='max-height:none;line-height:0;overflow:hidden'>{LINK}</div>",
        f"<div style='height:0;overflow:hidden'>x</div><div>{LINK}</div>",
        f"<div style='mso-hide:all'>{LINK}</div><!--[if mso]>{LINK}<![endif]-->",
        f"<div style='mso-hide:all'>x</div>{LINK}<noscript>x</noscript>",
        LINK_IN_COLOR.format("#fff", "<td bgcolor='#000'>"),
        LINK_IN_COLOR.format("white", "<td style='background:#222 url(x.png)'>"),
        LINK_IN_COLOR.format("#ffffff", "<style>.dark{background-color:#000}</style><td class=dark>"),
        LINK_IN_COLOR.format("{{ color }}", "<td>"),
        f"<div style='color:#fff'>{LINK}</div>",  # a link has a color of its own
        f"<style>@media print {{ .noprint {{ display:none }} }}</style><p class=noprint>{LINK}</p>",
        f"<style media=print>a {{ display:none }}</style>{LINK}",
        f"<style>a:hover {{ color:#fff }} #outlook a {{ font-size:0 }} a::after {{ display:none }}</style>{LINK}",
        f"<style>.foot a {{ color:#fff }} .foot {{ background:#123 url(x.png) no-repeat }}</style><td class=foot>{LINK}</td>",
        f"<style>.foot {{ font-size:0 }} .foot a {{ font-size:12px }}</style><td class=foot>{LINK}</td>",
        f"<style>.foot {{ display:none }}</style><td class=foot style='display:block'>{LINK}</td>",
        f"<style>a {{ color:white }} body {{ background:black }}</style>{LINK}",
        f"<style>a[x-apple-data-detectors] {{ color:inherit!important; font-size:0 }} .x > a {{ display:none }}</style>{LINK}",
        f"<style>@media (prefers-color-scheme: dark) {{ a {{ color:#fff !important }} }}</style>{LINK}",
        f"<style>a {{ color:{{{{ brand }}}} }} a:not([href]) {{ display:none }} %%% {{</style>{LINK}",
        LINK_IN_COLOR.format("rgba(0,0,0,.5)", "<td>"),
    ],
)  # fmt: skip
def test_every_recipient_sees_the_link(html: str) -> None:
    assert unsubscribe_link.in_html(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello</p>",
        f"<!-- {LINK} -->",
        f"{{% comment %}}{LINK}{{% endcomment %}}",
        f"{{% raw %}}{LINK}{{% endraw %}}",
        f"{{% if customer.country == 'US' %}}{LINK}{{% endif %}}",
        f"{{% if a %}}{LINK}{{% elsif b %}}{LINK}{{% endif %}}",
        f"{{% if a %}}{LINK}{{% else %}}x{{% endif %}}",
        f"{{% if a %}}{{% if b %}}{LINK}{{% endif %}}{{% else %}}{LINK}{{% endif %}}",
        f"{{% case a %}}{{% when 'a' %}}{LINK}{{% endcase %}}",
        f"{{% for tag in customer.tags %}}{LINK}{{% endfor %}}",
        f"{{% unless a %}}{LINK}{{% endunless %}}",
        f"{{% capture footer %}}{LINK}{{% endcapture %}}",
        f"<!--[if mso]>{LINK}<![endif]-->",
        f"<!--[if !mso]><!-->{LINK}<!--<![endif]-->",
        f"<!--[if !mso]>{LINK}<![endif]-->",
        f"<div style='Display : None'>{LINK}</div>",
        f"<head>{LINK.replace('a', 'style', 1)}</style></head>",
        "<img alt='{{ unsubscribe_url }}'>",
        "<a title='{{ unsubscribe_url }}' href='https://shop.example/'>x</a>",
        "<a href='{% if a %}{{ unsubscribe_url }}{% endif %}'>x</a>",
        "{{ 'unsubscribe_url' }}",
        f"<div style='visibility:hidden'>{LINK}</div>",
        f"<div style='opacity:0'>{LINK}</div>",
        f"<div style='opacity: 0.0 !important'>{LINK}</div>",
        f"<div style='max-height:0px;overflow:hidden;mso-hide:all'>{LINK}</div>",
        f"<div style='overflow:hidden;height:0'>{LINK}</div>",
        f"<td style='font-size:0px'>{LINK}</td>",
        f"<div style='font-size:13px'><span style='font-size:0'>{LINK}</span></div>",
        f"<div hidden>{LINK}</div>",
        f"<div style='color:transparent'>{LINK}</div>",
        "<a href='{{ unsubscribe_url }}'></a>",
        "<a href='{{ unsubscribe_url }}'> &nbsp;&zwnj; </a>",
        "<a href='{{ unsubscribe_url }}'><span style='display:none'>Leave</span></a>",
        "{% if a %}<a href='{{ unsubscribe_url }}'>{% else %}<a href='/'>{% endif %}Leave</a>",
        "<a href='{{ unsubscribe_url }}'>{% if a %}Leave{% endif %}</a>",
        "<a href='{{ unsubscribe_url | slice: 0, 3 }}'>Leave</a>",
        f"<style>.footer{{display:none}}</style><div class='wide footer'>{LINK}</div>",
        f"<style>/* foot */ td.x, table #foot {{ DISPLAY : none !important }}</style><table><td><p id='foot'>{LINK}</p></table>",
        f"<style>@media (max-width:600px){{ .hide-mobile {{ display:none!important; }} }}</style><p class='hide-mobile'>{LINK}</p>",
        "{% assign u = unsubscribe_url %}",
        f"<div style='mso-hide: all'>{LINK}</div>",
        f"<noscript>{LINK}</noscript>",
        LINK_IN_COLOR.format("#FFF", "<td>"),
        LINK_IN_COLOR.format("rgb(254, 254, 254)", "<td>"),
        LINK_IN_COLOR.format("black", "<td bgcolor='#000000'>"),
        LINK_IN_COLOR.format("#333 !important", "<body style='background-color:#333333'><td>"),
        "<a href='{{ unsubscribe_url }}'><font color=white>Leave</font></a>",
        "<a href='{{ unsubscribe_url }}'><span style='color:hsl(0,0%,100%)'>Leave</span></a>",
        f"<span style='font-size:0.0em'>{LINK}</span>",
        f"<style>a {{ display:none }}</style>{LINK}",
        f"<style><!-- p a {{ color:#fff }} --></style><p>{LINK}</p>",
        f"<style>@media screen {{ .foot > a {{ font-size:0 !important }} }}</style><td class='foot'>{LINK}</td>",
        f"<style>[class~=foot] a, h1 {{ color:#FEFEFE }}</style><td class='a foot'>{LINK}</td>",
        f"<style>* {{ visibility:hidden }}</style>{LINK}",
        f"<style>.foot {{ display:none !important }}</style><td class=foot style='display:block'>{LINK}</td>",
        f"<style>#f {{ background-color:navy }} #f a {{ color:#000080 }}</style><td id=f>{LINK}</td>",
        f"<style>.a {{ font:0/0 arial }}</style><td class=a>{LINK}</td>",
        f"<style>@media only screen and (max-width:600px) {{ td.foot a {{ font-size:0 }} }}</style><td class=foot>{LINK}</td>",
        f"<style>body {{ background:#fff }} a:link {{ color:#fff }}</style><body>{LINK}",
        f"<style>.a {{ {{% if x %}}display:none{{% endif %}} }}</style><td class=a>{LINK}</td>",
        f"<!--[if mso]><style>.a {{ display:none }}</style><![endif]--><td class=a>{LINK}</td>",
        f"<div style='display:{{% if x %}}none{{% endif %}}'>{LINK}</div>",
        f"<div style='text-indent:-9999px'>{LINK}</div>",
        f"<div style='position:absolute;left:-10000px'>{LINK}</div>",
        f"<div style='clip:rect(0,0,0,0)'>{LINK}</div>",
        f"<div style='width:0;overflow:hidden'>{LINK}</div>",
        f"<div style='transform:scale(0)'>{LINK}</div>",
        f"<div style='font-size:1px'>{LINK}</div>",
        LINK_IN_COLOR.format("rgba(255,255,255,0)", "<td>"),
        LINK_IN_COLOR.format("#0000", "<td>"),
    ],
)
def test_some_recipients_see_no_link(html: str) -> None:
    assert not unsubscribe_link.in_html(html)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "html",
    [
        f"<html><body><p>Hello</p><!-- {LINK} --></body></html>",
        f"<html><body><p>Hello</p>{{% if customer.country == 'US' %}}{LINK}{{% endif %}}</body></html>",
    ],
)
def test_a_missing_unsubscribe_link_is_added(sink: Sink, html: str) -> None:
    message = send_email(sink, html, person={"country": "DE"})
    visible = re.sub(r"<!--.*?-->", "", message.html)
    assert re.search(r"<a href=\"[^\"]+/u/[\w-]+\"", visible)
    assert "/u/" in message.text
    assert "no_unsubscribe" in {each.code for each in check(make_template(body=html))}


@pytest.mark.django_db
def test_an_open_hidden_element_keeps_a_campaign_from_starting() -> None:
    template = make_template(body="<body><div style='display:none'><p>Hi</body>")
    customer = make_customer()
    campaign = make_campaign(template=template)

    with pytest.raises(NotReady, match="unsubscribe link"):
        moves.launch(campaign)

    job = preflight.start_preflight(campaign, by=None)
    jobs.run(job)
    assert [failure.customer for failure in job.failures.all()] == [customer]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("a {display:none}", "hidden_unsubscribe"),
        ("@media (max-width:600px) {a {display:none !important}}", "no_unsubscribe"),
        (".foot {color:#fff}", "no_unsubscribe"),
        ("@media print {a {display:none}}", None),
    ],
)
def test_a_style_sheet_stops_only_what_it_hides_for_certain(rule: str, code: str | None) -> None:
    link = LINK.replace("<a", "<a class='foot'")
    found = check(make_template(body=f"<style>{rule}</style><body>{link}</body>"))
    assert {each.code for each in found} & {"hidden_unsubscribe", "no_unsubscribe"} == ({code} - {None})  # fmt: skip


@pytest.mark.django_db
def test_the_text_part_gets_its_own_link(sink: Sink) -> None:
    text = "Hi{% if customer.country == 'US' %} {{ unsubscribe_url }}{% endif %}"
    message = send_email(sink, LINK, plain_text=text, person={"country": "DE"})
    assert message.text.startswith("Hi\n\nUnsubscribe: http")


@pytest.mark.parametrize(
    ("html", "is_shown"),
    [
        ("<a href='#u'>Leave</a>", True),
        ("<a href='#u&amp;x'>Leave</a><a href=\"#u\"><img src=x></a>", True),
        ("<a href='#other'>Leave</a>", False),
        ("<!-- <a href='#u'>Leave</a> -->", False),
        ("<div style='display:none'><a href='#u'>Leave</a></div>", False),
        ("<a href='#u'></a>", False),
    ],
)
def test_a_rendered_message_shows_its_link(html: str, is_shown: bool) -> None:
    assert unsubscribe_link.shows_link(html, "#u") is is_shown
