from marketing.models.campaign import Campaign, CampaignRun
from marketing.models.campaign_parts import CampaignVariant, RunVariant
from marketing.models.execution import CampaignExecution, FormerMessage, RunPost
from marketing.models.library import Image, Snippet
from marketing.models.policy import FrequencyRule, QuietHours, SendOnce
from marketing.models.preflight import Preflight, PreflightFailure
from marketing.models.receipt import LinkHit, ProviderEvent
from marketing.models.sender import Sender, SenderBreaker, SenderPace
from marketing.models.template import CampaignTemplate, TemplateVersion, TrackedLink
from marketing.models.workflow import (
    Backtest,
    Enrollment,
    EnrollmentEvent,
    Workflow,
    WorkflowCall,
    WorkflowStep,
    WorkflowTally,
    WorkflowVersion,
)
