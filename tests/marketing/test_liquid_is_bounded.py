"""A template reaches what it is given and nothing else, and its output and loops have an end."""

from __future__ import annotations

from typing import Any

import pytest

from marketing.content.context import customer_context
from marketing.content.liquid import ContentError, compile_template, render
from marketing.content.variables import unknown
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def html(source: str, **context: Any) -> str:
    return render(compile_template(source, html=True), context)


def test_values_are_escaped_in_html() -> None:
    assert html("Hi {{ name }}", name="<b>&") == "Hi &lt;b&gt;&amp;"


def test_single_braces_stand_for_the_same_as_double() -> None:
    assert html("Hi {name}!", name="Ada") == "Hi Ada!"


def test_single_braces_of_css_are_left_alone() -> None:
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
def test_a_template_that_loops_grows_or_is_broken_gets_a_clear_error(source: str) -> None:
    with pytest.raises(ContentError) as caught:
        html(source, long="x" * 1000)
    assert str(caught.value)


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
def test_a_template_sees_nothing_beyond_its_variables(path: str) -> None:
    context = customer_context(make_customer(first_name="Ada"))
    assert html("[{{ " + path + " }}]", **context) == "[]"


def test_unknown_variables_are_named_once_in_order() -> None:
    assert unknown(
        ["{{ customer.frist_name }} {{ name }} {{ customer.attributes.anything }}", "{{ zzz }}"]
    ) == ["customer.frist_name", "zzz"]
