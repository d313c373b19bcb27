"""Some of what administrators see: an import with a rejected row, a bulk job, an erasure, an image, a token, a write key, a webhook.

All of it is made by the product's own functions. The secrets are shown to nobody, and the webhook is switched off, so that nothing
leaves the site.
"""

from __future__ import annotations

import io
from datetime import timedelta

from django.core.files.base import ContentFile
from PIL import Image as Pixels
from PIL import ImageDraw

from crm import jobs
from crm.accounts import tokens
from crm.accounts.models import Scope, User
from crm.events import webhooks
from crm.events.models import WebhookEndpoint
from customers import bulk, tracking_api
from customers.ingest import beginning, file_type, queue_import
from customers.models import BulkJob, Customer, ImportJob, WriteKey
from customers.privacy import erase
from marketing import images

FAIR = """Badge number,First name,Last name,E-mail,City,Country,Interest
FAIR-01,Ingrid,Sandberg,ingrid.sandberg@fair.example,Malmö,Sweden,Tents
FAIR-02,Tomás,Herrero,tomas.herrero@fair.example,Valencia,Spain,Lanterns
FAIR-03,Maud,Visser,maud.visser@fair.example,Utrecht,Netherlands,Tents
FAIR-04,Piotr,Zieliński,piotr.zielinski@fair.example,Gdańsk,Poland,Backpacks
FAIR-05,Chiara,Fontana,chiara.fontana@fair,Torino,Italy,Stoves
"""
"""The fourth visitor asks for erasure; the address of the fifth is not one, so the row is rejected."""
WIDTH, HEIGHT = 1_200, 400


def load(by: User) -> None:
    """Make the records, as this user would."""
    _import_fair(by)
    visitors = Customer.objects.filter(external_id__startswith="FAIR-")
    bulk.start(visitors, BulkJob.Action.ADD_TAGS, {"tags": ["spring fair"]}, by=by)
    jobs.run(erase(visitors.get(external_id="FAIR-04"), by=by))
    images.add(_banner(), name="spring-banner.png", alt="Hills at sunrise", by=by)
    tokens.issue(by, name="Monthly report", scopes=[Scope.READ], lifetime=timedelta(days=30))
    tracking_api.issue_key("Shop server", WriteKey.Kind.SERVER)
    tracking_api.issue_key("Shop pages", WriteKey.Kind.BROWSER)
    webhooks.create(
        WebhookEndpoint(
            name="Order desk",
            url="https://orders.northlight.example/kindling",
            types=["order.placed"],
            is_active=False,
        )
    )


def _import_fair(by: User) -> None:
    job = ImportJob(kind="customers", name="visitors-of-the-fair.csv", created_by=by)
    job.file.save(job.name, ContentFile(FAIR.encode()), save=False)
    job.save()
    seen = beginning(job)
    mapping = file_type(job.kind).guess_mapping(seen.header, seen.rows)
    mapping["Badge number"] = "external_id"
    queue_import(job, mapping)
    jobs.run(job)


def _banner() -> io.BytesIO:
    """Draw three hills below a sky that fades from orange to yellow."""
    picture = Pixels.new("RGB", (WIDTH, HEIGHT))
    brush = ImageDraw.Draw(picture)
    for y in range(HEIGHT):
        brush.line([(0, y), (WIDTH, y)], fill=(255, 170 + y * 70 // HEIGHT, 90 + y * 90 // HEIGHT))
    for left, top, colour in ((-200, 260, "#3f6b4f"), (350, 290, "#2f5540"), (800, 250, "#234233")):
        brush.ellipse((left, top, left + 800, top + 700), fill=colour)
    file = io.BytesIO()
    picture.save(file, "PNG")
    file.seek(0)
    return file
