#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The metrics of real runs, as promtool, node_exporter, Prometheus with our rules, and the dashboard take them.

    observed_test.py AWS_SANDBOX_PROGRAM
"""

import json
import re
import subprocess
import sys
import unittest
from typing import Any

from runs import REPOSITORY, Runs, World, samples, value
from servers import NodeExporter, Prometheus, require, wait_for

sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
from sandbox import Sandbox

MESSAGES = 2_000
RULES = REPOSITORY / "prometheus" / "sluice_alerts.yml"
RULE_TESTS = REPOSITORY / "prometheus" / "sluice_alerts_test.yml"
PAGE = REPOSITORY / "prometheus" / "README.md"
DASHBOARD = REPOSITORY / "grafana" / "sluice.json"
PIPELINE = "user_logins"
START, COMPLETION, SUCCESS = (
    f"sluice_last_{what}_timestamp_seconds" for what in ("start", "completion", "success")
)


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def queries(language: str) -> list[tuple[str, str]]:
    """Each with the title of its panel."""
    return [
        (panel["title"], target[language]) for panel in panels() for target in panel["targets"] if language in target
    ]


class ObservedTest(unittest.TestCase):
    """One: good, then good again. two: good, and killed in its next run. three: no right to the database. four: killed in
    its first."""

    world: World
    runs: Runs
    exporter: NodeExporter
    prometheus: Prometheus

    @classmethod
    def setUpClass(cls) -> None:
        cls.world = World(MESSAGES)
        cls.addClassCleanup(cls.world.close)
        cls.runs = runs = Runs(cls.world)
        for worker in ("one", "two"):
            if runs.run(worker) != 0:
                raise RuntimeError(f"the run of {worker} failed")
        runs.run("one")
        cls.status_of_three = runs.run("three", PGDATABASE="no_such_database")
        runs.kill_one("two")
        runs.kill_one("four")
        cls.exporter = NodeExporter(cls.world.folder, runs.folder)
        cls.addClassCleanup(cls.exporter.stop)
        cls.prometheus = Prometheus(cls.world.folder, cls.exporter, RULES)
        cls.addClassCleanup(cls.prometheus.stop)

    def texts(self) -> dict[str, str]:
        return {file.name: file.read_text() for file in sorted(self.runs.folder.iterdir())}

    def test_each_file_is_one_that_promtool_takes_without_a_remark(self) -> None:
        self.assertEqual(
            set(self.texts()),
            {f"sluice-{worker}.prom" for worker in ("one", "two", "three", "four")}
            | {f"sluice-{worker}-success.prom" for worker in ("one", "two")},
        )
        for name, text in self.texts().items():
            done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), name)

    def test_good_failed_and_killed_runs_can_be_told_from_one_another(self) -> None:
        texts = self.texts()
        one, two, three = (texts[f"sluice-{worker}.prom"] for worker in ("one", "two", "three"))
        self.assertEqual(value(one, "sluice_last_exit_code"), 0)
        self.assertEqual(value(one, COMPLETION), value(texts["sluice-one-success.prom"], SUCCESS))
        self.assertEqual(value(three, "sluice_last_exit_code"), self.status_of_three)
        self.assertNotEqual(self.status_of_three, 0)
        self.assertGreater(value(two, START), value(two, COMPLETION))
        self.assertEqual(value(two, COMPLETION), value(texts["sluice-two-success.prom"], SUCCESS))
        self.assertEqual([name for name, _, _ in samples(texts["sluice-four.prom"])], [START])

    def test_the_collector_takes_all_of_them_at_once(self) -> None:
        metrics = self.exporter.metrics()
        self.assertIn("\nnode_textfile_scrape_error 0\n", metrics)
        exported = {
            (name, *sorted(labels.items())): number
            for name, labels, number in samples(
                "\n".join(line for line in metrics.splitlines() if line.startswith("sluice_"))
            )
        }
        written = [
            (name, *sorted(labels.items())) for text in self.texts().values() for name, labels, _ in samples(text)
        ]
        self.assertEqual(len(written), len(set(written)), "a series stands in two files")
        self.assertEqual(set(exported), set(written))

    def test_the_page_describes_what_is_written_and_nothing_else(self) -> None:
        rows = re.findall(r"^\| `(sluice_\w+)` \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
        described = {name: set(re.findall(r"`(\w+)`", labels)) | {"pipeline", "worker"} for name, labels in rows}
        written: dict[str, set[str]] = {}
        for text in self.texts().values():
            for name, labels, _ in samples(text):
                written.setdefault(name, set()).update(labels)
        self.assertEqual(described, written)

    def test_the_series_of_the_rule_tests_are_like_those_that_the_collector_gives(self) -> None:
        given = {(name, *sorted(labels)) for name, labels, _ in samples(self.sample_lines())}
        used = re.findall(r"- series: '((sluice|node)_\w+\{[^']*\})'", RULE_TESTS.read_text())
        self.assertTrue(used)
        for series, _ in used:
            [(name, labels, _)] = samples(f"{series} 0")
            # Prometheus adds these two.
            self.assertIn((name, *sorted(labels.keys() - {"instance", "job"})), given, series)

    def sample_lines(self) -> str:
        """What has labels, of the exporter's text; the one that has none gets an empty set."""
        wanted = (line for line in self.exporter.metrics().splitlines() if line.startswith(("sluice_", "node_textfile_")))
        return "\n".join(line if "{" in line else line.replace(" ", "{} ", 1) for line in wanted)

    def test_prometheus_takes_the_rules_and_tells_the_runs_apart(self) -> None:
        def alerts() -> set[tuple[str, str, str]]:
            data = self.prometheus.ask("alerts") or {"alerts": []}
            return {
                (each["labels"]["alertname"], each["labels"].get("worker", ""), each["state"])
                for each in data["alerts"]
            }

        expected = {
            ("SluiceRunFailed", "three", "firing"),
            ("SluiceNeverSucceeded", "three", "pending"),
            ("SluiceNeverSucceeded", "four", "pending"),
            ("SluiceRunKilled", "two", "pending"),
            ("SluiceRunKilled", "four", "pending"),
        }
        # This share of the messages of a world is bad.
        expected |= {alert for alert in alerts() if alert[0] == "SluiceRejections"}
        wait_for(lambda: expected <= alerts(), f"alerts {expected}")
        self.assertEqual(alerts() - {each for each in alerts() if each[0] == "SluiceRejections"}, expected)
        groups = self.prometheus.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertEqual([(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"], [])

    def test_the_panels_of_the_dashboard_lie_beside_each_other(self) -> None:
        dashboard = json.loads(DASHBOARD.read_text())
        everything = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in everything}), len(everything))
        taken: set[tuple[int, int]] = set()
        for panel in everything:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
        variables = {variable["name"] for variable in dashboard["templating"]["list"]}
        self.assertEqual(set(re.findall(r"\$\{?([a-z]\w*)", DASHBOARD.read_text())), variables)

    def test_every_query_of_the_dashboard_to_prometheus_has_an_answer(self) -> None:
        wait_for(lambda: self.prometheus.query(f'{COMPLETION}{{worker="one"}}'), "a scrape")
        asked = queries("expr")
        self.assertGreater(len(asked), 10)
        for title, expression in asked:
            with self.subTest(title):
                filled = expression.replace("$pipeline", PIPELINE)
                self.assertNotIn("$", filled)
                self.assertTrue(self.prometheus.query(filled), filled)

    def test_every_query_of_the_dashboard_to_postgres_has_an_answer(self) -> None:
        asked = queries("rawSql")
        self.assertGreater(len(asked), 5)
        for title, query in asked:
            with self.subTest(title):
                filled = query.replace("${pipeline:sqlstring}", f"'{PIPELINE}'")
                filled = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '1 hour' AND now()", filled)
                self.assertNotIn("$", filled)
                self.assertTrue(self.world.rows(filled), filled)

    def test_rules_and_dashboard_name_no_metric_that_is_not_written(self) -> None:
        written = {name for name, _, _ in samples(self.sample_lines())} | {"node_textfile_mtime_seconds"}
        for file in (RULES, DASHBOARD):
            text = file.read_text()
            if file == RULES:
                text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
            named = set(re.findall(r"\b(?:sluice_(?:last|run|stage|queue|oldest|build)|node_textfile)_\w+", text))
            self.assertEqual(named - written, set(), file.name)


if __name__ == "__main__":
    require("promtool", "prometheus", "prometheus-node-exporter")
    Sandbox.program = sys.argv.pop(1)
    unittest.main()
