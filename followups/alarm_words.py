"""Words for the alarms of ``domain.watch``: what it means for people. What to do is in docs/runbook.md."""

from __future__ import annotations

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from followups.domain import watch

ALARMS: dict[str, LazyText] = {
    watch.ENGINE_LATE: _("The engine has not finished a pass for a while: nobody is reminded."),
    watch.EMPTY_ROLE: _("A ladder asks a role that nobody answers for."),
    watch.STEPS_LATE: _("Steps of ladders are due and are not taken: the engine does not get to them."),
    watch.BACKLOG_LATE: _("Messages have been waiting for a long time: the way out does not take them."),
    watch.DEAD_LETTERS: _("Messages did not arrive. Somebody must send them again, or tell the person in another way."),
    watch.UNKNOWN_FATE: _("Of some messages nobody knows whether they arrived. Ask the person before sending again."),
    watch.PATIENTS_UNREACHED: _("Messages did not reach patients, and for hours nobody has called them."),
    watch.INBOUND_DOWN: _("The laboratory connection does not run: no result comes in by itself."),
    watch.INBOUND_UNREAD: _("Messages of laboratories are stored and nobody reads them."),
    watch.INBOUND_SILENT: _("No laboratory has sent anything for a long time."),
    watch.PLAN_FAILED: _("Of some cases the product cannot say what they still owe: look at them by hand."),
    watch.NIGHTLY_FAULT: _(
        "The nightly check found something that should not have happened, or did not get to the end."
    ),
    watch.NIGHTLY_LATE: _("The nightly check has not run for more than a day."),
    watch.SEAL_BROKEN: _("The audit trail is not as it was sealed."),
    watch.SEAL_MISSING: _("Finished days of the audit trail have no seal."),
}
