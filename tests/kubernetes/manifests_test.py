#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manifests are what Kubernetes and KEDA take, say what the program means, and agree with each other.

    manifests_test.py CACHE      KEDA's own definitions are kept in CACHE, when there is a `go` to get them
"""

import copy
import os
import re
import subprocess
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
from kubernetes_validate.utils import all_versions

import keda
import manifests
from broken import assert_noticed
from manifests import Document, Workload, documents, flags, made_by_hand, settings, shared, sources_of, workloads

PROGRAM = os.environ["SLUICE_BINARY"]


def said_by(*words: str) -> str:
    return subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def statuses() -> dict[int, str]:
    """Whether to run it again, of each exit status but the one that is only for those who ask for it."""
    said = re.findall(r"^  (\d+) +(no need|yes|not before it is mended) +(.*)", said_by("--help"), re.MULTILINE)
    return {int(status): again for status, again, meaning in said if "--skip-exit-code" not in meaning}


def mebibytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()
    return int(number) * {"Mi": 1, "Gi": 1024}[unit]


def seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smhd])", duration).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def versions_of_the_readme() -> list[str]:
    first, last = re.search(r"Kubernetes (1\.\d+) to (1\.\d+)", manifests.readme()).groups()
    known = all_versions()
    between = known[known.index(f"{first}.0") : known.index(f"{last}.0") + 1]
    return [version.removesuffix(".0") for version in between]


def of_each(check: Callable[[Any, Workload], None]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        for workload in workloads():
            with self.subTest(workload.file):
                check(self, workload)

    return test


class SchemaTest(unittest.TestCase):
    def assert_valid_for_kubernetes(self, document: Document) -> None:
        for version in versions_of_the_readme():
            with self.subTest(f"{document['kind']} {document['metadata']['name']}, Kubernetes {version}"):
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    self.fail(f"{'.'.join(map(str, error.path))}: {error.message}")

    def test_kubernetes_takes_them_in_each_version_that_the_readme_names(self) -> None:
        for held in documents().values():
            for document in held:
                if document["apiVersion"] != keda.API:
                    self.assert_valid_for_kubernetes(document)

    def test_kubernetes_takes_the_job_inside_a_scaled_job(self) -> None:
        [scaled] = [each for each in workloads() if each.document["apiVersion"] == keda.API]
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": scaled.document["metadata"], "spec": scaled.job}
        self.assert_valid_for_kubernetes(job)

    def test_the_readme_names_the_newest_version_that_there_is_a_schema_of(self) -> None:
        self.assertEqual(versions_of_the_readme()[-1] + ".0", kubernetes_validate.latest_version())

    def assert_valid_for_keda(self, schema_of: dict[str, Document]) -> None:
        for document in documents()["scaledjob.yaml"]:
            with self.subTest(document["kind"]):
                try:
                    jsonschema.Draft202012Validator(schema_of[document["kind"]]).validate(document)
                except jsonschema.ValidationError as error:
                    cause = jsonschema.exceptions.best_match([error])
                    self.fail(f"{'.'.join(map(str, cause.absolute_path))}: {cause.message}")

    def test_keda_takes_its_part_by_what_we_read_of_it(self) -> None:
        self.assert_valid_for_keda(keda.definitions_as_we_read_them())

    def test_keda_takes_its_part_by_its_own_definitions(self) -> None:
        try:
            definitions = keda.own_definitions(CACHE)
        except keda.Unavailable as reason:
            self.skipTest(f"held by what we read of it only: {reason}")
        self.assert_valid_for_keda(definitions)


class StatusTest(unittest.TestCase):
    @of_each
    def test_a_status_is_tried_again_where_the_program_says_so(self, workload: Workload) -> None:
        for status, again in statuses().items():
            for_good = "FailIndex" if status == 65 and workload.is_indexed else "FailJob"
            expected = {"no need": "Complete", "yes": "Count", "not before it is mended": for_good}[again]
            self.assertEqual(workload.action_on(status), expected, f"exit status {status}")

    @of_each
    def test_the_readme_says_what_the_rules_say(self, workload: Workload) -> None:
        rows = re.findall(r"^\| ([\d, ]+) \| (\w+)[^|]* \| (\w+)[^|]* \|$", manifests.readme(), re.MULTILINE)
        told = {
            int(number): indexed if workload.is_indexed else other
            for numbers, other, indexed in rows
            for number in numbers.split(",")
        }
        self.assertEqual(told, {status: workload.action_on(status) for status in statuses()})

    @of_each
    def test_rules_are_such_as_the_api_server_takes(self, workload: Workload) -> None:
        self.assertEqual(workload.pod["restartPolicy"], "Never", "policies need it")
        for rule in workload.job["podFailurePolicy"]["rules"]:
            if codes := rule.get("onExitCodes"):
                self.assertEqual(codes["values"], sorted(set(codes["values"]) - {0}), "in order, each once, no 0")
                self.assertEqual(codes["containerName"], workload.container["name"])
            if rule["action"] == "FailIndex":
                self.assertIn("backoffLimitPerIndex", workload.job)

    @of_each
    def test_a_pod_that_the_cluster_takes_away_counts_for_nothing(self, workload: Workload) -> None:
        ignored = [rule for rule in workload.job["podFailurePolicy"]["rules"] if rule["action"] == "Ignore"]
        [condition] = [condition for rule in ignored for condition in rule["onPodConditions"]]
        self.assertEqual(condition, {"type": "DisruptionTarget", "status": "True"})

    @of_each
    def test_no_run_asks_for_a_status_that_means_skipped(self, workload: Workload) -> None:
        self.assertNotIn("--skip-exit-code", flags(workload))
        self.assertNotIn("SLUICE_SKIP_EXIT_CODE", settings(workload))


class LimitTest(unittest.TestCase):
    @of_each
    def test_the_program_ends_before_it_is_ended(self, workload: Workload) -> None:
        runtime = seconds(flags(workload)["--max-runtime"])
        self.assertGreater(runtime, 0)
        self.assertGreater(workload.job["activeDeadlineSeconds"], runtime + 60)
        self.assertGreaterEqual(workload.pod["terminationGracePeriodSeconds"], 10)

    def test_a_cron_job_is_over_before_the_next_is_due(self) -> None:
        [cron] = [each for each in workloads() if each.document["kind"] == "CronJob"]
        self.assertRegex(cron.document["spec"]["schedule"], r"^\d+ \* \* \* \*$", "hourly")
        self.assertLess(cron.job["activeDeadlineSeconds"], 3600)
        self.assertEqual(cron.document["spec"]["concurrencyPolicy"], "Forbid")

    @of_each
    def test_memory_and_disk_are_limited_above_what_is_asked_for(self, workload: Workload) -> None:
        resources = workload.container["resources"]
        self.assertIn("cpu", resources["requests"])
        for name in ("memory", "ephemeral-storage"):
            self.assertLessEqual(
                mebibytes(resources["requests"][name]), mebibytes(resources["limits"][name]), name
            )

    def test_every_index_works_at_once(self) -> None:
        [indexed] = [each for each in workloads() if each.is_indexed]
        self.assertEqual(indexed.job["completions"], indexed.job["parallelism"])


class PodTest(unittest.TestCase):
    @of_each
    def test_nobody_is_root_and_nothing_is_writable_but_the_state(self, workload: Workload) -> None:
        user = int(manifests.stages()[-1].one("USER").split(":")[0])
        pod, container = workload.pod["securityContext"], workload.container["securityContext"]
        self.assertEqual((pod["runAsNonRoot"], pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]),
                         (True, user, user, user))
        self.assertEqual(pod["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(
            container,
            {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        )
        self.assertIs(workload.pod["automountServiceAccountToken"], False)
        self.assertIs(workload.pod["enableServiceLinks"], False)

    def test_the_image_is_the_same_everywhere_and_of_this_version(self) -> None:
        name, version = said_by("--version").split()
        told = manifests.readme() + Path(manifests.FOLDER, "Containerfile").read_text()
        images = {workload.container["image"] for workload in workloads()}
        images |= set(re.findall(rf"[\w./-]*/{name}:[\w.]+", told))
        self.assertEqual(images, {f"registry.example.com/{name}:{version}"})

    def test_pods_differ_in_nothing_but_their_runtime_and_name(self) -> None:
        def common(workload: Workload) -> Document:
            pod = copy.deepcopy(workload.pod)
            [container] = pod["containers"]
            container["args"] = [each for each in container["args"] if not each.startswith("--max-runtime=")]
            container["env"] = [each for each in container["env"] if each["name"] != "SLUICE_WORKER"]
            return pod

        first, *others = workloads()
        for other in others:
            with self.subTest(other.file):
                self.assertEqual(common(other), common(first))

    @of_each
    def test_a_worker_is_named_where_its_pod_is_the_only_one_and_nowhere_else(self, workload: Workload) -> None:
        self.assertEqual("SLUICE_WORKER" in settings(workload), workload.document["kind"] == "CronJob")

    @of_each
    def test_every_setting_is_one_of_the_program(self, workload: Workload) -> None:
        options = set(re.findall(r"^  --([a-z-]+)", said_by("run", "--help"), re.MULTILINE))
        self.assertEqual(workload.container["args"][0], "run")
        self.assertLessEqual(set(flags(workload)), {f"--{name}" for name in options})
        ours = {name for name in settings(workload) if name.startswith("SLUICE_")}
        self.assertLessEqual(ours, {"SLUICE_" + name.upper().replace("-", "_") for name in options})

    @of_each
    def test_everything_that_is_named_is_there(self, workload: Workload) -> None:
        account = shared("ServiceAccount", "sluice")["metadata"]
        made = made_by_hand()
        self.assertEqual(workload.pod["serviceAccountName"], account["name"])
        volumes = {volume["name"]: volume for volume in workload.pod["volumes"]}
        mounts = {mount["name"]: mount["mountPath"] for mount in workload.container["volumeMounts"]}
        self.assertEqual(set(volumes), set(mounts))
        for source in sources_of(volumes["config"]):
            self.assertIn(source, made)
        files = {f"{mounts['config']}/{key}" for source in sources_of(volumes["config"]) for key in made[source]}
        paths = {value for value in settings(workload).values() if value.startswith("/")}
        self.assertEqual(paths, files, "the settings name what the README's commands make")
        state = manifests.stages()[-1].variables["XDG_STATE_HOME"] + "/sluice"
        self.assertEqual(mounts["state"], state, "where the image keeps it")

    @of_each
    def test_files_of_secrets_are_for_one_user(self, workload: Workload) -> None:
        [config] = [volume for volume in workload.pod["volumes"] if volume["name"] == "config"]
        self.assertEqual(config["projected"]["defaultMode"], 0o400)

    def test_what_belongs_together_is_in_one_namespace(self) -> None:
        namespace = next(each for each in documents()["common.yaml"] if each["kind"] == "Namespace")["metadata"]["name"]
        for file, held in documents().items():
            for document in held:
                if document["kind"] != "Namespace":
                    self.assertEqual(document["metadata"]["namespace"], namespace, file)
        for line in manifests.readme().splitlines():
            if line.startswith("kubectl") and "apply" not in line:
                self.assertIn(f" -n {namespace} ", line)

    def test_keda_asks_for_the_queue_that_is_drained(self) -> None:
        authentication, scaled = documents()["scaledjob.yaml"]
        [workload] = [each for each in workloads() if each.document == scaled]
        [trigger] = scaled["spec"]["triggers"]
        self.assertEqual(trigger["authenticationRef"]["name"], authentication["metadata"]["name"])
        self.assertEqual(trigger["metadata"]["queueURLFromEnv"], "SLUICE_QUEUE_URL")
        self.assertIn(f".{trigger['metadata']['awsRegion']}.", settings(workload)["SLUICE_QUEUE_URL"])
        self.assertEqual(trigger["metadata"]["awsRegion"], settings(workload)["AWS_REGION"])
        self.assertEqual(scaled["spec"]["rollout"], {"strategy": "gradual"})


class Broken(unittest.TestCase):
    CASES = [
        ("cronjob.yaml", "concurrencyPolicy:", "concurencyPolicy:", SchemaTest, "kubernetes_takes_them"),
        ("cronjob.yaml", 'status: "True"', "status: True", SchemaTest, "kubernetes_takes_them"),
        ("indexed-job.yaml", "parallelism: 4", 'parallelism: "4"', SchemaTest, "kubernetes_takes_them"),
        ("scaledjob.yaml", "backoffLimit: 3", "backofLimit: 3", SchemaTest, "kubernetes_takes_the_job"),
        ("scaledjob.yaml", "backoffLimit: 3", "backofLimit: 3", SchemaTest, "keda_takes_its_part_by_its_own"),
        ("scaledjob.yaml", '"100000"', "100000", SchemaTest, "keda_takes_its_part_by_what"),
        ("scaledjob.yaml", '"100000"', "100000", SchemaTest, "keda_takes_its_part_by_its_own"),
        ("scaledjob.yaml", "strategy: gradual", "strategy: slow", SchemaTest, "keda_takes_its_part_by_what"),
        ("scaledjob.yaml", "strategy: gradual", "strategy: slow", SchemaTest, "keda_takes_its_part_by_its_own"),
        ("scaledjob.yaml", "pollingInterval:", "poolingInterval:", SchemaTest, "keda_takes_its_part_by_its_own"),
        ("scaledjob.yaml", "activationQueueL", "activateQueueL", SchemaTest, "keda_takes_its_part_by_what"),
        ("README.md", "to 1.37", "to 1.36", SchemaTest, "the_readme_names_the_newest"),
        ("cronjob.yaml", "[64, 65, 77, 78]", "[64, 65, 75, 77, 78]", StatusTest, "a_status_is_tried_again"),
        ("cronjob.yaml", "[64, 65, 77, 78]", "[64, 65, 78]", StatusTest, "a_status_is_tried_again"),
        ("cronjob.yaml", "[64, 65, 77, 78]", "[65, 64, 77, 78]", StatusTest, "rules_are_such"),
        ("indexed-job.yaml", "values: [65]", "values: [66]", StatusTest, "a_status_is_tried_again"),
        ("README.md", "| 64, 77, 78 |", "| 64, 75, 78 |", StatusTest, "the_readme_says_what_the_rules_say"),
        ("scaledjob.yaml", "type: DisruptionTarget", "type: PodScheduled", StatusTest, "a_pod_that_the_cluster"),
        ("scaledjob.yaml", "--json]", "--skip-exit-code=99]", StatusTest, "no_run_asks"),
        ("cronjob.yaml", "--max-runtime=50m", "--max-runtime=58m", LimitTest, "the_program_ends_before"),
        ("cronjob.yaml", "activeDeadlineSeconds: 3480", "activeDeadlineSeconds: 3700", LimitTest, "a_cron_job_is_over"),
        ("cronjob.yaml", "memory: 512Mi", "memory: 64Mi", LimitTest, "memory_and_disk"),
        ("indexed-job.yaml", "completions: 4", "completions: 8", LimitTest, "every_index_works_at_once"),
        ("cronjob.yaml", "runAsUser: 65532", "runAsUser: 0", PodTest, "nobody_is_root"),
        ("cronjob.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", PodTest, "nobody_is_root"),
        ("indexed-job.yaml", "sluice:0.1.0", "sluice:0.0.9", PodTest, "the_image_is_the_same"),
        ("indexed-job.yaml", "cpu: 250m", "cpu: 100m", PodTest, "pods_differ"),
        ("indexed-job.yaml", "- name: SLUICE_RUN_GROUP", "- name: SLUICE_WORKER", PodTest, "a_worker_is_named"),
        ("common.yaml", "SLUICE_KEYRING:", "SLUICE_KEY_RING:", PodTest, "every_setting"),
        ("common.yaml", "/etc/sluice/keyring.json", "/etc/sluice/keys.json", PodTest, "everything_that_is_named"),
        ("README.md", "--from-file=pg_service.conf", "--from-file=service.conf", PodTest, "everything_that_is_named"),
        ("cronjob.yaml", "name: sluice-keyring", "name: keyring", PodTest, "everything_that_is_named"),
        ("cronjob.yaml", "- name: state   #", "- name: checkpoint   #", PodTest, "everything_that_is_named"),
        ("cronjob.yaml", "defaultMode: 0400", "defaultMode: 0444", PodTest, "files_of_secrets"),
        ("scaledjob.yaml", "namespace: sluice", "namespace: default", PodTest, "what_belongs_together"),
        ("scaledjob.yaml", "awsRegion: us-east-1", "awsRegion: eu-west-1", PodTest, "keda_asks_for_the_queue"),
    ]

    def test_each_of_these_is_noticed(self) -> None:
        for file, text, replacement, suite, beginning in self.CASES:
            assert_noticed(self, suite, beginning, file, text, replacement)


if __name__ == "__main__":
    CACHE = Path(sys.argv.pop()).resolve()
    unittest.main()
