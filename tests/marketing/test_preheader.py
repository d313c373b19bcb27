"""The preheader is the first content of the body."""

from __future__ import annotations

import pytest

from marketing.content.build import build
from marketing.models import CampaignTemplate


def built(body: str) -> str:
    html = build(CampaignTemplate(subject="Hi", preheader="First & {name}", body=body)).html
    return html.replace("First &amp; {{ name }}", "PREHEADER")


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("<html><body class='a > b'><p>x", "<body class='a > b'>"),
        ("<HTML><BODY><p>x", "<BODY>"),
        (
            "<html><head></head><!--[if mso]><body class=mso><![endif]--><!--[if !mso]><!--><body class=b><!--<![endif]--><p>x",
            "<body class=b>",
        ),
        ("<!-- <body> --><body><p>x", "--><body>"),
        ("<!doctype html><html><head><title><body></title></head><p>x", "</head>"),
        ("<!doctype html><p>x", "<!doctype html>"),
        ("<body{% if a %} class='x'{% endif %}><p>x", "{% endif %}>"),
        ("{% comment %}<body>{% endcomment %}<body><p>x", "{% endcomment %}<body>"),
        ("<p>x", ""),
        ("<BODY\n class=x\n>\n<p>x", "class=x\n>"),
        ("<body data-x='<body>'><p>x", "data-x='<body>'>"),
        (
            "<html><head><style>body{margin:0} /* <body> */</style></head><body><p>x",
            "</head><body>",
        ),
        ("<script>document.write('<body>')</script><body><p>x", "</script><body>"),
        ("<html lang=en><head><meta charset=utf-8></head>\n<p>x", "</head>"),
        ("{% raw %}<body>{% endraw %}<p>x", "{% raw %}<body>"),
        (
            "<?xml version='1.0'?><!DOCTYPE html><html><body style=\"background:url('a>b')\">x",
            "b')\">",
        ),
        ("<!--[if gte mso 9]><xml></xml><![endif]--><body><p>x", "<body>"),
    ],
)
def test_the_preheader_follows_the_body_tag(body: str, before: str) -> None:
    html = built(body)
    assert html.count("PREHEADER") == 1
    assert html[: html.index("<div style=")].endswith(before)


def test_each_branch_with_a_body_has_the_preheader() -> None:
    html = built("{% if a %}<body class=a>{% else %}<body class=b>{% endif %}<p>x")
    assert html.count("PREHEADER") == 2
