"""Wordings of refusals, in the order in which they decide, as regular expressions without regard to case.

Sources: the reason tables of Sisimai (github.com/sisimai), bounces.txt of ZoneMTA, the postmaster pages of Gmail, Outlook, Yahoo, GMX,
Mimecast and Proofpoint, the non-delivery reports of Exchange Online, the reject texts of Postfix, Exim and Sendmail, and the error texts
of Amazon SES, SendGrid, Mailgun and Postmark.
"""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """The subject of a refusal."""

    SENDER = "sender"
    """The account, its address, its rights or its quota: no message gets through until a user corrects it."""
    RATE = "rate"
    """Too many messages at a time: later they get through."""
    BLOCKED = "blocked"
    """Reputation, authentication of the domain, policy or content."""
    MAILBOX = "mailbox"
    """The mailbox exists and cannot take the message."""
    NO_MAILBOX = "no_mailbox"
    """The address does not exist."""


NOT_ALLOWED = r"not (?:allowed|permitted|authori[sz]ed|approved|accepted)"
REFUSED = r"(?:reject\w*|refus\w*|denied|forbidden|disallow\w*|prohibit\w*)"
KNOWN = r"(?:found|exist\w*|known|valid|local|owned|verified|listed|present|recogni[sz]ed)"
CONFIRMED = r"(?:verified|confirmed|activated)"
WANTED = r"(?:required|requis\w*|needed|mandatory|erforderlich)"
WRONG = r"(?:fail\w*|invalid|incorrect|wrong|expired|unsuccessful|rejected)"
LOGIN = r"(?:username|user name|login|password|api[- ]?key|token)"
CLOSED = (
    r"(?:suspend\w*|disabled|blocked|locked|deactivated|paused|expired|restricted|limited|under review|pending (?:approval|review)"
    r"|not (?:yet )?(?:active|enabled|allowed|approved|activated))"
)
PERIOD = (
    r"(?:daily|hourly|weekly|monthly|per[ -]?(?:day|hour|month)|24[- ]?hours?|today|for the day)"
)
LIMIT = r"(?:limits?|quota|maximum|allowance|exceed\w*|reached)"
OUTGOING = r"(?:sent|sending|outgoing|outbound|submission|smtp)"
RECIPIENT = r"(?:recipient|group|list|mailbox|user)"
MAILBOX = r"(?:user|recipient|mail ?box|addressee|rcpt|destinatai?r\w*|person|subscriber|empf\S*nger|benutzer)"
STORE = (
    r"(?:mail ?box|in-?box|mail ?dir|mail ?folder|mail ?drop|user'?s?|recipient'?s?|account|disk|disc|storage|space"
    r"|boite du destinataire)"
)

