# SPDX-License-Identifier: Apache-2.0
"""A pod of a manifest, as far as its program can tell: the files of its volumes with their modes, its environment, its
arguments, its user. Paths lie below a temporary folder, unless a container engine puts them where they belong."""

import configparser
import functools
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from manifests import (
    REPOSITORY, Document, Workload, connection_of_the_readme, made_by_hand, settings, sources_of, stages,
)

sys.path.insert(0, str(REPOSITORY / "tests/airflow"))
from world import World, outside

USER = 65532
MEMORY = Path("/dev/shm")  # a file system in memory, as Kubernetes uses for secrets


def connection(world: World, more: dict[str, str]) -> str:
    """The README's service file, on the test's database."""
    service = configparser.ConfigParser(interpolation=None)
    service.read_string(connection_of_the_readme())
    here = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    for section in service.sections():
        service[section].update({key: world.variables[name] for key, name in here.items()})
        service[section].update({"sslmode": "disable"} | more)
    text = io.StringIO()
    service.write(text, space_around_delimiters=False)
    return text.getvalue()


class Volumes:
    """`config` and `state`, with the modes and the owners that kubelet gives them."""

    def __init__(self, workload: Workload, world: World, **connection_settings: str) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="sluice-pod-", dir=MEMORY)
        self.folder = Path(self._temporary.name)
        self.folder.chmod(0o755)
        self._by_hand = {
            "keyring.json": Path(world.variables["SLUICE_KEYRING"]).read_text(),
            "pg_service.conf": connection(world, connection_settings),
        }
        self.mounts = {mount["name"]: mount["mountPath"] for mount in workload.container["volumeMounts"]}
        group = workload.pod["securityContext"]["fsGroup"]
        for volume in workload.pod["volumes"]:
            folder = self.path(volume["name"])
            folder.mkdir(parents=True)
            if "projected" in volume:
                # Read-only for its group beside what defaultMode gives its owner, behind links that change at once.
                mode = volume["projected"]["defaultMode"] | 0o440
                (folder / "..2026").mkdir()
                (folder / "..data").symlink_to("..2026")
                for name, content in self._files(volume).items():
                    file = folder / "..2026" / name
                    file.write_text(content)
                    own(file, mode, group)
                    (folder / name).symlink_to(f"..data/{name}")
                own(folder / "..2026", 0o2750, group)
            own(folder, 0o2777, group)

    def path(self, volume: str) -> Path:
        return self.below(self.mounts[volume])

    def below(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def _files(self, volume: Document) -> dict[str, str]:
        keys = {key: file for source in sources_of(volume) for key, file in made_by_hand()[source].items()}
        return {key: self._by_hand.get(file) or (REPOSITORY / file).read_text() for key, file in keys.items()}

    def remove(self) -> None:
        self._temporary.cleanup()


def own(path: Path, mode: int, group: int) -> None:
    if os.geteuid() == 0:
        os.chown(path, 0, group)
    path.chmod(mode)


def environment(workload: Workload, world: World, job_name: str, index: int | None) -> dict[str, str]:
    """What the manifest gives, and what the cluster adds: a Job's index, and a role's credentials."""
    variables = stages()[-1].variables | settings(workload, job_name)
    if index is not None:
        variables["JOB_COMPLETION_INDEX"] = str(index)
    by_the_role = {name: value for name, value in world.variables.items() if name.startswith("AWS_")}
    return by_the_role | variables


@functools.cache
def program() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A copy where everybody can reach it, and the folder that goes with us."""
    folder = tempfile.TemporaryDirectory(prefix="sluice-program-")
    Path(folder.name).chmod(0o755)
    return folder, Path(shutil.copy2(os.environ["SLUICE_BINARY"], folder.name))


class Pod:
    """Its program, running. Not as root, where we are root."""

    def __init__(
        self, workload: Workload, world: World, job_name: str = "", index: int | None = None, **connection_settings: str
    ) -> None:
        self.volumes = Volumes(workload, world, **connection_settings)
        command = [program()[1], *stages()[-1].entrypoint[1:], *workload.container["args"]]
        variables = {
            name: str(self.volumes.below(value)) if value.startswith("/") and value != os.devnull else value
            for name, value in environment(workload, world, job_name, index).items()
        }
        user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        self._process = subprocess.Popen(
            command, env=outside() | variables, cwd=self.volumes.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **user,
        )

    def end(self) -> tuple[int, str]:
        """Exit status, and what it said."""
        said, _ = self._process.communicate(timeout=60)
        return self._process.returncode, said

    def remove(self) -> None:
        self._process.kill()
        self._process.communicate()
        self.volumes.remove()
