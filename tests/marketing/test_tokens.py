"""Signed tokens identify a message and reject any change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from marketing.content import tokens
from marketing.content.tokens import Purpose

EXECUTIONS = st.integers(0, 2**63 - 1)
POSITIONS = st.integers(0, 2**16 - 1)


@given(st.sampled_from(Purpose), EXECUTIONS, POSITIONS)
def test_a_token_survives_a_round_trip(purpose: Purpose, execution_id: int, position: int) -> None:
    token = tokens.make_token(purpose, execution_id, position)
    assert tokens.read_token(purpose, token) == (execution_id, position)


@given(EXECUTIONS, POSITIONS, st.data())
def test_a_changed_token_is_invalid(execution_id: int, position: int, data: st.DataObject) -> None:
    token = tokens.make_token(Purpose.CLICK, execution_id, position)
    index = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != token[index]))
    changed = token[:index] + other + token[index + 1 :]
    assert tokens.read_token(Purpose.CLICK, changed) is None


@given(EXECUTIONS)
def test_a_token_is_invalid_for_another_purpose(execution_id: int) -> None:
    assert (
        tokens.read_token(Purpose.UNSUBSCRIBE, tokens.make_token(Purpose.OPEN, execution_id))
        is None
    )


@given(st.text())
def test_any_text_is_an_invalid_token(text: str) -> None:
    assert tokens.read_token(Purpose.OPEN, text) is None
