"""Addresses of checklists and of held medicines."""

from __future__ import annotations

from django.urls import path

from procedures.views import checklist_rows, checklists, holds, medicines

urlpatterns = [
    path("medicines/", medicines.medicines, name="medicines"),
    path("cases/<slug:code>/checklist/", checklists.checklist, name="checklist"),
    path("cases/<slug:code>/checklist/save/", checklists.checklist_save, name="checklist_save"),
    path("cases/<slug:code>/checklist/reopen/", checklists.checklist_reopen, name="checklist_reopen"),
    path("cases/<slug:code>/checklist/print/", checklists.checklist_print, name="checklist_print"),
    path("cases/<slug:code>/checklist/sign/<slug:stage>/", checklists.checklist_sign, name="checklist_sign"),
    path(
        "cases/<slug:code>/checklist/rows/<slug:kind>/new/", checklist_rows.checklist_row_new, name="checklist_row_new"
    ),
    path("cases/<slug:code>/checklist/rows/<slug:kind>/<int:pk>/", checklist_rows.checklist_row, name="checklist_row"),
    path(
        "cases/<slug:code>/checklist/rows/<slug:kind>/<int:pk>/withdraw/",
        checklist_rows.checklist_row_withdraw,
        name="checklist_row_withdraw",
    ),
    path("cases/<slug:code>/holds/", holds.holds, name="holds"),
    path("cases/<slug:code>/holds/<int:pk>/restart/", holds.hold_restart, name="hold_restart"),
    path("cases/<slug:code>/holds/<int:pk>/told/", holds.hold_told, name="hold_told"),
    path("cases/<slug:code>/holds/<int:pk>/plan/", holds.hold_plan, name="hold_plan"),
    path("cases/<slug:code>/holds/<int:pk>/due/", holds.hold_due, name="hold_due"),
    path("cases/<slug:code>/holds/<int:pk>/withdraw/", holds.hold_withdraw, name="hold_withdraw"),
]
