#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The events of a real run are what OpenLineage's own client makes of them: every member is known, none is missing.

openlineage_test.py AWS_SANDBOX_PROGRAM
"""

import json
import sys
import types
import typing
import unittest
from enum import Enum
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import RunEvent
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
)
from openlineage.client.serde import Serde

from surroundings import Listener, Sandbox, World, run

MESSAGES = 200
PARENT = "airflow/logins.drain/01927c4e-7b1a-7cc3-9d2e-5f0a1b2c3d4e"
FACETS = {
    "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "parent": parent_run.ParentRunFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
    "schema": schema_dataset.SchemaDatasetFacet,
}


def made(hint: Any, value: Any) -> Any:
    """`value` as `hint` has it: the client's classes refuse members they do not know and values of other kinds."""
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        [hint], kinds = kinds, list(typing.get_args(kinds[0]))
    if typing.get_origin(hint) is list:
        return [made(kinds[0], each) for each in value]
    if typing.get_origin(hint) is dict:
        return {name: made(FACETS.get(name, kinds[1]), each) for name, each in value.items()}
    if issubclass(hint, Enum):
        return hint(value)
    if not hasattr(hint, "__attrs_attrs__"):
        assert isinstance(value, hint), (hint, value)
        return value
    hints = typing.get_type_hints(hint)
    # The schema is the class's own: it has to come out as it went in.
    told = {name: each for name, each in value.items() if name.lstrip("_") != "schemaURL"}
    return hint(**{name.lstrip("_"): made(hints[name], each) for name, each in told.items()})


def without_empties(value: Any) -> Any:
    """The client writes what it was not given as an empty list or object."""
    if isinstance(value, dict):
        return {name: without_empties(each) for name, each in value.items() if each not in ([], {})}
    return [without_empties(each) for each in value] if isinstance(value, list) else value


class OpenLineageTest(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.world = World(MESSAGES)
        self.addCleanup(self.world.close)
        self.listener = Listener()
        self.addCleanup(self.listener.close)
        self.world.variables |= {"OPENLINEAGE_URL": self.listener.address, "OPENLINEAGE_PARENT_ID": PARENT}

    def events(self) -> list[dict[str, Any]]:
        """Each has gone through the client's classes, and came out as it went in."""
        events = [json.loads(body) for path, body in self.listener.posts if path == "/api/v1/lineage"]
        for event in events:
            theirs = json.loads(Serde.to_json(made(RunEvent, event)))
            self.assertEqual(without_empties(theirs), event)
        return events

    def test_a_run_that_goes_well(self) -> None:
        summary = run(self.world)
        start, complete = self.events()
        self.assertEqual([start["eventType"], complete["eventType"]], ["START", "COMPLETE"])
        for event in (start, complete):
            self.assertEqual(event["run"]["runId"], summary["run_id"])
            self.assertEqual(event["run"]["facets"]["parent"]["job"], {"namespace": "airflow", "name": "logins.drain"})
            self.assertEqual(event["outputs"][0]["name"], f"{self.world.database}.public.user_logins")
        [output] = complete["outputs"]
        rows = summary["counts"]["rows"]["public.user_logins"]
        self.assertEqual(output["outputFacets"]["outputStatistics"]["rowCount"], rows)
        self.assertEqual(complete["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"], MESSAGES)
        masked = {
            column
            for column, lineage in output["facets"]["columnLineage"]["fields"].items()
            if any(each["masking"] for source in lineage["inputFields"] for each in source["transformations"])
        }
        self.assertEqual(masked, {"masked_ip", "masked_device_id"})

    def test_a_run_that_rejects_too_much_has_failed(self) -> None:
        self.assertEqual(run(self.world, "--reject-threshold", "0")["exit_code"], 65)
        start, fail = self.events()
        self.assertEqual([start["eventType"], fail["eventType"]], ["START", "FAIL"])
        self.assertIn("were rejected", fail["run"]["facets"]["errorMessage"]["message"])


if __name__ == "__main__":
    Sandbox.program = str(Path(sys.argv.pop()).resolve())
    unittest.main()
