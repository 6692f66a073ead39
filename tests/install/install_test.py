#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts where, for a packager (DESTDIR) and for somebody who has only a home.

install_test.py BUILD        the folder of a build
"""

import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path()  # set from the command line
UNITS = {".service", ".timer"}
COMPLETIONS = (
    "bash-completion/completions/sluice",
    "zsh/site-functions/_sluice",
    "fish/vendor_completions.d/sluice.fish",
)


def install(prefix: Path, destdir: str | Path = "") -> None:
    # `build` counts as done: it is what ctest has just used.
    wishes = (f"BUILD={BUILD}", f"PREFIX={prefix}", f"DESTDIR={destdir}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    # As on a host where root's files are root's alone.
    command = ("make", "-C", SOURCE, "-o", "build", "install", *wishes)
    done = subprocess.run(command, env=environment, umask=0o077, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)


def files_below(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}


def expected_files() -> set[Path]:
    expected = {Path("bin/sluice"), *(Path("share", file) for file in COMPLETIONS)}
    expected |= {Path("share/sluice/README.md"), Path("share/doc/sluice/LICENSE"), Path("share/doc/sluice/CHANGELOG.md")}
    for folder in ("airflow_dag", "cron", "grafana", "pipelines", "prometheus"):
        for file in files_below(SOURCE / folder):
            if file.suffix in UNITS:
                expected.add(Path("lib/systemd/system", file.name))
            elif "__pycache__" not in file.parts and not file.name.startswith("Containerfile"):
                expected.add(Path("share/sluice", folder, file))
    return expected


class InstallTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_program_the_examples_and_the_documents_are_there_and_nothing_else(self) -> None:
        install(Path("/usr/local"), self.folder)
        self.assertEqual(files_below(self.folder / "usr/local"), expected_files())
        self.assertEqual(list(self.folder.iterdir()), [self.folder / "usr"])

    def test_everybody_can_read_it_and_only_its_owner_can_write_it(self) -> None:
        install(Path("/usr/local"), self.folder)
        for path in (self.folder / "usr").rglob("*"):
            executable = path.is_dir() or path.name == "sluice" and path.parent.name == "bin"
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o755 if executable else 0o644, path)

    def test_nothing_in_it_names_a_path_of_this_machine(self) -> None:
        install(Path("/usr/local"), self.folder)
        for path in (path for path in self.folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            for own in (SOURCE, BUILD, self.folder):
                self.assertNotIn(bytes(own), content, path)

    def test_below_any_folder_it_runs_and_finds_its_pipeline(self) -> None:
        install(self.folder)
        sluice = self.folder / "bin/sluice"
        example = self.folder / "share/sluice/pipelines/user_logins"
        keyring = self.folder / "keyring.json"

        def run(*command: str | Path) -> str:
            done = subprocess.run((sluice, *command), env={}, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        self.assertRegex(run("--version"), r"^sluice \d+\.\d+\.\d+\n$")
        run("keygen", "--keyring", keyring)
        inputs = ("--pipeline", example / "pipeline.json", "--input", example / "sample.jsonl")
        self.assertIn('"masked_ip"', run("preview", "--keyring", keyring, *inputs))

    def test_a_second_time_changes_nothing(self) -> None:
        install(self.folder)
        first = {file: (self.folder / file).read_bytes() for file in files_below(self.folder)}
        install(self.folder)
        self.assertEqual({file: (self.folder / file).read_bytes() for file in files_below(self.folder)}, first)

    def test_bash_completes_the_commands(self) -> None:
        install(self.folder)
        script = 'source "$1"; COMP_WORDS=(sluice ke); COMP_CWORD=1; _sluice; echo "${COMPREPLY[@]}"'
        command = ("bash", "-c", script, "bash", self.folder / "share" / COMPLETIONS[0])
        self.assertEqual(subprocess.run(command, capture_output=True, text=True).stdout, "keygen\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
