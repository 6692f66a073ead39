#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What can be told of the container image without building it; `make image-test` builds and runs it."""

import functools
import os
import platform
import re
import subprocess
import unittest
from pathlib import Path

import manifests
from broken import assert_noticed
from manifests import REPOSITORY, stages

PROGRAM = os.environ["SLUICE_BINARY"]
IN_EVERY_BASE = {"libc6", "libgcc-s1"}
WITHOUT_A_LIBRARY = {"ca-certificates"}
ONLY_OF_INSTRUMENTED_BUILDS = re.compile(r"lib(asan|ubsan|tsan)\d+")
ONLY_OF_TESTS = re.compile(r"libbenchmark-dev|libclang-rt-.*")


def said_by(*words: str) -> str:
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def codename(base: str) -> str:
    return re.match(r"debian:([a-z]+)", base).group(1)


@functools.cache
def packages_of_libraries() -> set[str]:
    """Those of the libraries that the program itself names; what these need, their packages bring."""
    needed = re.findall(r"^ +NEEDED +(\S+)", said_by("objdump", "-p", PROGRAM), re.MULTILINE)
    places = dict(re.findall(r"^\s*(\S+) => (\S+)", said_by("ldd", PROGRAM), re.MULTILINE))
    # A library may be installed below /lib and found below /usr/lib.
    patterns = ["*/" + "/".join(Path(places[name]).parts[-2:]) for name in needed]
    owners = re.findall(r"^([^\s:]+)(?::\w+)?: ", said_by("dpkg-query", "-S", *patterns), re.MULTILINE)
    return {name for name in owners if not ONLY_OF_INSTRUMENTED_BUILDS.fullmatch(name)}


class ContainerfileTest(unittest.TestCase):
    def test_it_installs_the_libraries_that_the_program_is_linked_with_and_nothing_else(self) -> None:
        built_on, built_for = platform.freedesktop_os_release().get("VERSION_CODENAME"), codename(stages()[-1].base)
        if built_on != built_for:
            self.skipTest(f"the program was built on {built_on}, where packages have other names than in {built_for}")
        self.assertEqual(stages()[-1].packages - WITHOUT_A_LIBRARY, packages_of_libraries() - IN_EVERY_BASE)

    def test_it_builds_with_the_headers_that_setup_installs(self) -> None:
        setup = (REPOSITORY / "tests/support/setup.sh").read_text()
        [listed] = re.findall(r"^packages=\((.*?)\)", setup, re.DOTALL | re.MULTILINE)
        names = {word.strip('"').replace("${boost}", "1.81") for word in listed.split()}
        headers = {name for name in names if name.endswith("-dev") and not ONLY_OF_TESTS.fullmatch(name)}
        self.assertGreater(len(headers), 5)
        self.assertEqual({name for name in stages()[0].packages if name.endswith("-dev")}, headers)

    def test_it_runs_on_what_it_was_built_on(self) -> None:
        self.assertEqual(len({codename(stage.base) for stage in stages()}), 1)

    def test_what_runs_is_the_program_itself_and_nobody_in_particular(self) -> None:
        last = stages()[-1]
        self.assertEqual(last.entrypoint, ["/usr/local/bin/sluice"])
        self.assertRegex(last.one("USER"), r"^[1-9]\d*:[1-9]\d*$")
        self.assertEqual(last.one("STOPSIGNAL"), "SIGTERM")
        allowed = {"RUN", "COPY", "ENV", "USER", "STOPSIGNAL", "ENTRYPOINT"}
        self.assertLessEqual({name for name, _ in last.instructions}, allowed)
        self.assertIn("sluice --version", " ".join(last.all("RUN")))

    def test_it_holds_no_secret(self) -> None:
        for stage in stages():
            self.assertEqual(stage.all("ARG") + stage.all("ADD"), [])
            self.assertLessEqual(set(stage.variables), {"XDG_STATE_HOME"})

    def test_it_copies_what_is_there(self) -> None:
        first, last = stages()
        self.assertTrue(first.base.endswith(" AS build"))
        self.assertEqual(first.all("COPY"), [". ."])
        self.assertIn("cmake --build --preset release --target sluice", " ".join(first.all("RUN")))
        source = "--from=build " + first.one("WORKDIR")
        self.assertEqual(
            last.all("COPY"),
            [f"{source}/LICENSE /usr/local/share/doc/sluice/", f"{source}/build/release/sluice /usr/local/bin/"],
        )
        self.assertTrue((REPOSITORY / "LICENSE").exists())

    def test_what_was_built_here_is_not_sent(self) -> None:
        ignored = (manifests.FOLDER / "Containerfile.dockerignore").read_text().split()
        self.assertEqual(sorted(ignored), [".git", "build"])


class Broken(unittest.TestCase):
    CASES = [
        (" libpq5", "", "it_installs"),
        (" libpq5", " libpq5 libxml2", "it_installs"),
        (" libpq-dev", "", "it_builds_with"),
        ("FROM debian:bookworm-slim", "FROM debian:trixie-slim", "it_runs_on"),
        ('["/usr/local/bin/sluice"]', '["/usr/bin/sluice"]', "what_runs_is"),
        ("USER 65532:65532", "USER nobody", "what_runs_is"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGTERM\nHEALTHCHECK NONE", "what_runs_is"),
        ("ENV XDG_STATE_HOME=/var/lib", "ENV XDG_STATE_HOME=/var/lib PGPASSWORD=x", "it_holds_no_secret"),
        ("WORKDIR /source", "WORKDIR /sources", "it_copies"),
    ]

    def test_each_of_these_is_noticed(self) -> None:
        for text, replacement, beginning in self.CASES:
            assert_noticed(self, ContainerfileTest, beginning, "Containerfile", text, replacement)


if __name__ == "__main__":
    unittest.main()
