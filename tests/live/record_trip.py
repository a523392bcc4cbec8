# SPDX-License-Identifier: GPL-2.0-or-later
"""For tests of vmview record: a process of the zoo that stands still, and whether each command
shows of its recording what it shows live."""
import atexit
import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import lib

# Whose output has nothing but the state of the process and the machine: {PID} is the process's.
ALWAYS = ("map", "map --json", "map --csv", "map -x", "map -X", "map -XX", "map --total",
          "map -b -o +tid,guess",
          "map --from=smaps", "ps", "ps --json")
# With --pages --elf, these too. Of machine-wide ones (system, cache, the groups of cgroup) a
# recording has less.
PAGES = ("pages", "pages --json", "pages --summary", "huge", "huge --json", "swap", "frag",
         "elf", "elf --json",
         "share", "why", "numa", "numa --json", "map --from=pages", "map -o +section")
# Of one that has its libraries in common with others: without what changes as these come and go.
SHARED = ("pages -o -map_count", "huge", "huge --json", "swap", "frag", "elf", "elf --json",
          "numa", "numa --json",
          "map --from=pages", "map -o +section")
PATIENCE = 40       # seconds, in which nothing else may have moved once


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="vmview-record.") as path:
        yield path


@functools.lru_cache(maxsize=None)
def lone_zoo():
    """The zoo with libraries of its own, so that nobody else maps what it maps."""
    place = tempfile.mkdtemp(prefix="vmview-zoo.")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    listed = subprocess.run(["ldd", lib.ZOO], check=True, stdout=subprocess.PIPE, text=True).stdout
    for path in re.findall(r"(?:=> |^\s*)(/\S+) \(", listed, re.MULTILINE):
        shutil.copy(path, place)
    shutil.copy(lib.ZOO, f"{place}/zoo")
    loader = next(name for name in os.listdir(place) if name.startswith("ld"))
    with open(f"{place}/run", "x", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {place}/{loader} --library-path {place} {place}/zoo "$@"\n')
    os.chmod(f"{place}/run", 0o755)
    return f"{place}/run"


@contextlib.contextmanager
def stopped(*animals, of=None):
    """A process of the zoo, which stands still: that of this animal."""
    with lib.zoo(*animals, program=lib.ZOO if of else lone_zoo()) as zoo:
        pid = zoo.truth[of]["pid"] if of else zoo.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            while state(pid) != "T":
                time.sleep(0.01)
            yield pid
        finally:
            os.kill(pid, signal.SIGCONT)


def state(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()[0].decode()


# The kernel sets these when it likes, of pages that nobody touches too (DAMON, reclaim).
RESTLESS = re.compile(r"\b(?:idle_page|referenced),?")


def steady(line):
    return " ".join(RESTLESS.sub("", line).split())


def shown(command, pid, *options):
    """What a command shows, and how it ends; of a document what is of the process."""
    done = lib.vmview(*command.split(), *options, pid, status=None)
    lines = (done.out + done.err).splitlines()
    if "--json" in command.split():
        lines = json.dumps(json.loads(done.out)["processes"], indent=1,
                           sort_keys=True).splitlines()
        lines = [line for line in lines if line.strip(" ,") not in ('"idle_page"', '"referenced"')]
    elif "pages" in command:
        # (of a summary, neither are the rows of flags)
        lines = [steady(line) for line in lines if not re.match("[0-9a-f]{12} ", line)]
    return [f"status {done.status}", *lines]


def compare(command, pid, tree):
    """The recording shows what is shown live before and after it; or the difference."""
    before = shown(command, pid)
    got = shown(command, pid, f"--root={tree}")
    after = shown(command, pid)
    if got in (before, after):
        return None
    if len(before) != len(after) or len(got) != len(before):
        return f"{command}: {len(got)} lines, live {len(before)}:\n" + difference(before, got)
    wrong = [(live, had) for live, had, again in zip(before, got, after)
             if live == again and had != live]
    return f"{command}: live {wrong[0][0]!r}, recorded {wrong[0][1]!r}" if wrong else None


def difference(before, got):
    return "\n".join([f"- {line}" for line in before if line not in got][:8] +
                     [f"+ {line}" for line in got if line not in before][:8])


def round_trip(pid, commands, *options):
    """Others share its pages and come and go: until what moves has not moved meanwhile."""
    until, left = time.monotonic() + PATIENCE, list(commands)
    while True:
        with directory() as place:
            lib.vmview("record", f"{place}/tree", *options, pid)
            wrong = {command: compare(command, pid, f"{place}/tree") for command in left}
        left = [command for command, found in wrong.items() if found]
        if not left:
            return
        if time.monotonic() > until:
            raise lib.Failed("\n".join(wrong[command] for command in left))
