"""A template reaches only its variables, and its output and time are limited."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.models import Customer
from marketing.content.context import customer_context
from marketing.content.liquid import (
    ContentError,
    compile_template,
    expand_placeholders,
    render,
)
from marketing.content.liquid_limits import SECONDS
from marketing.content.variables import unknown
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def html(source: str, **context: Any) -> str:
    return render(compile_template(expand_placeholders(source), html=True), context)


def test_values_are_escaped_in_html() -> None:
    assert html("Hi {{ name }}", name="<b>&") == "Hi &lt;b&gt;&amp;"


def test_single_braces_are_placeholders() -> None:
    assert html("Hi {name}!", name="Ada") == "Hi Ada!"


def test_css_braces_stay_unchanged() -> None:
    assert html("p {color: red} a {margin}") == "p {color: red} a {margin}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in (1..100000) %}{% for b in (1..100000) %}x{% endfor %}{% endfor %}",
        "{% for a in (1..9999) %}{{ long }}{% endfor %}",
        "{{ 1 | divided_by: 0 }}",
        "{% if %}",
        "{% unknown_tag %}",
        "{{ name | no_such_filter }}",
        "{% for x in y %}",
        "{% if a %}" * 50,
    ],
)
def test_excessive_or_invalid_templates_raise_clear_errors(source: str) -> None:
    with pytest.raises(ContentError) as caught:
        html(source, long="x" * 1000)
    assert str(caught.value)


LONG = "a" * 50_000
CONDITIONS = "{% if a or b or c %}{% endif %}" * 2_000


@pytest.mark.parametrize(
    "source",
    [
        "{{ (1..1000000000) | join }}",
        "{% assign a = (1..50000000) | join: ',' %}",
        "{{ long | replace: '', long }}",
        "{{ long | replace: 'a', long | replace: 'a', long }}",
        "{{ 'a' | split: '' | concat: many | join: long }}",
        "{{ '' " + "| append: long " * 1_000 + "}}",
        "{{ 'now' | date: formats }}",
        "{% assign x = 9 %}{% for i in (1..4999) %}{% assign x = x | times: x %}{% endfor %}",
        "{% for i in (1..4999) %}{% endfor %}" * 3_000,
        "{% for i in (1..4999) %}" + CONDITIONS + "{% endfor %}",
        "{% tablerow i in (1..4999) %}" + CONDITIONS + "{% endtablerow %}",
        "{% for i in (1..4999) %}{{ many | uniq | size }}{% endfor %}",
        "{% include 'secret' %}",
        "{% render 'secret' %}",
    ],
)
def test_expensive_templates_fail_within_seconds(source: str) -> None:
    started = time.monotonic()
    with pytest.raises(ContentError):
        html(source, long=LONG, many=[str(each) for each in range(4_999)], formats="%c" * 200_000)
    assert time.monotonic() - started < 10  # 1 on an idle machine


def test_a_slow_worker_fails_no_template() -> None:
    class Busy(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            time.sleep(SECONDS * 1.2)
            return "Ada"

    assert html("Hi {{ person.name | upcase | strip }}", person=Busy(name="")) == "Hi ADA"


PIECES = st.sampled_from(
    [
        "{% for i in (1..4999) %}", "{% for i in customer.tags %}", "{% endfor %}", "{% if customer.name %}",
        "{% else %}", "{% endif %}", "{% assign x = x | append: long %}", "{{ x | times: x }}", "{% break %}",
        "{{ long | replace: 'a', long }}", "{{ (1..9999999) | join: x }}", "{% capture x %}", "{% endcapture %}",
        "{{ customer.attributes | json }}", "{{ x | split: '' | sort | uniq | reverse }}", "{% raw %}",
        "{% endraw %}", "{% comment %}", "{% endcomment %}", "{% cycle 'a', x %}", "{% increment x %}",
        "{% case x %}{% when 1 %}", "{% endcase %}", "{{", "}}", "{%", "%}", "{name}", "p { color: red }",
        "{{ customer.__class__.__mro__ }}", "{{ site['url'] }}", "{% liquid echo x %}", "é", "'", "|", "\n",
    ]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_liquid_renders_or_raises_a_clear_error(source: str) -> None:
    context = customer_context(Customer(first_name="Ada", tags=["a"], attributes={"k": [1]}))
    started = time.monotonic()
    with suppress(ContentError):
        assert "class '" not in html(source, long=LONG, **context)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "path",
    [
        "customer.__class__",
        "customer.__init__.__globals__",
        "customer.objects",
        "customer.password",
        "settings.SECRET_KEY",
        "site.secret_key",
        "customer.attributes.__class__",
    ],
)
def test_a_template_sees_only_its_variables(path: str) -> None:
    context = customer_context(make_customer(first_name="Ada"))
    assert html("[{{ " + path + " }}]", **context) == "[]"


def test_unknown_variables_are_listed_once_in_order() -> None:
    assert unknown(
        ["{{ customer.frist_name }} {{ name }} {{ customer.attributes.anything }}", "{{ zzz }}"]
    ) == ["customer.frist_name", "zzz"]
