"""Lists that people are on: tags, interests, segments, channels that they may be reached on; and what they prefer."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from customers.models.consent import ADDRESS_FIELDS, Channel
from customers.segments.from_text.clauses.names import PRESENCE, text_value
from customers.segments.from_text.clauses.reading import is_known, listed, remember
from customers.segments.from_text.clauses.scores import RFM
from customers.segments.from_text.conditions import (
    all_of,
    attribute,
    has_all,
    in_period,
    not_,
    one_of,
)
from customers.segments.from_text.periods import period
from customers.segments.from_text.phrase import Phrase, Rule
from customers.segments.from_text.vocabulary import PEOPLE

_CHANNELS = {
    "emails?|mails?|(?:our )?emails?(?: newsletters?)?|email marketing|by email": Channel.EMAIL,
    "sms|smses|texts?|text messages?|sms messages?": Channel.SMS,
    "whatsapp(?: messages?)?": Channel.WHATSAPP,
    "push(?: notifications?)?": Channel.PUSH,
}
_SUBSCRIBED = (
    "(?:are |is |been |have |has )*(?:subscribed|subscribe|subscribes|opted (?:- )?in|opt in"
    "|signed up|consented|agreed)(?: to| for| on| by| via)?(?: (?:receive|receiving|get|our|the"
    "|marketing|be reached))*"
    "|(?:can |could |may |who )*(?:be )?(?:reachable|reached|contacted|contactable|emailable"
    "|messaged|written to)(?: (?:by|on|via|through|with|over))?"
    "|(?:allow|allows|accept|accepts|permit|want|wants|get|gave consent (?:to|for)|(?:have |has "
    "|with )?(?:given )?(?:consent|permission|opt ins?)(?: (?:to|for|on))?)(?: (?:us|marketing"
    "|our|the))*"
)
_OPTED_OUT = (
    "(?:have |has |are |is )*(?:unsubscribed from|opted (?:- )?out of|opted out from"
    "|not reachable (?:by|on)|unreachable (?:by|on))(?: (?:our|the|marketing|receiving))*"
)
_WE_CAN = "(?:(?:that|who|whom) )?(?:we|you|i) (?:can|may|could|are allowed to) "
_BY_VERB = {
    "(?:e ?mail|mail)": Channel.EMAIL,
    "(?:text|sms)": Channel.SMS,
    "whatsapp": Channel.WHATSAPP,
}
_GOES_ON = "and|or|but|who|that|,|from|in|except|with|have|\\)"
_UNLIKELY_BARE = "new|active|customers?|people|email|sms|all|the|in|from|no|not|and|or|over|under"


def tagged(phrase: Phrase) -> Rule | None:
    """Tagged gold or silver; with the tags vip and staff; tag is gold."""
    if not phrase.take(
        "(?:(?:with|have|has|having|are|carrying|whose|an?|the|any of|all|both|either"
        "|one of) )*(?:tagged|labell?ed|marked|tags?)(?: (?:as|with|is|are|=|:|include|includes"
        "|contain|contains|of|either|both|any of))*"
    ):
        return None
    return _tags(phrase)


def _tags(phrase: Phrase) -> Rule | None:
    phrase.take("(?:as|with|is|the|either|both)(?= )")
    found = listed(phrase, _named_or_said("tag"))
    if found is None:
        is_all = phrase.before("tagged|labell?ed") and (phrase.is_over or phrase.sees(_GOES_ON))
        return attribute("tags", "is_set") if is_all else None
    phrase.take("tags?")
    return remember(phrase, _tags_again, (has_all if found[1] else one_of)("tags", found[0]))


def _tags_again(phrase: Phrase) -> Rule | None:
    return _known_ones(phrase, "tags", "tag")


def _interests_again(phrase: Phrase) -> Rule | None:
    phrase.take("in ")
    return _known_ones(phrase, "interests", "interest", "category")


def _known_ones(phrase: Phrase, field: str, *kinds: str) -> Rule | None:
    found = listed(
        phrase, lambda phrase: name.value if (name := phrase.take_name(*kinds)) else None
    )
    return (has_all if found[1] else one_of)(field, found[0]) if found else None


def tag_behind(phrase: Phrase) -> Rule | None:
    """The gold tag; gold-tagged customers; a vip label."""
    phrase.take("(?:(?:with|have|has|the|an?) )+(?=.)")
    found = listed(phrase, lambda phrase: name.value if (name := phrase.take_name("tag")) else None)
    if found and phrase.take(f"(?:- )?(?:tags?|label|(?:- )?tagged(?= (?:{PEOPLE})(?: |$)|$))"):
        return remember(phrase, _tags_again, (has_all if found[1] else one_of)("tags", found[0]))
    return None


def interested(phrase: Phrase) -> Rule | None:
    """Interested in hiking or yoga; coffee lovers; who like tea."""
    if not is_known("interests"):
        return None
    if phrase.take(
        "(?:(?:are|with|have|has|is|an?|whose|showed|shown|expressed|show) )*(?:interested|interests?"
        "|into|(?:fans?|lovers?)(?= of)|likes?|loves?|enjoys?|keen|fond)(?= )(?: (?:in|on|of|is|are|include|includes|contain"
        "|contains|=|:))*(?: (?:both|either))?"
    ):
        return _interests(phrase)
    found = listed(
        phrase,
        lambda phrase: name.value if (name := phrase.take_name("interest", "category")) else None,
    )
    if found and phrase.take(
        "(?:- )?(?:lovers?|fans?|enthusiasts?|interests?|addicts|aficionados)"
    ):
        return remember(
            phrase, _interests_again, (has_all if found[1] else one_of)("interests", found[0])
        )
    return None


def _interests(phrase: Phrase) -> Rule | None:
    phrase.take("(?:in|the)(?= )")
    found = listed(phrase, _named_or_said("interest", "category"))
    return (
        remember(phrase, _interests_again, (has_all if found[1] else one_of)("interests", found[0]))
        if found
        else None
    )


def in_segment(phrase: Phrase) -> Rule | None:
    """In the High Value segment, members of Newsletter, in both A and B."""
    if not phrase.take(
        "(?:(?:who|are|is|those|the|already|currently|being|both|either|part|belong|belongs|belonging"
        f"|{PEOPLE}) )*(?:in|of|to|from|within|inside)(?: (?:the|our|my|both|either"
        "|any of))*(?: segments?)?(?: (?:called|named))?"
        f"|(?:the )?segments?(?: (?:is|=|:|called|named))?"
    ):
        phrase.take("(?:the|our)(?= )")
    return _segments(phrase)


def _segments(phrase: Phrase) -> Rule | None:
    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:in|the|segments?|both|either)(?= )")
        found = phrase.take_name("segment")
        if found is not None:
            phrase.take("segments?|list|audience|group")
        return found.value if found else None

    found = listed(phrase, one)
    if found is None:
        return None
    phrase.take("segments?|lists?|audiences?|groups?|subscribers?")
    return remember(phrase, _segments, (has_all if found[1] else one_of)("segment", found[0]))


def subscribed(phrase: Phrase) -> Rule | None:
    """Subscribed to sms; can be reached by e-mail or sms; sms subscribers; opted out of e-mail."""
    is_out = bool(phrase.take(_OPTED_OUT))
    if is_out or phrase.take(_SUBSCRIBED):
        phrase.take("(?:by|to|on|via|for|both|either)(?= )")
        found = listed(phrase, _channel)
        if found is None:
            return None
        phrase.take(
            "(?:marketing|messages?|notifications?|communications?|newsletters?|campaigns?)"
        )
        rule = (has_all if found[1] and not is_out else one_of)("subscribed", found[0])
        return not_(rule) if is_out else remember(phrase, _subscribed_again, rule)
    if phrase.take("(?:reachable|contactable) (?:at all|somehow|on any channel|by any channel)"):
        return attribute("subscribed", "is_set")
    found = listed(phrase, _channel)
    if found and phrase.take(
        "(?:- )?(?:subscribers?|opt (?:- )?ins?|opted in|consent|reachable|permission)"
    ):
        return one_of("subscribed", found[0])
    return None


def we_can(phrase: Phrase) -> Rule | None:
    """People whom we can text; that we may reach by WhatsApp."""
    if not phrase.take(f"{_WE_CAN}(?=.)"):
        return None
    if phrase.take(
        "(?:reach|contact|write to|message|talk to)(?: (?:by|on|via|through|over))(?= )"
    ):
        return _subscribed_again(phrase)
    said = listed(
        phrase,
        lambda phrase: next(
            (channel.value for words, channel in _BY_VERB.items() if phrase.take(words)), None
        ),
    )
    return (has_all if said[1] else one_of)("subscribed", said[0]) if said else None


def _subscribed_again(phrase: Phrase) -> Rule | None:
    phrase.take("(?:to|by)(?= )")
    found = listed(phrase, _channel)
    return one_of("subscribed", found[0]) if found else None


def prefers(phrase: Phrase) -> Rule | None:
    """Prefers sms; preferred channel is e-mail."""
    if not is_known("preferred_channel"):
        return None
    if not phrase.take(
        "(?:whose |with |their )*(?:prefer|prefers|preferred channel|preferring"
        "|favou?rite channel)(?: (?:is|of|=|:|to be (?:reached|contacted) (?:by|on|via)"
        "|being contacted (?:by|via)))?"
    ):
        return None
    found = listed(phrase, _channel)
    return one_of("preferred_channel", found[0]) if found else None


def favourite(phrase: Phrase) -> Rule | None:
    """Favourite category is Coffee, favourite brand Harrow."""
    kind = phrase.take(
        "(?:whose |with |their |an? )*(?:favou?rite|preferred|top|main) (?P<kind>category|brand|department)(?: (?:is|of|=|:|are))?"
    )
    if not kind or not is_known(f"favourite_{kind['kind']}"):
        return None
    field = f"favourite_{kind['kind']}"
    found = listed(phrase, _named_or_said(kind["kind"]))
    return one_of(field, found[0]) if found else None


def came_from(phrase: Phrase) -> Rule | None:
    """Came from instagram; acquired through referral; source is newsletter."""
    lead = phrase.take(
        "(?:(?:who|that|were|was|have|has) )*(?:came|come|coming|acquired|arrived|sourced|found us"
        "|signed up|joined|referred|registered)? ?(?:to us )?(?:from|via|through|by|over|on"
        "|thanks to)(?: (?:a|an|the|our))?"
    )
    found = listed(
        phrase, lambda phrase: name.value if (name := phrase.take_name("source")) else None
    )
    if not lead or not found:
        return None
    rule = one_of("source", found[0])
    is_dated = any(word in lead[0] for word in ("signed up", "joined", "registered", "acquired"))
    when = period(phrase) if is_dated else None
    return all_of([rule, in_period("registered_at", when)]) if when else rule


def _channel(phrase: Phrase) -> str | None:
    phrase.take("(?:by|to|on|via|through|receive|get|our|the)(?= )")
    found = next((channel for words, channel in _CHANNELS.items() if phrase.take(words)), None)
    return found.value if found in ADDRESS_FIELDS else None


def _named_or_said(*kinds: str) -> Callable[[Phrase], str | None]:
    """A name of the data; where it is said so plainly, also one that nobody has yet, which is told."""

    def read(phrase: Phrase) -> str | None:
        phrase.take("(?:the|a|an|either|both)(?= )")
        if found := phrase.take_name(*kinds):
            return found.value
        if (
            phrase.sees(
                f"tags?|interests?|{PEOPLE}|us|our|me|my|it|as|who|that|and|or|but|not|no|in|is|,|by|at least|over|more"
            )
            or phrase.is_over
            or (phrase.name("segment", "tag", "city", "region", "country") and not phrase.is_quoted)
        ):
            return None
        value = text_value(phrase)
        if value is not None:
            phrase.note(_("Nobody has “%s” yet.") % value)
        return value

    return read


def bare(phrase: Phrase) -> Rule | None:
    """VIPs; High Value customers; newsletter subscribers: a name of the data that stands alone."""
    if (
        phrase.sees(f"(?:{_UNLIKELY_BARE})")
        and not phrase.is_quoted
        and not phrase.token.text[:1].isupper()
    ):
        return None

    def of(kind: str) -> Callable[[Phrase], str | None]:
        return lambda phrase: name.value if (name := phrase.take_name(kind)) else None

    for kind, field in (("segment", "segment"), ("tag", "tags")):
        with phrase.attempt() as attempt:
            found = listed(phrase, of(kind))
            if found is not None:
                phrase.take("segments?|tags?|subscribers?")
                attempt.keep()
                return (has_all if found[1] else one_of)(field, found[0])
    return None


_LISTS = {
    "tags?": "tags",
    "interests?": "interests",
    "segments?": "segment",
    "anything|any channel|channels?": "subscribed",
}


def has_any(phrase: Phrase) -> Rule | None:
    """With any tag, without tags, not in any segment, not subscribed to anything."""
    phrase.take("(?:in|subscribed to|opted in to|reachable (?:on|by|via)) (?=any|a |segment)")
    if not phrase.before("with|without|no|have|has|having|not|in|to|on|by|via"):
        return None
    phrase.take("(?:an?|any|some|at least one|the) ")
    for words, field in _LISTS.items():
        if phrase.take(f"(?:{words})(?: at all| set)?"):
            ends = phrase.is_over or phrase.sees("and|or|but|who|that|,|from|except|\\)|with|have")
            return attribute(field, "is_set") if ends else None
    return None


CLAUSES = (
    has_any,
    subscribed,
    we_can,
    prefers,
    favourite,
    tagged,
    tag_behind,
    interested,
    in_segment,
    came_from,
    *RFM,
    *PRESENCE,
)
BARE = (bare,)
