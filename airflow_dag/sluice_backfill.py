# SPDX-License-Identifier: Apache-2.0
"""Loads a queue, its dead-letter queue or archive files into Postgres once, within limits. Airflow 3 and 2.11.

Triggered by hand ("Trigger", or `airflow dags trigger sluice_backfill --conf '{"workers": 4}'`). This file needs no
other: copy it into any DAG folder. The DAG is named after the file. XCom holds the summary of each worker.
"""

import hashlib
import json
import os
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

try:
    from airflow.sdk import DAG, Param, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task
    from airflow.models.param import Param
try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # before Airflow 3.1
    from airflow.exceptions import AirflowFailException
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.providers.standard.operators.bash import BashOperator

# What you may want to change: here, or by these variables in the environment of all Airflow processes.
PIPELINES = os.environ.get("SLUICE_DAG_PIPELINES", "/etc/sluice/pipelines")  # the folder that `pipeline` is in
ARCHIVES = os.environ.get("SLUICE_DAG_ARCHIVES", "/var/lib/sluice/archives")  # … and the one that `files` are in
POOL = os.environ.get("SLUICE_DAG_POOL", "default_pool")  # must exist; its slots are what Postgres can bear

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


QUEUE, DEAD_LETTER_QUEUE, FILES = "queue", "dead-letter-queue", "files"
# No part begins with a dot, so none leads out of its folder.
PATH = r"^([A-Za-z0-9_\-][A-Za-z0-9_.=\-]*/)*[A-Za-z0-9_\-][A-Za-z0-9_.=\-]*"
PARAMS = {
    "source": Param(
        QUEUE,
        enum=[QUEUE, DEAD_LETTER_QUEUE, FILES],
        description="The pipeline's own queue; a dead-letter queue, whose URL is then needed; or archive files.",
    ),
    "queue_url": Param(
        None,
        type=["null", "string"],
        pattern=r"^https?://[A-Za-z0-9.\-]+(:[0-9]+)?/[0-9]{12}/[A-Za-z0-9_\-]{1,80}(\.fifo)?$(?!\n)",
        description="URL of the dead-letter queue; nothing for the pipeline's own queue.",
    ),
    "pipeline": Param(
        "user_logins.json",
        type="string",
        maxLength=200,
        pattern=PATH + r"\.json$(?!\n)",
        description="The pipeline file, below the folder of pipelines.",
    ),
    "files": Param(
        [],
        type="array",
        maxItems=1000,
        items={"type": "string", "maxLength": 200, "pattern": PATH + r"$(?!\n)"},
        description="Archives below their folder, on every worker's host: JSON lines or an array, plain, gzip or zstd.",
    ),
    "envelope": Param("none", enum=["none", "sqs"], description="sqs: a record is a message as ReceiveMessage returns it."),
    "sent_at": Param(
        None,
        type=["null", "string"],
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+\-][0-9:]{2,5})$(?!\n)",
        description="When the bodies in the files were sent: 2026-11-20T00:00:00Z.",
    ),
    "sent_at_from": Param(
        None, type=["null", "string"], maxLength=200, description="The field of a body that tells when it was sent."
    ),
    "max_messages": Param(
        100_000,
        type="integer",
        minimum=1,
        maximum=10_000_000,
        description="Of all workers together. A worker that is tried again has its share again.",
    ),
    "max_runtime": Param(
        50, type="integer", minimum=1, maximum=690, description="In minutes; then a worker stops receiving."
    ),
    "workers": Param(1, type="integer", minimum=1, maximum=32, description="They drain the queue side by side."),
}


@task(retries=0)
def plan(params=None):
    """The environment of each worker: what somebody typed goes nowhere else."""
    source, queue_url = params["source"], params["queue_url"]
    if (source == DEAD_LETTER_QUEUE) != bool(queue_url):
        raise AirflowFailException(f"queue_url is needed with source {DEAD_LETTER_QUEUE}, and only there")
    files = [f"{ARCHIVES}/{name}" for name in params["files"]]
    if (source == FILES) != bool(files):
        raise AirflowFailException(f"files are needed with source {FILES}, and only there")
    shared = {
        "SLUICE_DAG_COMMAND": "run",
        "SLUICE_PIPELINE": f"{PIPELINES}/{params['pipeline']}",
        "SLUICE_MAX_RUNTIME": f"{params['max_runtime']}m",
        "SLUICE_CHECKPOINT": "",  # one of its own for each worker: the default, whatever is inherited
    }
    name = "backfill"
    if source == DEAD_LETTER_QUEUE:
        # A checkpoint belongs to one queue and is named after its worker.
        name = "redrive-" + hashlib.sha256(queue_url.encode()).hexdigest()[:8]
        # A dead-letter queue has none of its own: what is rejected again stays in Postgres.
        shared |= {"SLUICE_QUEUE_URL": queue_url, "SLUICE_REJECTIONS": "table"}
    workers = min(params["workers"], params["max_messages"])
    if source == FILES:
        name = "files"
        workers = min(workers, len(files))
        shared |= {"SLUICE_DAG_COMMAND": "backfill", "SLUICE_ENVELOPE": params["envelope"]}
        # Both may be nothing, which is as if they were not there.
        shared |= {f"SLUICE_{key.upper()}": params[key] or "" for key in ("sent_at", "sent_at_from")}
    share, rest = divmod(params["max_messages"], workers)
    return [
        shared
        | {"SLUICE_WORKER": f"{name}-{number}", "SLUICE_MAX_MESSAGES": str(share + (number <= rest))}
        | ({"SLUICE_INPUT": "\n".join(files[number - 1 :: workers])} if files else {})
        for number in range(1, workers + 1)
    ]


with DAG(
    Path(__file__).stem,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=1),
    params=PARAMS,
    tags=["sluice"],
    doc_md=__doc__,
):
    SluiceOperator.partial(
        task_id="drain",
        # A shell that stays would end with another status than sluice.
        bash_command='exec sluice "$SLUICE_DAG_COMMAND" --skip-exit-code 99 --json',
        append_env=True,
        skip_on_exit_code=99,
        output_processor=json.loads,
        pool=POOL,
        depends_on_past=False,
        retries=3,
        retry_delay=timedelta(minutes=2),
        retry_exponential_backoff=True,
        max_retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=12),  # above the longest max_runtime
    ).expand(env=plan())
