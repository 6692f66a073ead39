#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alert rules: valid, each of them tested both ways, and the tests able to fail."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml
from servers import require

FOLDER = Path(__file__).parents[2] / "prometheus"
RULES = FOLDER / "sluice_alerts.yml"
TESTS = FOLDER / "sluice_alerts_test.yml"
PAGE = FOLDER / "README.md"


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    return group["rules"]


def promtool(*words: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True)


class RulesTest(unittest.TestCase):
    def test_they_are_valid_and_do_as_their_tests_say(self) -> None:
        for words in (["check", "rules", RULES.name], ["test", "rules", TESTS.name]):
            done = promtool(*words)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_says_what_is_wrong_what_it_means_and_what_to_do(self) -> None:
        for rule in rules():
            self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook"}, rule["alert"])
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"))

    def test_each_fires_in_a_test_and_is_silent_in_another(self) -> None:
        fires, silent = set(), set()
        for test in yaml.safe_load(TESTS.read_text())["tests"]:
            for case in test["promql_expr_test"]:
                for alert in re.findall(r'alertname="(\w+)"', case["expr"]):
                    (fires if case.get("exp_samples") else silent).add(alert)
        alerts = {rule["alert"] for rule in rules()}
        self.assertEqual((fires, silent), (alerts, alerts))

    def test_a_rule_that_never_fires_or_always_is_found(self) -> None:
        for wrong in ("vector(1) < 0", 'label_replace(vector(1), "pipeline", "logins", "", "")'):
            with self.subTest(wrong), tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                changed = {"groups": [{"name": "sluice", "rules": [rule | {"expr": wrong} for rule in rules()]}]}
                (folder / RULES.name).write_text(yaml.safe_dump(changed))
                (folder / TESTS.name).write_text(TESTS.read_text())
                done = promtool("test", "rules", TESTS.name, folder=folder)
                self.assertNotEqual(done.returncode, 0)
                failed = re.findall(r'expr: "?ALERTS\{alertname=\\?"(\w+)', done.stdout + done.stderr)
                self.assertEqual(set(failed), {rule["alert"] for rule in rules()}, done.stderr[:2000])

    def test_the_page_lists_them(self) -> None:
        listed = re.findall(r"^\| `(Sluice\w+)` \|", PAGE.read_text(), re.MULTILINE)
        self.assertEqual(listed, [rule["alert"] for rule in rules()])


if __name__ == "__main__":
    require("promtool")
    unittest.main()
