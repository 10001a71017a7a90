"""Every address of the product. The log-in package's own list is not included: only what staff need is reachable."""

from __future__ import annotations

from allauth.account import views as account_views
from django.urls import include, path

from clinic.views import absences, account, audit, components, health, home, on_call, places, resend, users

log_in = [
    path("login/", account_views.login, name="account_login"),
    path("logout/", account_views.logout, name="account_logout"),
    path("inactive/", account_views.account_inactive, name="account_inactive"),
    path("reauthenticate/", account_views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account_views.password_change, name="account_change_password"),
    path("send-again/", resend.resend, name="account_resend"),
    # The package links to these names; here they lead nowhere.
    path("signup/", home.absent, name="account_signup"),
    path("email/", home.absent, name="account_email"),
    path("password/reset/", home.absent, name="account_reset_password"),
    path("password/set/", home.absent, name="account_set_password"),
]

people = [
    path("users/", users.users, name="users"),
    path("users/new/", users.user_new, name="user_new"),
    path("users/<int:pk>/", users.user_edit, name="user_edit"),
    path("users/<int:pk>/deactivate/", users.user_deactivate, name="user_deactivate"),
    path("users/<int:pk>/reactivate/", users.user_reactivate, name="user_reactivate"),
    path("users/<int:pk>/reset-password/", users.user_reset_password, name="user_reset_password"),
    path("users/<int:pk>/unlock/", users.user_unlock, name="user_unlock"),
    path("account/", account.account, name="account"),
    path("audit/", audit.audit, name="audit"),
]

rooms_and_hours = [
    path("places/", places.places, name="places"),
    path("places/<slug:kind>/new/", places.place_add, name="place_add"),
    path("places/<slug:kind>/<int:pk>/", places.place_edit, name="place_edit"),
    path("places/<slug:kind>/<int:pk>/remove/", places.place_remove, name="place_remove"),
]

absence_and_cover = [
    path("absences/", absences.absences, name="absences"),
    path("absences/new/", absences.absence_new, name="absence_new"),
    path("absences/<int:pk>/", absences.absence_edit, name="absence_edit"),
    path("absences/<int:pk>/cancel/", absences.absence_cancel, name="absence_cancel"),
    path("absences/<int:pk>/accept/", absences.accept_cover, name="accept_cover"),
    path("absences/<int:pk>/decline/", absences.decline_cover, name="decline_cover"),
    path("absences/<int:pk>/pass-on/", absences.pass_on_cover, name="pass_on_cover"),
    path("on-call/", on_call.on_call, name="on_call"),
]

machines = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("healthz/engine", health.engine, name="healthz_engine"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("accounts/", include(log_in)),
    *people,
    *rooms_and_hours,
    *absence_and_cover,
    *machines,
    path("components/", components.show_gallery, name="components"),
    path("", include("procedures.urls")),
    path("", include("followups.urls")),
]
