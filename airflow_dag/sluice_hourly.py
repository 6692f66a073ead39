# SPDX-License-Identifier: Apache-2.0
"""Drains a queue into Postgres, every hour, by `sluice run`. Airflow 3 and 2.11.

This file needs no other: copy it into any DAG folder. The DAG is named after the file, so a second pipeline is a second
copy under another name. XCom holds the summary of each worker.
"""

import json
import os
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

try:
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # before Airflow 3.1
    from airflow.exceptions import AirflowFailException
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.providers.standard.operators.bash import BashOperator

# What you may want to change: here, or by these variables in the environment of all Airflow processes.
PIPELINE = os.environ.get("SLUICE_DAG_PIPELINE", "/etc/sluice/pipelines/user_logins.json")
WORKERS = int(os.environ.get("SLUICE_DAG_WORKERS", "1"))  # drain the queue side by side
POOL = os.environ.get("SLUICE_DAG_POOL", "default_pool")  # must exist; its slots are what Postgres can bear
MINUTE = int(os.environ.get("SLUICE_DAG_MINUTE", "7"))  # of each hour
# The table, for DAGs that wait for it: a host and exactly three parts, or Airflow refuses it.
ASSET = os.environ.get("SLUICE_DAG_ASSET", "postgres://localhost:5432/postgres/public/user_logins")

# Exit statuses that last until somebody mends something: usage, too many rejections, rights, configuration.
NO_RETRY = {64, 65, 77, 78}


class SluiceHook(SubprocessHook):
    def run_command(self, *args, **kwargs):
        result = super().run_command(*args, **kwargs)
        if result.exit_code in NO_RETRY:
            raise AirflowFailException(f"exit status {result.exit_code}: not tried again; the log says what to mend")
        return result


class SluiceOperator(BashOperator):
    """Fails at once where another try would fail as well."""

    @cached_property
    def subprocess_hook(self):
        return SluiceHook()


with DAG(
    Path(__file__).stem,
    schedule=f"{MINUTE} * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a queue has no past hours
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=59),  # what is left then is the next run's
    tags=["sluice"],
    doc_md=__doc__,
):
    SluiceOperator.partial(
        task_id="drain",
        # A shell that stays would end with another status than sluice.
        bash_command="exec sluice run --max-runtime 50m --skip-exit-code 99 --json",
        append_env=True,
        skip_on_exit_code=99,
        output_processor=json.loads,
        outlets=[Asset(uri=ASSET)],
        pool=POOL,
        depends_on_past=False,
        retries=3,
        retry_delay=timedelta(minutes=2),
        retry_exponential_backoff=True,
        max_retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(minutes=55),
    ).expand(
        env=[
            {
                "SLUICE_PIPELINE": PIPELINE,
                "SLUICE_WORKER": str(worker),
                "SLUICE_CHECKPOINT": "",  # one of its own for each worker: the default, whatever is inherited
            }
            for worker in range(1, WORKERS + 1)
        ]
    )
