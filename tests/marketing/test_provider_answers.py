"""The documented answers of providers' APIs: a fault of the account pauses, one of the recipient concerns that message alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from customers.models import Suppression
from customers.models.consent import Channel
from marketing.campaigns import moves
from marketing.channels import registry
from marketing.channels.base import (
    AccountError,
    Message,
    PermanentError,
    SendError,
    TransientError,
)
from marketing.models import CampaignRun, Sender
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.http_stub import Answer, Stub, serving

pytestmark = pytest.mark.django_db

ACCOUNTS: dict[str, dict[str, str]] = {
    "amazon_ses": {"region": "eu-central-1", "access_key_id": "AKID", "secret_access_key": "s3cret"},
    "brevo": {"api_key": "k"},
    "mailersend": {"api_token": "t"},
    "mailgun": {"api_key": "k", "sender_domain": "shop.example"},
    "mailjet": {"api_key": "k", "secret_key": "s"},
    "mailtrap": {"api_token": "t"},
    "mandrill": {"api_key": "k"},
    "postal": {"api_key": "k"},
    "postmark": {"server_token": "t"},
    "resend": {"api_key": "k"},
    "sendgrid": {"api_key": "k"},
    "sparkpost": {"api_key": "k"},
    "twilio": {"account_sid": "AC1", "auth_token": "t0ken"},
}  # fmt: skip


def ses(status: int, error: str, message: str | None) -> Answer:
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors"""
    return status, {"x-amzn-ErrorType": error}, json.dumps({"message": message})


def mandrill(code: int, name: str, message: str) -> Answer:
    """https://mailchimp.com/developer/transactional/docs/error-glossary/"""
    error = {"status": "error", "code": code, "name": name, "message": message}
    return 500, {}, json.dumps(error)


def rejected(reason: str, status: str = "rejected") -> Answer:
    """https://mailchimp.com/developer/transactional/api/messages/send-new-message/"""
    row = {"email": "ada@example.com", "status": status, "_id": "1", "reject_reason": reason}
    return 200, {}, json.dumps([row])


def postal(code: str, message: str) -> Answer:
    """Answer as app/controllers/legacy_api/base_controller.rb of Postal does: always with status 200."""
    told = {"status": "error", "time": 0.02, "flags": {}, "data": {"code": code, "message": message}}  # fmt: skip
    return 200, {}, json.dumps(told)


def twilio(code: int, message: str, status: int = 400) -> Answer:
    """https://www.twilio.com/docs/api/errors"""
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    error = {"code": code, "message": message, "status": status, "more_info": more_info}
    return status, {}, json.dumps(error)


def told(status: int, /, **body: Any) -> Answer:
    return status, {}, json.dumps(body)


def mailjet(message: str, related: str, code: str = "mj-0013", status: int = 400) -> Answer:
    """https://dev.mailjet.com/email/guides/send-api-v31/#send-in-bulk"""
    error = {"ErrorIdentifier": "f987", "ErrorCode": code, "StatusCode": status, "ErrorMessage": message,
             "ErrorRelatedTo": [related]}  # fmt: skip
    return told(400, Messages=[{"Status": "error", "Errors": [error]}])


def sparkpost(code: str, message: str, description: str) -> dict[str, str]:
    """https://developers.sparkpost.com/api/#header-errors"""
    return {"message": message, "description": description, "code": code}


