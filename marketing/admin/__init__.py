"""The marketing part of the admin, a module for each model."""

from marketing.admin import (
    campaign,
    execution,
    library,
    passage,
    policy,
    sender,
    template,
    workflow,
)
