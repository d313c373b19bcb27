"""Channels: what providers send and report, behind one interface. A provider is a module of this folder.

The public face of the package. Everything outside it imports from here.
"""

from marketing.channels.base import (
    AccountError,
    Connection,
    Message,
    PermanentError,
    Provider,
    Receipt,
    SendError,
    Setting,
    TransientError,
    UncertainError,
)
from marketing.channels.receipts import BadSignature, ReceiptEvent, ReceiptKind
from marketing.channels.refusals import (
    cut_reply_code,
    is_address_fault,
    kind_of_reply,
    kind_of_report,
)
from marketing.channels.registry import (
    connect,
    get_provider,
    idempotent_providers,
    provider_choices,
    providers,
)
from marketing.channels.simulator import REACTION_TIME, Act, Reaction, reactions
from marketing.channels.sms import SmsLength, measure_sms, outside_gsm7
