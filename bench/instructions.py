#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a message of the micro benchmarks, counted by valgrind's callgrind, against those kept beside this file.

    instructions.py BUILD [--write]

Prints each that is more than 5 % from what instructions.txt says; --write accepts the new counts. BUILD holds
bench/bench_micro. What the kernel does is not counted. Counts hold for one compiler with its flags, named in the file,
and for the processor that valgrind plays: it has vector instructions where the machine has them, and never those for
SHA, so digests count several times what they cost.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEPT = Path(__file__).with_name("instructions.txt")
TELL_FROM = 0.05
COUNTED = "sluice::count_instructions_of*"  # in micro.cc


def text_of(*command: str | Path) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def count(program: Path, name: str) -> int:
    with tempfile.NamedTemporaryFile(prefix="sluice-callgrind-") as out:
        callgrind = ("valgrind", "--tool=callgrind", f"--toggle-collect={COUNTED}", f"--callgrind-out-file={out.name}")
        messages = int(text_of(*callgrind, program, "--count", name))
        total = re.search(r"^totals: (\d+)", Path(out.name).read_text(), re.MULTILINE)
    if total is None:
        raise RuntimeError(f"{name}: callgrind has counted nothing")
    return round(int(total[1]) / messages)


def count_all(program: Path) -> dict[str, int]:
    names = text_of(program, "--names").splitlines()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(names, pool.map(lambda name: count(program, name), names)))


def circumstances(build: Path) -> list[str]:
    """What counts depend on: the compiler and its flags, as CMake knows them, and who counts."""
    cache = dict(re.findall(r"^(\w+):\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE))
    flags = f"{cache['CMAKE_CXX_FLAGS']} {cache['CMAKE_CXX_FLAGS_' + cache['CMAKE_BUILD_TYPE'].upper()]}"
    compiler = text_of(cache["CMAKE_CXX_COMPILER"], "--version").splitlines()[0]
    return [f"{compiler}: {flags.strip()}", f"{text_of('valgrind', '--version').strip()}, {os.uname().machine}"]


def kept() -> dict[str, int]:
    lines = KEPT.read_text().splitlines() if KEPT.exists() else []
    counts = (line.split(maxsplit=1) for line in lines if not line.startswith("#"))
    return {name: int(number) for number, name in counts}


def write(counts: dict[str, int], build: Path) -> None:
    head = ("Instructions a message, in user space; see instructions.py", *circumstances(build))
    lines = [f"# {line}" for line in head] + [f"{number:8} {name}" for name, number in counts.items()]
    KEPT.write_text("\n".join(lines) + "\n")


def compare(counts: dict[str, int], before: dict[str, int]) -> None:
    changed = 0
    for name in {**before, **counts}:
        old, new = before.get(name), counts.get(name)
        if old is None or new is None:
            print(f"  {'new' if old is None else 'gone':>8}  {new or old:8}  {name}")
        elif abs(new - old) > TELL_FROM * old:
            print(f"  {new / old - 1:+8.1%}  {new:8}  {name}")
        else:
            continue
        changed += 1
    print(f"instructions a message: {changed} of {len(counts)} not within {TELL_FROM:.0%} of {KEPT.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Instructions a message of the micro benchmarks.")
    parser.add_argument("build", type=Path, help="folder of the programs")
    parser.add_argument("--write", action="store_true", help="accept the new counts")
    wishes = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("instructions a message: not counted, valgrind is missing (apt-get install valgrind)")
        sys.exit(1 if wishes.write else 0)
    counts = count_all(wishes.build / "bench/bench_micro")
    for what in circumstances(wishes.build):
        if KEPT.exists() and f"# {what}\n" not in KEPT.read_text():
            print(f"  not comparable, counted otherwise: {what}")
    compare(counts, kept())
    if wishes.write:
        write(counts, wishes.build)


if __name__ == "__main__":
    main()
