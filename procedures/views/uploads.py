"""A laboratory's files, given by hand: the same path as the laboratory connection."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access import actor_of, roles_required
from clinic.responses import see_other
from procedures import access
from procedures.forms.uploads import UploadForm
from procedures.interfaces.hl7 import files
from procedures.selectors import uploads as selectors

#: In the session: numbers of the messages that were given last, and whether each was new.
LAST = "uploaded_results"
#: And how many more the files announce than they hold.
MISSING = "uploaded_missing"


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*access.UPLOAD)
def upload(request: HttpRequest) -> HttpResponse:
    """Take in files or text."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            raws = form.raws()
            became = files.upload(raws, actor=actor_of(request))
        except DatabaseError:
            form.add_error(None, _("It could not be kept just now. Please try again; twice does no harm."))
            return _form(request, form, status=503)
        kept = [(one.message.pk, one.is_new) for one in became if one.message is not None]
        if kept:
            request.session[LAST] = kept
            request.session[MISSING] = sum(files.missing(raw) for raw in raws)
            return see_other("procedures:uploaded_results")
        form.add_error("given", _("There is no message in it: nothing was kept."))
    return _form(request, form, status=422 if form.errors else 200)


def _form(request: HttpRequest, form: UploadForm, *, status: int) -> HttpResponse:
    return render(request, "procedures/uploads/upload.html", {"form": form}, status=status)


@require_safe
@roles_required(*access.UPLOAD)
def uploaded(request: HttpRequest) -> HttpResponse:
    """What became of the messages that this person gave last."""
    last: list[Any] = request.session.get(LAST, [])
    rows = selectors.became([(int(pk), bool(new)) for pk, new in last])
    missing = int(request.session.get(MISSING, 0))
    context = {"rows": rows, "counts": selectors.counts(rows), "missing": missing}
    return render(request, "procedures/uploads/uploaded.html", context)
