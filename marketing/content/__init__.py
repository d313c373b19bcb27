"""Content: what messages say, from the template an author writes to the message of one recipient.

The public face of the package. Everything outside it imports from here.
"""

from marketing.content.build import check_message, links_of, validate
from marketing.content.channel_parts import ALL_PARTS, PARTS
from marketing.content.checks import Finding, check, unknown_in
from marketing.content.context import CUSTOMER_FIELDS, customer_context, person_context
from marketing.content.from_message import format_of, make_template
from marketing.content.link_check import unreachable
from marketing.content.links import replace_in_text
from marketing.content.liquid import ContentError, render_text
from marketing.content.previews import NO_TRACKING, Preview, preview, send_test, untracked
from marketing.content.render import Renderer, Tracking, tracking_for
from marketing.content.snippets import (
    SnippetInUse,
    check_snippet,
    discard_snippet,
    snippets_in,
    users_of,
)
from marketing.content.starters import STARTERS
from marketing.content.tokens import Purpose, make_token, read_token, signed_url
from marketing.content.unsubscribe_link import shows_link
from marketing.content.utm import UtmTags
from marketing.content.variables import unknown, values_for
from marketing.content.versions import (
    freeze,
    freeze_variants,
    repeat_variants,
    restore_version,
    save_template,
    version_changes,
    versions_of,
)
