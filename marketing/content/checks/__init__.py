"""What is wrong with a message before it is sent: errors keep a campaign from starting, warnings are told."""

from marketing.content.checks.finding import Finding
from marketing.content.checks.message import check, unknown_in

__all__ = ["Finding", "check", "unknown_in"]
