"""Everything that marketing puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from crm import jobs
from marketing import customer_merge, personal_data  # noqa: F401  register what these tables hold and how they merge
from marketing.campaigns import preflight, search, triggered  # noqa: F401  make campaigns known to rules, and start what events trigger
from marketing.models import Preflight
from marketing.past_campaigns import kinds  # noqa: F401  registers files of past campaigns


def register() -> None:
    jobs.register(Preflight, preflight.work, refusals=(ValueError, KeyError))