WORDINGS: tuple[tuple[Topic, tuple[str, ...]], ...] = (
    (
        Topic.RATE,
        (
            r"gr[ae]y[- ]?list",
            r"maximum (?:sending|send) rate exceeded",  # Amazon SES, by the second
            r"receiving (?:e-?mail|mail|messages) (?:at a rate|too (?:quickly|fast))",
            r"(?:exceed\w*|over) (?:its |their |the )?receiving (?:limits?|rate|quota)",
            r"too many (?:concurrent |simultaneous |open )*(?:smtp )?(?:connections|sessions)",
        ),
    ),
    (
        Topic.NO_MAILBOX,
        (
            r"^5\.4\.1 .{0,40}recipient address rejected: access denied",  # Exchange Online
            r"mailbox unavailable \(S\d{10}\)",  # Outlook.com
            r"[?&]p=NoSuchUser\b",  # Gmail
        ),
    ),
    (
        Topic.BLOCKED,
        (
            # lists of the recipient's own
            r"(?:allowed|safe|approved|permitted)[- ]?senders? list",
            r"sender (?:is )?not (?:pre-?approved|authenticated for (?:group|mailbox))",
            r"(?:blocked|black-?listed|rejected|refused) by (?:the )?(?:recipient|user)\b",
            r"recipient (?:has |does not |doesn't |only )?(?:blocked|accepts?|blacklisted) (?:mail|messages|you|from|the sender)",
            r"(?:members?-only|closed mailing list|non-?member|not subscribed to this group)",
            rf"(?:{NOT_ALLOWED}|permission) to (?:send|post)(?: e?-?mail| messages)? to (?:the |this )?{RECIPIENT}",
            # lists of the world
            r"\b(?:dns|uri|ur|r|s)bls?\b|black-?hole|(?:black|block|deny) ?-?list",
            r"spamhaus|spamcop|sorbs\b|barracuda ?(?:central|networks)|cloudmark|uceprotect|senderscore",
            r"not accepted for policy reasons",  # Yahoo
            r"senderbase|invaluement|abuseat|surbl|mailspike|trend ?micro rbl",
            r"(?:listed|found|included) (?:at|in|on|by) (?:\S+ )?(?:\S+\.\S+|(?:a|the|our) list)",
            r"client (?:host|address) \S+ (?:is )?blocked|blocked using",
            r"(?:ip|host|server|network)\b.{0,40}\b(?:is |has been |was )?(?:banned|blocked|blacklisted)",
            r"banned (?:sending )?(?:ip|sender)|\b(?:ip|sender|domain|poor|bad|low) reputation",
            r"reputation (?:is )?(?:too )?(?:low|poor|bad)",
            # authentication of the domain
            r"\b(?:spf|dkim|dmarc|arc|senderid|sender[- ]id)\b|sender policy framework|domain ?keys",
            r"[?&]p=(?:Unauth\w*|.*Dmarc\w*)",
            r"unauthenticated (?:e-?mail|mail|messages?|senders?)",
            r"\b(?:reverse|ptr|rdns)\b.{0,20}(?:dns|record|lookup)|cannot find your (?:reverse )?hostname",
            r"\b(?:he|eh)lo\b",
        ),
    ),
    (
        Topic.SENDER,
        (
            # its address
            rf"\bsender'?s?\b.{{0,30}}?\b(?:verif\w+|call-?out|{REFUSED}|invalid|unknown|{NOT_ALLOWED}|not {KNOWN})",
            r"\bsender'?s?\b.{0,30}?\b(?:does ?n[o']t exist|must (?:exist|resolve|be))",
            r"\b(?:invalid|unknown|bad|bogus|unroute?able|unverified|illegal|empty) (?:outbound )?(?:sender|originator|from\b|mail from)",
            r"return[- ]?path|reverse[- ]?path|envelope[- ]?(?:from|sender)|\boriginator\b",
            r"mail from:? ?(?:<>|address|command|domain|not|must|is)",
            r"\bfrom[-_. ](?:address|header|field|domain|e-?mail)|[\"'`]from[\"'`]",
            r"domain of (?:the )?sender|(?:sending|sender|from) domain\b|callback (?:verif|setup)",
            r"\bsend(?:ing)?[- ](?:as|on behalf)",
            r"(?:allowed|permitted|authori[sz]ed|rights?|permissions?) to (?:send|use|submit)\b.{0,25}\b(?:as|from|address|this sender)",
            r"not (?:the )?owner|not owned by",
            rf"(?:identity|address|domain)\b.{{0,40}}\bis (?:not (?:yet )?{CONFIRMED}|un{CONFIRMED})",
            r"identities failed the check",
            r"(?:verified|confirmed|unverified) sender|authori[sz]ed sender e-?mail|sender (?:identity|signature)|not match a verified",
            # the way out of the server
            r"\brelay(?:ing|ed)?\b.{0,40}\b(?:den\w+|not|prohibit\w*|disallow\w*|reject\w*|forbidden|refus\w*|requires?|attempt)",
            r"\b(?:not|cannot|can't|unable to|won't|no|never|insecure mail|refus\w+ to|open) relay",
            r"[?&]p=RelayDenied|rcpthosts|not (?:allowed|permitted|authori[sz]ed) to relay",
            r"not a (?:registered )?gateway|attempted relay",
            # its credentials
            rf"\bauth(?:entication)?\b.{{0,30}}\b(?:{WANTED}|{WRONG}|credentials|error|first|before)",
            r"\b(?:must|please|need to|has to|not|isn't|requires?|without|un) ?(?:be )?auth(?:enticat\w*|ori[sz]e yourself)",
            r"require(?:s|d)? (?:smtp )?auth",
            r"credentials",
            rf"{LOGIN}s?\b.{{0,25}}\b(?:{WANTED}|{WRONG}|not accepted)|(?:user|login)(?: name)? or password",
            rf"(?:invalid|incorrect|wrong|bad) {LOGIN}",
            r"log ?in (?:first|via|with|to)|please log",
            r"starttls|(?:encryption|tls|secure connection) (?:is )?(?:required|needed)",
            r"must (?:use|issue) (?:a )?(?:tls|ssl|starttls)",
            r"not authori[sz]ed to perform|not subscribed to (?:amazon )?ses\b",
            r"insufficient (?:scope|privileges|permissions)",
            # the names that APIs give to its faults
            r"\b(?:InvalidServerAPIKey|ServerSuspended|UnauthenticatedFromAddress)\b",  # Postal
            r"\b(?:Invalid_Key|PaymentRequired|Unknown_Subaccount|PoorReputation)\b",  # Mandrill
            r"\b(?:AccountSuspended|SendingPaused|MailFromDomainNotVerified)Exception\b",  # Amazon SES
            r"message ?stream\b.{0,40}\b(?:does ?n[o']t exist|not found|is archived)",  # Postmark
            # its account
            rf"(?:your|sender'?s?|sending|smtp|tenant|customer) (?:e?-?mail )?(?:account|access|plan|domain)\b.{{0,30}}\b{CLOSED}",
            r"sending (?:has been |is )?(?:paused|disabled|suspended|blocked|restricted|not (?:allowed|enabled|permitted))",
            r"(?:blocked|disabled|suspended|prevented|restricted|barred) from sending",
            r"(?:pending|awaiting) approval|trial account|sandbox|test mode",
            r"\bcredits?\b|payment required|billing|unpaid|insufficient (?:funds|balance|credit)",
            r"not enough (?:funds|balance)",
            r"(?:isn't|is not|not yet) (?:yet )?activated",
            r"unusual sending activity|outboundspamexception|tenant (?:has been |is )?restricted",
            # its quota
            rf"\b(?:{PERIOD}|max_?recipients|messages? per)\b.{{0,60}}\b(?:{LIMIT}|sen[dt]\w*)",
            rf"\b(?:{LIMIT}|too many)\b.{{0,60}}\b(?:{PERIOD}|{OUTGOING})\b",
            rf"\b(?:{OUTGOING}|send|sender|relay(?:ing)?|recipients?|mailing)(?:[- ](?:e?-?mail|message|rate))?[- ]?(?:limits?|quota)\b",
            r"submission ?quota ?exceeded|\bplan\b.{0,30}\b(?:allow|limit|more than)|mails?/(?:hour|day|month)",
            r"for (?:outgoing|outbound|sending|relay|smtp relay)\b",
            r"exceeded (?:the|your) (?:message|mail|e-?mail|recipient|sending|allowed)",
        ),
    ),
    (
        Topic.MAILBOX,
        (
            rf"{STORE}\b.{{0,40}}?(?:\bfull\b|pleine|voll\b|used up|over ?-?quota|quota (?:exceeded|violation|usage exceeded))",
            rf"{STORE}\b.{{0,40}}?over (?:the |its |their )?(?:allowed |disk |storage |mail )?(?:quota|limit)",
            rf"{STORE}\b.{{0,40}}?exceed\w*.{{0,30}}(?:quota|storage|size limit|space|allocation)",
            r"full mailbox|(?:size|storage|space) limit (?:exceeded|reached)",
            r"(?:exceed\w*|over) (?:its |their |the |his )?(?:mailbox|disk|storage|recipient)\b.{0,20}(?:quota|limit|space|size)?",
            r"exceeded storage allocation|not (?:have )?enough (?:storage )?space|(?:mailbox|disk|mail) quota",
            r"over quota",
            r"too many messages (?:in|on) (?:the |this )?(?:mailbox|server)",
            r"temporarily (?:inactive|disabled|unavailable|locked|over)|mailbox (?:is )?(?:busy|locked|frozen)",
        ),
    ),
    (
        Topic.RATE,
        (
            r"\brate[- ]?(?:limit|control|exceed)\w*",
            r"\b(?:message|sending|connection|mail|e-?mail|send|sender|recipient) rate|throttl\w*",
            r"too (?:many|fast|quickly|frequent\w*)|slow down|maximum (?:sending|send) rate|concurren\w+",
            r"temporarily deferred|try again later|resources temporarily",
        ),
    ),
)
"""Decide at once, whatever the status code says."""

