# SPDX-License-Identifier: Apache-2.0
"""What a test starts goes when the test goes, however that ends.

Airflow leaves children behind when it is told to end, and its tasks lead sessions of their own, so neither a process
group nor a parent's pid finds them all. Here the test runs under a keeper, to which the kernel hands every orphan below
it (PR_SET_CHILD_SUBREAPER), and which kills all that is below it when the test ends, when it is told to end itself, or
when its own parent ends. There are two of them, one below the other, so that each sees the other being killed.
"""

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def keep(work: Callable[[Path], int]) -> int:
    """What `work` returns, given the folder of its temporary files, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sluice-kept-"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return guard(lambda: guard(lambda: work(folder), folder), folder)


def guard(work: Callable[[], int], folder: Path) -> int:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    own = os.getpid()
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        status = 1
        try:
            die_with(own)
            status = work()
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status if status >= 0 else 128 - status
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        end_all_below(own)
        shutil.rmtree(folder, ignore_errors=True)


def prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(f"prctl {option} failed")


def die_with(parent: int) -> None:
    """Called by a child: SIGTERM, for which a keeper kills what is below it, and which ends everything else."""
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def below(pid: int) -> list[int]:
    """Children, their children, and so on."""
    children = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            child, _, rest = stat.read_text(errors="replace").partition(" ")
        except OSError:  # it has just ended
            continue
        children[int(rest.rpartition(")")[2].split()[1])].append(int(child))
    found = children[pid]
    for each in found:  # grows as it goes
        found.extend(children[each])
    return found


def end_all_below(pid: int) -> None:
    """Kills each of them, and what they started meanwhile, until the kernel says that there is none."""
    while has_children():
        for each in below(pid):
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def has_children() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False
