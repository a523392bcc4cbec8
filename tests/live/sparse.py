#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded trees with sparse files of 4 TiB: each command ends in time, and says what it did not
read (the limits of one file: 256 MiB of text, 5 s)."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

import lib

SECONDS = 15        # a file of 256 MiB each, for a command that reads several
LENGTH = 4 << 40
PID = 4711
COMMANDS = [words.split() for words in (
    "map 4711", "map --total 4711", "map --check 4711", "map -x 4711", "map -X 4711", "pages 4711",
    "at 4711 0x400000", "who 4711:400000", "share 4711", "huge 4711", "numa 4711", "swap 4711",
    "elf 4711", "elf --stale 4711", "frag 4711", "ps", "live --batch 1 4711")]
FILES = ["maps", "smaps", "smaps_rollup", "stat", "status", "statm", "cmdline", "cgroup",
         "numa_maps", "pagemap", "auxv"]
OF_MACHINE = [["system"], ["system", "--by=process"], ["system", "--by=file"], ["frag"],
              ["swap"], ["cache"], ["who", "pfn:1"]]
MACHINE = ["meminfo", "zoneinfo", "buddyinfo", "vmstat", "swaps", "iomem", "kpageflags",
           "kpagecount", "kpagecgroup", "pagetypeinfo", "self/mountinfo", "sys/kernel/osrelease"]


@contextlib.contextmanager
def tree(name):
    """A copy of a recorded one in which this file is endless."""
    with tempfile.TemporaryDirectory(prefix="vmview-sparse.") as directory:
        copy = os.path.join(directory, "tree")
        shutil.copytree(os.path.join(lib.SRC, "tests/trees/ordinary"), copy, symlinks=True)
        path = os.path.join(copy, "proc", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file:
            try:
                os.truncate(file.fileno(), LENGTH)
            except OSError as err:
                raise lib.Skipped(f"no file of 4 TiB: {err.strerror}") from err
        yield copy


def in_time(root, words):
    begin = time.monotonic()
    argv = [lib.VMVIEW, *words[:1], "--root", root, *words[1:]]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired as err:
        raise lib.Failed(f"{words}: no end in {SECONDS} s") from err
    lib.true(done.returncode in (0, 1, 42), f"{words}: status {done.returncode}: "
             f"{done.stderr[-300:]}")
    return done, time.monotonic() - begin


def check(name, commands):
    found = []
    with tree(name) as root:
        for words in commands:
            try:
                _, took = in_time(root, words)
                if len(sys.argv) > 1:
                    print(f"# {name}: {' '.join(words)}: {took:.1f} s")
            except lib.Failed as err:
                found.append(str(err))
    if found:
        raise lib.Failed("\n".join(found))


@lib.test
def files_of_a_process():
    for name in FILES:
        check(f"{PID}/{name}", COMMANDS)


@lib.test
def files_of_the_machine():
    for name in MACHINE:
        check(name, OF_MACHINE)


@lib.test
def what_was_read_is_there():
    """The mappings that come before the hole are, and that it is cut is told."""
    with tree(f"{PID}/smaps") as root:
        whole = lib.vmview_json("--root", os.path.join(lib.SRC, "tests/trees/ordinary"), PID)
        done, _ = in_time(root, ["map", str(PID), "--json"])
        document = lib.json.loads(done.stdout)
        lib.equal("status", done.returncode, 1)
        process = document["processes"][0]
        lib.equal("mappings", [row["start"] for row in process["mappings"]],
                  [row["start"] for row in whole["processes"][0]["mappings"]])
        lib.equal("complete", process["complete"], False)
        lib.equal("why", process["missing"]["mappings"], "failed: too long")
        lib.true(b"smaps is too long" in done.stderr, done.stderr)


lib.done()
