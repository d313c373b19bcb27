"""Workflows: steps that customers take one by one, by what they do and become, and by time.

The public face of the package. Everything outside it imports from here.
"""

from marketing.workflows.backtests import LONGEST_PERIOD, USUAL_SAMPLE, ImpossiblePeriod
from marketing.workflows.backtests import start as start_backtest
from marketing.workflows.calls import delete_before as delete_calls
from marketing.workflows.calls import due as endpoints_with_calls
from marketing.workflows.calls import make as make_calls
from marketing.workflows.checks import check, warnings_of
from marketing.workflows.clock import enter_by_clock
from marketing.workflows.definition import Definition, personal_fields, published, read
from marketing.workflows.document import Unreadable, as_text, as_yaml, parsed, shown
from marketing.workflows.editing import description, entry_in_words, in_words, problems
from marketing.workflows.engine import advance, advance_workflow, end_by_hand, put_at, retry
from marketing.workflows.entries import Entrant, NotActive, enroll, enter
from marketing.workflows.feed import (
    enter_by_segment,
    react_to_changes,
    react_to_events,
    segments_entered_by,
)
from marketing.workflows.figures import (
    StepFigures,
    WorkflowFigures,
    figures_of,
    rebuild,
)
from marketing.workflows.figures import fold as fold_figures
from marketing.workflows.moves import (
    ImpossibleMove,
    InUse,
    activate,
    archive,
    discard,
    free_slug,
    pause,
    resume,
    save_draft,
)
from marketing.workflows.overview import Overview, overview_of
from marketing.workflows.passages import standing
from marketing.workflows.reading import DefinitionError
from marketing.workflows.registrations import register
from marketing.workflows.rehearsal import RIGHTS as REHEARSAL_RIGHTS
from marketing.workflows.starters import STARTERS, Starter, find_starter, start_from
from marketing.workflows.steps import step_types
from marketing.workflows.versions import (
    EXIT,
    STAY,
    Transfer,
    Unmapped,
    differences,
    draft_differences,
    plan_transfer,
    publish,
)
from marketing.workflows.walks import Walk, WhatIf, walk
