"""The web server in production: threads, because a request waits for the database more than it computes."""

from __future__ import annotations

import os

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
# Below what the proxy waits, above the slowest page.
timeout = 60
graceful_timeout = 30
keepalive = 5
# In memory: a busy disk must not make a healthy worker look dead.
worker_tmp_dir = "/dev/shm"
max_requests = 20000
max_requests_jitter = 2000
control_socket_disable = True
# Addresses carry no personal data, but the proxy keeps the one access log there is.
accesslog = None
