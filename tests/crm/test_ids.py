from hypothesis import given
from hypothesis import strategies as st

from crm.api import ids


@given(st.integers(0, 2**62))
def test_a_public_id_decodes_to_its_key_for_its_prefix_only(pk: int) -> None:
    public = ids.encode("cus", pk)
    assert public.startswith("cus_")
    assert ids.decode("cus", public) == pk
    assert ids.decode("seg", public) is None


@given(st.text())
def test_any_text_decodes_to_a_key_or_none(text: str) -> None:
    found = ids.decode("cus", text)
    assert found is None or ids.encode("cus", found) == text


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=40))
def test_a_well_formed_id_decodes_to_a_valid_key_or_none(body: str) -> None:
    found = ids.decode("cus", f"cus_{body}")
    assert found is None or 0 <= found < 2**63
