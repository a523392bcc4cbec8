#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview record: what is recorded of a process that stands still shows what it shows live, byte
for byte, by every command; nothing is written over, and what is not finished is not read."""
import json
import os
import signal
import subprocess
import sys
import time

import lib
from record_trip import ALWAYS, PAGES, PATIENCE, SHARED, directory, round_trip, state, stopped


@lib.test
def an_ordinary_process():
    with stopped("touched", "file-clean", "file-cow", "memfd", "tmpfs-file") as pid:
        round_trip(pid, ALWAYS)


@lib.test
def threads():
    with stopped("threads", of="threads") as pid:
        round_trip(pid, ALWAYS)


@lib.test
def hostile_names():
    with stopped("names") as pid:
        round_trip(pid, ALWAYS)


@lib.test
def pages_of_an_ordinary_process():
    with stopped("touched", "zero", "zero-mixed", "guard", "thp", "thp-partial", "thp-pte",
                 "file-clean", "file-cow", "memfd", "tmpfs-file", "reserved-touched") as pid:
        round_trip(pid, ALWAYS + PAGES, "--pages", "--elf")


@lib.test
def pages_of_threads():
    with stopped("threads", of="threads") as pid:
        round_trip(pid, SHARED, "--pages", "--elf")


MANY = """
import mmap, os, signal
kept = [mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE,
                  prot=mmap.PROT_READ | number % 2 * mmap.PROT_WRITE)
        for number in range(60000)]
for number in range(1, 60000, 7 * 2):
    kept[number][0] = 1
os.kill(os.getpid(), signal.SIGSTOP)
"""


@lib.test
def sixty_thousand_mappings():
    with subprocess.Popen([sys.executable, "-c", MANY]) as process:
        try:
            while state(process.pid) != "T":
                time.sleep(0.05)
            with open(f"/proc/{process.pid}/maps", encoding="utf-8") as file:
                lib.true(len(file.readlines()) > 60000, "60,000 mappings")
            round_trip(process.pid, ("map -o -pss", "map -x", "huge", "numa"), "--pages")
        finally:
            process.kill()


@lib.test
def a_container():
    with stopped("pid-ns", of="pid-ns") as pid:
        round_trip(pid, ALWAYS + SHARED, "--pages", "--elf")


@lib.test
def an_address():
    """Everything about one page, but for the frames around it, which are not the process's."""
    with stopped("touched", "file-cow") as pid, directory() as place:
        lib.vmview("record", "--pages", "--elf", f"{place}/tree", pid)
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            heap = next(line for line in file if "[heap]" in line).split("-")[0]
        live, got = (lib.vmview_json("at", *root, pid, heap)
                     for root in ((), (f"--root={place}/tree",)))
        for key in ("mapping", "page", "frame"):
            for fact, value in live[key].items():
                if not fact.startswith("free_") and fact != "missing" and "block" not in fact:
                    lib.equal(f"{key} {fact}", got[key][fact], value)
        who = lib.vmview_json("who", f"--root={place}/tree", f"{pid}:0x{heap}")
        lib.equal("owners", [owner["pid"] for owner in who["frames"][0]["owners"]], [pid])


@lib.test
def frames_of_some_processes_are_not_the_machine():
    with stopped("touched") as pid, directory() as place:
        lib.vmview("record", "--pages", f"{place}/tree", pid)
        done = lib.vmview("system", f"--root={place}/tree", status=None)
        lib.true("only the frames of some processes" in done.out + done.err, done.out)


@lib.test
def the_manifest():
    with stopped("touched") as pid, directory() as place:
        begun = time.clock_gettime(time.CLOCK_MONOTONIC)
        lib.vmview("record", f"{place}/tree", pid)
        ended = time.clock_gettime(time.CLOCK_MONOTONIC)
        with open(f"{place}/tree/manifest.json", encoding="utf-8") as file:
            manifest = json.load(file)
        lib.equal("recording", manifest["recording"], 1)
        lib.equal("processes", [(one["pid"], one["complete"]) for one in manifest["processes"]],
                  [(pid, True)])
        lib.equal("kernel", manifest["host"]["kernel"], os.uname().release)
        lib.true(begun <= manifest["monotonic"] + 1e-6 <= ended + 1e-6,
                 "the time is when it was recorded")
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            lib.equal("start time", manifest["processes"][0]["start_time"],
                      int(file.read().rsplit(")", 1)[1].split()[19]))
        lib.equal("mode", os.stat(f"{place}/tree").st_mode & 0o777, 0o700)