UNVERIFIED = "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: a@b.example"
ACCOUNT, LATER, ADDRESS, RECIPIENT = "account", "later", "address", "recipient"
ANSWERS: list[tuple[str, str, Answer]] = [
    ("amazon_ses", ACCOUNT, ses(400, "MessageRejected", UNVERIFIED)),
    ("amazon_ses", ACCOUNT, ses(400, "AccountSuspendedException", None)),
    ("amazon_ses", ACCOUNT, ses(400, "SendingPausedException:http://x/", "Email sending is disabled for configuration set crm.")),
    ("amazon_ses", ACCOUNT, ses(400, "MailFromDomainNotVerifiedException", None)),
    ("amazon_ses", ACCOUNT, ses(404, "NotFoundException", "Configuration set <crm> does not exist.")),
    ("amazon_ses", ACCOUNT, ses(403, "InvalidSignatureException", "The request signature we calculated does not match.")),
    ("amazon_ses", ACCOUNT, ses(429, "TooManyRequestsException", "Daily message quota exceeded.")),
    ("amazon_ses", LATER, ses(429, "TooManyRequestsException", "Maximum sending rate exceeded.")),
    ("amazon_ses", LATER, ses(429, "TooManyRequestsException", None)),
    ("amazon_ses", RECIPIENT, ses(400, "BadRequestException", "Local address contains control or whitespace")),
    ("amazon_ses", RECIPIENT, ses(400, "MessageRejected", "Email content is not valid.")),
    ("mandrill", ACCOUNT, mandrill(-1, "Invalid_Key", "Invalid API key")),
    ("mandrill", ACCOUNT, mandrill(10, "PaymentRequired", "The requested feature requires payment.")),
    ("mandrill", ACCOUNT, mandrill(12, "Unknown_Subaccount", "No subaccount exists with the id 'customer-123'")),
    ("mandrill", ACCOUNT, mandrill(-2, "ValidationError", '{"message":{"from_email":"An email address must contain a single @"}}')),
    ("mandrill", LATER, mandrill(-99, "GeneralError", "An unexpected error occurred processing the request.")),
    ("mandrill", LATER, mandrill(-50, "ServiceUnavailable", "Subaccounts are temporarily unavailable.")),
    *(("mandrill", ACCOUNT, rejected(reason)) for reason in ("invalid-sender", "unsigned", "test-mode-limit")),
    *(("mandrill", RECIPIENT, rejected(reason)) for reason in ("hard-bounce", "soft-bounce", "spam", "unsub", "custom", "rule")),
    ("mandrill", ADDRESS, rejected("invalid", status="invalid")),
    ("postal", ACCOUNT, postal("InvalidServerAPIKey", "The API token provided in X-Server-API-Key was not valid.")),
    ("postal", ACCOUNT, postal("AccessDenied", "Must be authenticated as a server.")),
    ("postal", ACCOUNT, postal("ServerSuspended", "The mail server has been suspended.")),
    ("postal", ACCOUNT, postal("UnauthenticatedFromAddress", "The From address is not authorised to send mail from this server")),
    ("postal", RECIPIENT, postal("NoContent", "There is no content defined for this e-mail")),
    ("postal", RECIPIENT, postal("AttachmentMissingName", "An attachment is missing a name")),
    ("postal", RECIPIENT, told(200, status="parameter-error", flags={}, data={"message": "`to` parameter is invalid"})),
    ("postal", LATER, told(503, status="error", data={})),
    ("mailtrap", ACCOUNT, told(401, success=False, errors=["Unauthorized"])),
    ("mailtrap", ACCOUNT, told(403, success=False, errors=["Forbidden"])),
    ("mailtrap", ACCOUNT, told(400, success=False, errors=["'from' address is invalid"])),
    ("mailtrap", ACCOUNT, told(400, success=False, errors=["The sending domain shop.example is not verified"])),
    ("mailtrap", LATER, told(429, success=False, errors=["Too many requests"])),
    ("mailtrap", RECIPIENT, told(400, success=False, errors=["'to' address is invalid"])),
    ("postmark", ACCOUNT, told(401, ErrorCode=10, Message="Request does not contain a valid Server token.")),
    ("postmark", ACCOUNT, told(422, ErrorCode=1235, Message="The 'MessageStream' provided does not exist on this server.")),
    ("postmark", RECIPIENT, told(422, ErrorCode=406, Message="You tried to send to recipient(s) that have been marked as inactive.")),
    ("mailgun", ACCOUNT, (401, {}, "Forbidden")),
    ("mailgun", ACCOUNT, told(404, message="Domain not found: shop.example")),
    ("mailgun", ACCOUNT, told(400, message="'from' parameter is not a valid address. please check documentation")),
    ("mailgun", ACCOUNT, told(403, message="Domain shop.example is not allowed to send: recipient limit exceeded")),
    ("mailgun", ACCOUNT, told(400, message="Sandbox subdomains are for test purposes only. Please add your own domain")),
    ("mailgun", RECIPIENT, told(400, message="'to' parameter is not a valid address. please check documentation")),
    ("sendgrid", ACCOUNT, told(401, errors=[{"message": "Maximum credits exceeded", "field": None}])),
    ("sendgrid", ACCOUNT, told(403, errors=[{"message": "The from address does not match a verified Sender Identity.", "field": "from"}])),
    ("sendgrid", ACCOUNT, told(400, errors=[{"message": "The from email does not contain a valid address.", "field": "from.email"}])),
    ("sendgrid", RECIPIENT, told(400, errors=[{"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email"}])),
    ("brevo", ACCOUNT, told(401, code="unauthorized", message="Key not found")),
    ("brevo", ACCOUNT, told(402, code="not_enough_credits", message="You do not have enough credits")),
    ("brevo", ACCOUNT, told(400, code="invalid_parameter", message="The sender you used hello@shop.example is not valid.")),
    ("brevo", ACCOUNT, told(403, code="permission_denied", message="Unable to send email. Your SMTP account is not yet activated.")),
    ("brevo", RECIPIENT, told(400, code="invalid_parameter", message="email is not valid in to")),
    ("mailjet", ACCOUNT, mailjet('"a@b.example" is not an authorized sender email address for your account.', "From", "send-0008", 403)),
    ("mailjet", ACCOUNT, told(401, ErrorMessage="API key authentication/authorization failure.", StatusCode=401)),
    ("mailjet", RECIPIENT, mailjet('"x" is an invalid email address.', "To[0].Email")),
    ("mailersend", ACCOUNT, told(422, message="The from.email domain must be verified in your account to send emails. #MS42207")),
    ("mailersend", ACCOUNT, told(422, message="You have reached trial account unique recipients limit. #MS42225")),
    ("mailersend", RECIPIENT, told(422, message="The to.0.email must be a valid email address.")),
    ("resend", ACCOUNT, told(403, name="validation_error", message="The shop.example domain is not verified.")),
    ("resend", ACCOUNT, told(422, name="invalid_from_address", message="Invalid `from` field. It needs to follow the format.")),
    ("resend", ACCOUNT, told(429, name="daily_quota_exceeded", message="You have reached your daily email sending quota.")),
    ("resend", LATER, told(429, name="rate_limit_exceeded", message="Too many requests. You can only make 2 requests per second.")),
    ("resend", RECIPIENT, told(422, name="validation_error", message="Invalid `to` field. The email address needs to follow the format.")),
    ("sparkpost", ACCOUNT, told(400, errors=[sparkpost("7001", "Invalid domain", "Unconfigured Sending Domain <shop.example>")])),
    ("sparkpost", ACCOUNT, told(420, errors=[sparkpost("2101", "Exceed Sending Limit", "Exceeded account limit")])),
    ("sparkpost", RECIPIENT, told(400, errors=[sparkpost("1902", "Message generation rejected", "recipient address suppressed")])),
    ("twilio", ACCOUNT, twilio(20003, "Authenticate", 401)),
    ("twilio", ACCOUNT, twilio(20404, "The requested resource /2010-04-01/Accounts/AC1/Messages.json was not found", 404)),
    ("twilio", ACCOUNT, twilio(21704, "The Messaging Service contains no phone numbers.")),
    ("twilio", ACCOUNT, twilio(21705, "The Messaging Service Sid MG1 is invalid.")),
    ("twilio", ACCOUNT, twilio(63015, "Channel Sandbox can only send messages to phone numbers that have joined the Sandbox")),
    ("twilio", ACCOUNT, twilio(63038, "Account AC1 exceeded the 50 daily messages limit", 429)),
    ("twilio", ACCOUNT, twilio(30002, "Account suspended")),
    ("twilio", LATER, twilio(20429, "Too Many Requests", 429)),
    ("twilio", LATER, twilio(21611, "This 'From' number has exceeded the maximum number of queued messages")),
    ("twilio", LATER, twilio(14107, "SMS send rate limit exceeded")),
    ("twilio", ADDRESS, twilio(21211, "Invalid 'To' Phone Number: +4915XXXXXX")),
    ("twilio", ADDRESS, twilio(21614, "'To' number: +4930XXXX, is not a mobile number")),
    ("twilio", ADDRESS, twilio(21635, "'To' number cannot be a landline")),
    ("twilio", RECIPIENT, twilio(21610, "Attempt to send to unsubscribed recipient")),
    ("twilio", RECIPIENT, twilio(21408, "Permission to send an SMS has not been enabled for the region of the 'To' number: +995XXXX")),
    ("twilio", RECIPIENT, twilio(21612, "The 'To' phone number: +1XXX, is not currently reachable using the 'From' phone number")),
]  # fmt: skip


