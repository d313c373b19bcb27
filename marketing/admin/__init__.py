"""The marketing part of the admin, a module for each model."""

from marketing.admin import campaign, execution, library, sender, template

__all__ = ["campaign", "execution", "library", "sender", "template"]