@lib.test
def nothing_is_written_over():
    with stopped("touched") as pid, directory() as place:
        for name, make in (("file", lambda path: open(path, "x", encoding="utf-8").close()),
                           ("directory", os.mkdir), ("link", lambda path: os.symlink("/", path))):
            make(f"{place}/{name}")
            done = lib.vmview("record", f"{place}/{name}", pid, status=1)
            lib.true("is there already" in done.err, f"{name}: {done.err}")
        lib.equal("left", sorted(os.listdir(place)), ["directory", "file", "link"])
        lib.vmview("record", f"{place}/none", 1 << 22, status=1)
        lib.equal("left of no process", sorted(os.listdir(place)), ["directory", "file", "link"])


@lib.test
def a_full_disk_leaves_nothing():
    lib.need_mounts()
    script = ('mount -t tmpfs -o size=64k none "$1" && cd "$1" || exit 77\n'
              '"$2" record tree "$3"; echo "status $?"; ls -A "$1"')
    with stopped("touched") as pid, directory() as place:
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", place, lib.VMVIEW,
                               str(pid)], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        lib.equal("status, and what is left", done.stdout, "status 1\n")
        lib.true("No space left on device" in done.stderr, done.stderr)


@lib.test
def what_was_killed_is_not_read():
    with stopped("touched") as pid, directory() as place:
        lib.vmview("record", f"{place}/tree", pid)
        with open(f"{place}/tree/vmview/unfinished", "x", encoding="utf-8"):
            pass
        done = lib.vmview("map", f"--root={place}/tree", pid, status=2)
        lib.true("not finished" in done.err, done.err)


def recordings(path):
    """A series, as it is on disk: all of them whole."""
    names = sorted(os.listdir(path), key=int)
    for name in names:
        with open(f"{path}/{name}/manifest.json", encoding="utf-8") as file:
            lib.equal("recording", json.load(file)["recording"], 1)
    return names


@lib.test
def a_series_keeps_the_last():
    with stopped("touched") as pid, directory() as place:
        document = lib.vmview_json("record", f"{place}/all", "--interval=0.01", "--count=3", pid)
        lib.equal("recordings", recordings(f"{place}/all"), ["1", "2", "3"])
        lib.equal("told", [os.path.basename(one["path"]) for one in document["recordings"]],
                  ["1", "2", "3"])
        lib.vmview("record", f"{place}/kept", "--interval=0.01", "--count=5", "--keep=2", pid)
        lib.equal("kept", recordings(f"{place}/kept"), ["4", "5"])
        lib.vmview("record", f"{place}/kept", "--interval=0.01", "--count=1", pid, status=1)
        lib.vmview("record", f"{place}/usage", "--count=1", pid, status=2)
        lib.equal("left", sorted(os.listdir(place)), ["all", "kept"])


@lib.test
def until_something_is_true():
    with stopped("touched") as pid, directory() as place:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            count = len(file.readlines())
        lib.vmview("record", f"{place}/true", "--interval=0.01", "--until",
                   f"mappings == {count} && rss > 4K && pss > 1 && threads == 1", pid, status=3)
        lib.equal("recordings", recordings(f"{place}/true"), ["1"])
        lib.vmview("record", f"{place}/false", "--interval=0.01", "--count=3", "--until",
                   f"mappings != {count} || rss > 100G", pid)
        lib.equal("recordings", recordings(f"{place}/false"), ["1", "2", "3"])
        lib.vmview("record", f"{place}/wrong", "--interval=1", "--until", "nothing > 1", pid,
                   status=2)
        lib.true(not os.path.exists(f"{place}/wrong"), "wrong usage leaves nothing")


@lib.test
def until_of_live():
    with stopped("touched") as pid:
        done = lib.vmview("live", "--batch=3", "--interval=0.1", "--json", "--until", "rss > 1G",
                          pid)
        lib.equal("refreshes", len(done.out.splitlines()), 3)
        done = lib.vmview("live", "--batch=3", "--interval=0.1", "--json", "--until", "rss < 1G",
                          pid, status=3)
        lib.equal("refreshes", len(done.out.splitlines()), 1)
        lib.vmview("live", "--batch=1", "--until", "pss > 1", pid, status=2)
        lib.vmview("live", "--batch=1", "--until", "rss > 1", status=2)


@lib.test
def a_signal_ends_a_series():
    with stopped("touched") as pid, directory() as place:
        for number in (signal.SIGINT, signal.SIGTERM):
            path = f"{place}/{number}"
            with subprocess.Popen([lib.VMVIEW, "record", path, "--interval=0.05", str(pid)],
                                  stdout=subprocess.DEVNULL) as process:
                until = time.monotonic() + PATIENCE
                while not os.path.exists(f"{path}/2") and time.monotonic() < until:
                    time.sleep(0.01)
                process.send_signal(number)
                lib.equal("status", process.wait(PATIENCE), 0)
            lib.true(len(recordings(path)) >= 2, "all that was recorded is whole")


if __name__ == "__main__":
    lib.done()
