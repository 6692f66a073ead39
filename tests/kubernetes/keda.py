# SPDX-License-Identifier: Apache-2.0
"""What KEDA takes: by keda.schema.json, which is always there, and by its own definitions, for which `go` is needed."""

import functools
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from manifests import Document, parsed, readme

API = "keda.sh/v1alpha1"
LONGEST_DOWNLOAD_S = 60


class Unavailable(Exception):
    pass


def definitions_as_we_read_them() -> dict[str, Document]:
    schema = json.loads(Path(__file__).with_name("keda.schema.json").read_text())
    return {"ScaledJob": schema, "TriggerAuthentication": schema}


def own_definitions(cache: Path) -> dict[str, Document]:
    """kind → schema, of the version that our README names, which is kept in `cache`"""
    [minor] = re.findall(r"KEDA (\d+\.\d+)", readme())
    return _read_from(_folder_of(f"v{minor}.0", cache))


def _folder_of(version: str, cache: Path) -> Path:
    environment = os.environ | {"GOMODCACHE": str(cache / "keda"), "GOFLAGS": "-modcacherw"}
    command = ["go", "mod", "download", "-json", f"github.com/kedacore/keda/v2@{version}"]
    try:
        done = subprocess.run(
            command, env=environment, cwd=tempfile.gettempdir(), capture_output=True, timeout=LONGEST_DOWNLOAD_S
        )
        return Path(json.loads(done.stdout)["Dir"])
    except FileNotFoundError as error:
        raise Unavailable("no go here") from error
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise Unavailable(f"go could not get KEDA {version}") from error


@functools.cache
def _read_from(folder: Path) -> dict[str, Document]:
    found = {}
    for plural in ("scaledjobs", "triggerauthentications"):
        [definition] = parsed(Path(folder, f"config/crd/bases/keda.sh_{plural}.yaml").read_text())
        spec = definition["spec"]
        [version] = spec["versions"]
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}  # Kubernetes's own, which a definition leaves out
        found[spec["names"]["kind"]] = schema
    return found


def _strict(schema: Document) -> Document:
    """It refuses what it does not name. Kubernetes would drop that, with a warning at most."""
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    for part in schema.values():
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, dict):
                _strict(each)
    return schema