@pytest.fixture
def stub(settings: Settings) -> Iterator[Stub]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    settings.SITE_URL = "https://crm.example"
    with serving() as stub:
        yield stub


def make_account(provider: str, stub: Stub) -> Sender:
    channel = Channel.SMS if provider == "twilio" else Channel.EMAIL
    address = "+15005550006" if provider == "twilio" else "hello@shop.example"
    sender = make_sender(provider=provider, channel=channel, from_address=address, connections=1)
    for name, value in {**ACCOUNTS[provider], "api_url": stub.url}.items():
        sender.set_setting(name, value)
    sender.save()
    return sender


def failure(sender: Sender) -> SendError:
    address = "+4915112345678" if sender.channel == Channel.SMS else "ada@example.com"
    message = Message(
        key="msg_abc", to_address=address, to_name="Ada", from_address=sender.from_address, from_name="Shop", reply_to="",
        subject="Hello", html="<p>Hello</p>", text="Hello",
    )  # fmt: skip
    provider = registry.get_provider(sender.provider)
    with provider.connect(sender) as connection, pytest.raises(SendError) as caught:
        connection.send(message)
    return caught.value


def kind_of(error: SendError) -> str:
    match error:
        case AccountError():
            return ACCOUNT
        case TransientError():
            return LATER
        case PermanentError():
            return ADDRESS if error.address_is_bad else RECIPIENT
    return type(error).__name__


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_an_answer_blames_the_right_side(provider: str, stub: Stub) -> None:
    sender = make_account(provider, stub)
    found, meant = [], []
    for name, kind, answer in ANSWERS:
        if name == provider:
            stub.answer = answer
            found.append((kind_of(failure(sender)), answer))
            meant.append((kind, answer))
    assert meant
    assert found == meant


@pytest.mark.parametrize("provider", ["amazon_ses", "mandrill", "mailtrap", "postal", "twilio"])
def test_a_fault_of_the_account_pauses_the_run(provider: str, stub: Stub) -> None:
    sender = make_account(provider, stub)
    for number in range(30):
        make_customer(email=f"p{number}@example.com", phone=f"+49151123456{number:02}")
    body = "Hello" if sender.channel == Channel.SMS else "<p>Hello</p>"
    template = make_template(channel=sender.channel, body=body, subject="Hello")
    run = moves.launch(make_campaign(sender=sender, channel=sender.channel, template=template))
    stub.answer = next(answer for name, kind, answer in ANSWERS if (name, kind) == (provider, ACCOUNT))  # fmt: skip

    while turn.work_on(run.pk):
        pass

    run.refresh_from_db()
    assert (run.state, run.pause_reason) == (CampaignRun.State.PAUSED, "provider")
    assert len(stub.requests) <= 10
    assert not Suppression.objects.exists()
    assert not run.executions.filter(state__in=("failed", "unconfirmed", "bounced")).exists()
