from marketing.models.campaign import Campaign, CampaignRun
from marketing.models.execution import CampaignExecution
from marketing.models.sender import Sender, SenderBreaker, SenderPace
from marketing.models.template import CampaignTemplate, TemplateVersion, TrackedLink

__all__ = [
    "Campaign",
    "CampaignExecution",
    "CampaignRun",
    "CampaignTemplate",
    "Sender",
    "SenderBreaker",
    "SenderPace",
    "TemplateVersion",
    "TrackedLink",
]