NO_MAILBOX = (
    rf"{MAILBOX}\S{{0,3}}(?: address(?:es)?| name| rejected:?)?\b.{{0,30}}?\b(?:unknown|unbekannt|inconnu|desconocido|invalide)",
    rf"{MAILBOX}\S{{0,3}}(?: address(?:es)?| name| rejected:?)?\b.{{0,30}}?\b(?:not|cannot be|couldn't be|could not be) {KNOWN}",
    rf"{MAILBOX}\b.{{0,40}}?\bdo(?:es)?(?:n't| not) (?:exist|have an? \S+ account)",
    r"(?:address|e-?mail account that you tried to reach) (?:does(?:n't| not) exist|is (?:disabled|inactive))",
    rf"\b(?:unknown|no such|invalid|non-?exist\w+|inexistent|bad|no valid(?! recipients)) (?:local |virtual )?(?:e-?mail )?{MAILBOX}s?\b",
    r"no such (?:e-?mail )?(?:address|account)|unknown (?:or illegal )?(?:alias|local[- ]?part)",
    r"no (?:mail ?box|user|person|recipient|one|user record)\b.{0,30}\b(?:here|by that name|by this name|with that name|at this address)",
    rf"(?:not|isn't|is not) an? (?:known|valid|local|existing|active|registered) {MAILBOX}",
    r"(?:mail ?box|address|recipient) (?:is |has been |was )?(?:permanently )?(?:disabled|deactivated|discontinued|closed|deleted|removed)",
    r"(?:mail ?box|address|user|recipient) (?:is )?no longer (?:active|available|valid|exists?|in use|accepts mail|on server)",
    r"this account has been disabled or discontinued",  # Yahoo
    r"account <> (?:does not exist|not found|unknown)",
    r"unrouteable address|undeliverable address|sorry, badrcptto|not in my validrcptto|no existe|nessun utente|invalid recipient",
)
"""Say that the address does not exist, where the enhanced code does not say otherwise."""

OF_THE_SENDER = (
    r"\bsender\b|\bsending\b|\boriginator\b|\bfrom\b ?(?::|<|address|header|field|domain)|mail from|return[- ]?path|reverse[- ]?path",
)
"""Make it doubtful that the address that does not exist is the recipient's."""

BLOCKED = (
    r"will not accept delivery|your access to submit",
    r"\bspam\w*|\bpolic(?:y|ies)\b|unsolicited|\bbulk\b|\bvirus\w*|malware|phish\w*|malicious|suspicious",
    r"\bcontent\b|\bfilter\w*|\bfirewall\b|\bblocked\b|\bbanned\b|\breputation\b|complain\w*|\babus\w*",
    r"prohibit\w*|administrative\w*|access (?:denied|not allowed)|permission denied",
    r"not (?:authori[sz]ed|permitted|allowed)|go away|client host|security|[?&]p=\w*Unsolicited\w*",
)
"""Speak of policy or content, perhaps beside something else."""
