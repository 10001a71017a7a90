"""Every address of the product. The log-in package's own list is not included: only what staff need is reachable."""

from __future__ import annotations

from allauth.account import views as account_views
from django.urls import include, path

from clinic.views import account, audit, components, health, home, places, resend, users

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
    path("account/cover/<int:pk>/accept/", account.accept_cover, name="accept_cover"),
    path("audit/", audit.audit, name="audit"),
]

rooms_and_hours = [
    path("places/", places.places, name="places"),
    path("places/<slug:kind>/new/", places.place_add, name="place_add"),
    path("places/<slug:kind>/<int:pk>/", places.place_edit, name="place_edit"),
    path("places/<slug:kind>/<int:pk>/remove/", places.place_remove, name="place_remove"),
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
    *machines,
    path("components/", components.show_gallery, name="components"),
    path("", include("procedures.urls")),
    path("", include("followups.urls")),
]
