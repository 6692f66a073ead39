# SPDX-License-Identifier: Apache-2.0
"""The Airflow of this Python, 3 or 2, without a scheduler: `dag.test` does in this process what one does."""

import os
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

from world import REPOSITORY, outside

DAGS = REPOSITORY / "airflow_dag"


def prepare(home: Path) -> None:
    """Before the first import of it. The metadata is made as `airflow db migrate` makes it."""
    ours = {name: os.environ[name] for name in ("SLUICE_TEST_POSTGRES", "SLUICE_BINARY")}
    environment = outside() | ours
    os.environ.clear()
    os.environ.update(environment)
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS="False",
    )
    from airflow.utils.db import initdb
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def wait_for_no_disk(connection: Any, _: Any) -> None:
        connection.cursor().execute("PRAGMA synchronous = OFF")

    initdb()


def bag_of(folder: Path) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 2
        from airflow.models.dagbag import DagBag

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return DagBag(dag_folder=folder)


def dag_of(name: str) -> Any:
    """Parsed anew, as each process of Airflow does it."""
    return bag_of(DAGS).dags[name]


def run_dag(name: str, conf: dict[str, Any] | None = None) -> Any:
    dag = dag_of(name)
    drain = dag.get_task("drain")
    drain.retry_delay = drain.max_retry_delay = timedelta(seconds=1)  # which is really waited for
    return dag.test(run_conf=conf)


def schedule_of(dag: Any) -> str:
    return dag.schedule if hasattr(dag, "schedule") else dag.schedule_interval


def drained(run: Any) -> list[Any]:
    """The task instances that ran sluice, in the order of their workers."""
    found = [instance for instance in run.get_task_instances() if instance.task_id == "drain"]
    return sorted(found, key=lambda instance: instance.map_index)


def states(run: Any) -> list[str]:
    return [str(instance.state) for instance in drained(run)]
