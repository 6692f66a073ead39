# SPDX-License-Identifier: Apache-2.0
"""The manifests of cron/kubernetes/ and what its README and its Containerfile say, as the tests read them."""

import functools
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "cron/kubernetes"  # a test that breaks something reads a copy

Document = dict[str, Any]


@functools.cache
def parsed(text: str) -> list[Document]:
    return list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def documents() -> dict[str, list[Document]]:
    """file → what it holds"""
    return {path.name: parsed(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


@dataclass(frozen=True)
class Workload:
    """What starts pods. Its Job lies elsewhere in each kind."""

    file: str
    document: Document
    job: Document

    @property
    def pod(self) -> Document:
        return self.job["template"]["spec"]

    @property
    def container(self) -> Document:
        [container] = self.pod["containers"]
        return container

    @property
    def is_indexed(self) -> bool:
        return self.job.get("completionMode") == "Indexed"

    @property
    def own_variables(self) -> dict[str, Document]:
        return {variable["name"]: variable for variable in self.container["env"]}

    def action_on(self, status: int) -> str:
        """What Kubernetes does when the program ends with it: the first rule that fits, else it is counted."""
        if status == 0:
            return "Complete"
        for rule in self.job["podFailurePolicy"]["rules"]:
            codes = rule.get("onExitCodes")
            if codes and (status in codes["values"]) == (codes["operator"] == "In"):
                return rule["action"]
        return "Count"


def workloads() -> list[Workload]:
    found = []
    for file, held in documents().items():
        for document in held:
            spec = document.get("spec", {})
            job = {
                "CronJob": lambda: spec["jobTemplate"]["spec"],
                "Job": lambda: spec,
                "ScaledJob": lambda: spec["jobTargetRef"],
            }.get(document["kind"])
            if job:
                found.append(Workload(file, document, job()))
    return found


def shared(kind: str, name: str) -> Document:
    [document] = [
        each for each in documents()["common.yaml"] if (each["kind"], each["metadata"]["name"]) == (kind, name)
    ]
    return document


def settings(workload: Workload, job_name: str = "") -> dict[str, str]:
    """The environment of its container: the ConfigMaps, then its own variables, as Kubernetes resolves them."""
    variables: dict[str, str] = {}
    for source in workload.container["envFrom"]:
        variables |= shared("ConfigMap", source["configMapRef"]["name"])["data"]
    for name, variable in workload.own_variables.items():
        if "value" in variable:
            variables[name] = variable["value"]
        elif variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/job-name']":
            variables[name] = job_name
        else:
            raise KeyError(f"{workload.file}: {variable}: no test knows where that comes from")
    return variables


def flags(workload: Workload) -> dict[str, str]:
    """--flag → value"""
    pairs = (argument.partition("=") for argument in workload.container["args"] if argument.startswith("--"))
    return {name: value for name, _, value in pairs}


def readme() -> str:
    return (FOLDER / "README.md").read_text()


def made_by_hand() -> dict[str, dict[str, str]]:
    """What the README's kubectl commands make: "secret sluice-keyring" → {key: file it is made from}."""
    made: dict[str, dict[str, str]] = {}
    for line in readme().splitlines():
        words = shlex.split(line, comments=True) if line.startswith("kubectl") else []
        if "create" not in words or "job" in words:
            continue
        kind, name = words[words.index("create") + 1 :][:2]
        if kind == "secret":
            name = words[words.index("generic") + 1]
        files = [word.removeprefix("--from-file=") for word in words if word.startswith("--from-file=")]
        made[f"{kind} {name}"] = {file.split("/")[-1]: file for file in files}
    return made


def connection_of_the_readme() -> str:
    """The service file that it has written."""
    [text] = re.findall(r"^cat > pg_service\.conf <<'END'\n(.*?)^END$", readme(), re.DOTALL | re.MULTILINE)
    return text


def sources_of(volume: Document) -> list[str]:
    """As made_by_hand() names them."""
    return [
        f"{kind.lower()} {held['name']}"
        for source in volume.get("projected", {}).get("sources", [])
        for kind, held in source.items()
    ]


@dataclass(frozen=True)
class Stage:
    """A FROM of the Containerfile and what follows it."""

    base: str
    instructions: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [argument for instruction, argument in self.instructions if instruction == name]

    def one(self, name: str) -> str:
        [argument] = self.all(name)
        return argument

    @property
    def packages(self) -> set[str]:
        [command] = [command for command in self.all("RUN") if "apt-get install" in command]
        words = command.split("apt-get install")[1].split("&&")[0].split()
        return {word for word in words if not word.startswith("-")}

    @property
    def entrypoint(self) -> list[str]:
        return json.loads(self.one("ENTRYPOINT"))

    @property
    def variables(self) -> dict[str, str]:
        return dict(assignment.split("=", 1) for line in self.all("ENV") for assignment in shlex.split(line))


def stages() -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", (FOLDER / "Containerfile").read_text(), flags=re.MULTILINE)
    found: list[Stage] = []
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        name, _, argument = line.partition(" ")
        if name == "FROM":
            found.append(Stage(argument, []))
        elif name:
            found[-1].instructions.append((name, argument))
    return found
