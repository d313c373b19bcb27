"""A reply to a text message opts out in many words; a sentence that merely has such a word is left to a user."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.channels.replies import STOP, read_reply

OPT_OUTS = """
    STOP|Opt out|OPT-OUT|Stop.|stop!|“STOP”|'stop'|*STOP*|STOP please|please stop|Pls stop|S T O P|s.t.o.p|stop stop stop|STOP ALL|stopall
    STOP IT NOW!!!|Stop 🙏|STOP. Thanks|Ｓｔｏｐ|STOP 36180|Stop texting me|Please stop sending me these messages|stop messages
    end|End.|quit|cancel|revoke|I revoke my consent|unsubscribe|UNSUBSCRIBE ME|opt me out|I want to opt out|cancel my subscription
    remove me|Remove me from your list please|Take me off your list|don't text me again|dont text me|Do not contact me|No more texts
    I don't want your texts anymore|ARRET|Arrêt|STOPP|stopp bitte|Bitte keine SMS mehr|abmelden|stop svp|Stop, s'il vous plaît|désabonner
    ALTO|BAJA|PARAR|no quiero más mensajes|SAIR|não quero mais mensagens|basta|annulla|afmelden|AVREGISTRERA|avsluta|koniec|стоп|停止|退订
    remove|Delete|🛑|CANCELA|unsuscribe|Unsubcribe please|STPO|STOP2END|TD|Reply STOP|stop promo|STOP fucking texting me|Stop les messages
    STOP sent from my iPhone|STOP!!!! I mean it|STOP, you have the wrong number|Unsubscribe - never signed up for this|leave me alone
    Please remove me from your contact list|ne m'envoyez plus de sms|No me envíen más mensajes|Não me enviem mais mensagens
    не пишите мне больше|Schreibt mir bitte nicht mehr|Stuur me geen sms meer|non scrivetemi più|arrêt, merci de me laisser tranquille
"""
UNCLEAR = """
    can you stop by the shop?|When does the sale end?|don't stop|never stop!|I can't stop wearing them|is there a bus stop near you
    cancel my order|please cancel my order 1234|not interested|wrong number|Don't text me after 9pm|unsubscribe? no thanks|full stop
    do not stop|Yes I will stop by|end of summer sale?|Stop and shop is great|Don't stop, I love these
"""
OTHERS = "weekend|When do you open?||👍|no|Thanks!|help|INFO|nonstop|my resume|Subscribed to you|Shop|T|Yes please|Gracias"


def replies(text: str) -> list[str]:
    return [reply.strip() for line in text.strip().splitlines() for reply in line.split("|")]


@pytest.mark.parametrize("reply", replies(OPT_OUTS))
def test_it_reads_an_opt_out(reply: str) -> None:
    assert read_reply(reply) == "unsubscribed"


@pytest.mark.parametrize("reply", replies(UNCLEAR))
def test_it_leaves_a_sentence_to_a_user(reply: str) -> None:
    assert read_reply(reply) == "unclear_reply"


@pytest.mark.parametrize("reply", OTHERS.split("|"))
def test_it_ignores_other_replies(reply: str) -> None:
    assert read_reply(reply) is None


@pytest.mark.parametrize("reply", ["START", "start!", "Unstop", "YES", "opt in"])
def test_it_reads_an_opt_in(reply: str) -> None:
    assert read_reply(reply) == "subscribed"


@given(
    st.sampled_from(sorted(STOP)),
    st.sampled_from(["{}", "{}!", '"{}"', " {} .", "please {}", "{} now"]),
)
def test_a_keyword_is_read_in_any_case_and_marks(word: str, form: str) -> None:
    for written in (word, word.upper(), word.title()):
        assert read_reply(form.format(written)) == "unsubscribed"


@given(st.text(max_size=40), st.text(max_size=40))
def test_words_around_a_keyword_never_opt_in(before: str, after: str) -> None:
    assert read_reply(f"{before} stop {after}") != "subscribed"
