"""No template text of customer data is ever rendered, and a template can do nothing but text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import RegularsError, UsageError
from orchestration.messages.compose import Writer
from orchestration.messages.sandbox import (
    MAX_SOURCE,
    MAX_VALUE,
    MissingError,
    check_source,
    one_line,
    render,
)
from orchestration.messages.templates import SMS, VARIABLES, MessageTemplate

REFUSED = [
    "{% for a in reason %}{{ a }}{% endfor %}",
    "{% set a = 1 %}{{ a }}",
    "{% include 'other.j2' %}",
    "{% import 'other.j2' as o %}",
    "{% from 'other.j2' import o %}",
    "{% extends 'other.j2' %}",
    "{% macro m() %}x{% endmacro %}",
    "{% block b %}x{% endblock %}",
    "{% raw %}{{ x }}{% endraw %}{{ reason() }}",
    "{% filter upper %}x{% endfilter %}",
    "{% call reason() %}x{% endcall %}",
    "{{ reason.upper() }}",
    "{{ reason.__class__ }}",
    "{{ context.__class__ }}",
    "{{ context._x }}",
    "{{ context['product'] }}",
    "{{ context }}",
    "{{ context | upper }}",
    "{{ reason | attr('__class__') }}",
    "{{ reason | map('upper') }}",
    "{{ reason | format(1) }}",
    "{{ reason | safe }}",
    "{{ reason is callable }}",
    "{{ 'a' * 10 }}",
    "{{ 9 ** 9 }}",
    "{{ 1 + 1 }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ range(9) }}",
    "{{ lipsum() }}",
    "{{ self }}",
    "{{ config }}",
    "{{ settings }}",
    "{{ environ }}",
    "{{ phone }}",
    "{{ email }}",
    "{{",
    "{% if %}",
    "{{ reason",
    "x" * (MAX_SOURCE + 1),
]
CODE = [
    "{{ 7 * 7 }}",
    "{% if true %}yes{% endif %}",
    "{# gone #}",
    "{{ shop }}{{ stop }}",
    "${jndi:ldap://x}",
    "\ue000\ue001",
    "</script><b>",
    "x\r\nurl: https://evil.example",
    "%s {0} %(shop)s",
]
anything = st.one_of(st.text(max_size=80), st.sampled_from(CODE))
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), anything)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_no_template_may_have_is_refused_when_it_is_read(number: int) -> None:
    with pytest.raises(UsageError):
        check_source(REFUSED[number], VARIABLES, "the template")


def test_a_variable_that_is_not_there_ends_the_rendering() -> None:
    for source in (
        "{{ first_name }}",
        "{{ context.product }}",
        "{{ context.product | upper }}",
        "{% if first_name %}x{% endif %}",
        "{{ 'x' ~ context.product }}",
        "{% if context.product == 'x' %}x{% endif %}",
    ):
        with pytest.raises(MissingError):
            render(source, {"first_name": None}, {})
    asked = "{% if first_name is defined %}{{ first_name }}{% else %}you{% endif %}"
    assert render(asked, {}, {}) == "you"
    assert render("{{ context.product | default('it') }}", {}, {}) == "it"


def test_methods_of_the_context_are_none_of_its_values() -> None:
    assert render("{{ context.items }}", {}, {"items": 3}) == "3"
    with pytest.raises(MissingError):
        render("{{ context.keys }}", {}, {"items": 3})


@settings(max_examples=300, deadline=None)
@given(first=anything, reason=anything, product=anything)
def test_values_are_put_in_as_they_are_and_never_rendered(
    first: str, reason: str, product: str
) -> None:
    names = ("first_name", "reason", "context.p")
    source = "<" + "|".join(f"{{{{ {name} | default('-') }}}}" for name in names) + ">"
    made = render(source, {"first_name": first, "reason": reason}, {"p": product})
    kept = [one_line(value)[:MAX_VALUE] or "-" for value in (first, reason, product)]
    assert made == f"<{'|'.join(kept)}>"
    assert "\n" not in made
    assert "\ue000" not in made


@settings(max_examples=200, deadline=None)
@given(
    member=st.fixed_dictionaries(
        {"first_name": values, "last_name": values, "country_code": values, "reason": values}
    ),
    context=st.dictionaries(st.text(max_size=12), values, max_size=5),
)
def test_whatever_a_person_is_called_the_shop_and_the_way_out_are_named(
    member: dict[str, Any], context: dict[str, Any]
) -> None:
    source = "{{ first_name | default('') }} {{ reason | default('') }}"
    template = MessageTemplate("offer", SMS, False, {"text": source}, frozenset())
    own = Writer("offer", SMS, "marketing", "Fern & Co", max_parts=10, template=template)
    written = own.write(member | {"context": json.dumps(context)}, country="US", is_plain=False)
    assert isinstance(written.message, str)
    assert written.message.startswith("Fern & Co: ")
    assert written.message.endswith(" Reply STOP to opt out.")


def test_no_text_is_without_a_bound() -> None:
    with pytest.raises(RegularsError, match="longer"):
        render("{{ context.p }}" * 200, {}, {"p": "x" * 9_999})
