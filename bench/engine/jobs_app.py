"""procrastinate: a scheduled job for each promise. ``python -m bench.engine.jobs_app`` is its worker."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from procrastinate import App, PsycopgConnector

from bench.engine import keeping
from bench.engine.contestant import CONCURRENCY
from bench.engine.stand import dsn

app = App(connector=PsycopgConnector(conninfo=dsn()))


@app.task(name="have")
def have(item: int) -> None:
    keeping.have(item)


@app.periodic(cron="* * * * *")
@app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: Any, timestamp: int) -> None:
    """As its documentation has it: jobs whose worker is gone are asked for again."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job, retry_at=datetime.now(UTC))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    print("ready", flush=True)
    app.run_worker(concurrency=CONCURRENCY)
