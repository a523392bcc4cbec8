#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview wss against a process that knows its working set."""
import os
import re
import shutil
import signal
import subprocess
import time

import lib

MIB = 1 << 20


def wss(*args, **options):
    doc = lib.vmview_json("wss", *args, **options)
    for key in ("rss", "touched"):
        lib.equal(f"sum of {key}", sum(m[key] for m in doc["mappings"]), doc[key])
        lib.equal(f"kinds' {key}", sum(k[key] for k in doc["kinds"]), doc[key])
    return doc


def near(what, got, want, share):
    lib.true(abs(got - want) <= share * want, f"{what} is {got}, not about {want}")


def den(doc, truth):
    start = int(truth["mappings"][0]["start"], 16)
    return next(m for m in doc["mappings"] if int(m["start"], 16) == start)


@lib.test
def a_known_working_set():
    lib.need_root()
    with lib.zoo("working") as zoo:
        truth = zoo.truth["working"]
        doc = wss(truth["pid"], "--clear-refs", "--interval=1")
        got = den(doc, truth)
        lib.equal("method", doc["method"], "clear-refs")
        lib.equal("rss", got["rss"], 256 * MIB)
        near("touched of the den", got["touched"], truth["touched"], 0.01)
        near("touched of its own", doc["touched_own"], truth["touched"], 0.01)
        near("seconds", doc["seconds"], 1, 0.5)
        lib.true(doc["held_ns"] > 0, "the time that the marks took")
        if doc["written"] is None:
            lib.true("soft-dirty" in doc["missing"]["written"], "why written is not known")
        else:
            near("written of the den", got["written"], truth["written"], 0.01)


@lib.test
def how_long_it_waited():
    """To clear the bits, and at a time at most, which is no less."""
    lib.need_root()
    with lib.zoo("working") as zoo:
        done = lib.vmview("wss", zoo.truth["working"]["pid"], "--clear-refs", "--interval=0.1")
        told = re.search(r"locked for ([0-9.]+) ms to clear .*, for ([0-9.]+) ms at a time at most",
                         " ".join(done.out.split()))
        lib.true(told and 0 < float(told[1]) <= float(told[2]), done.out[-300:])


@lib.test
def a_curve():
    """It never falls, and soon holds all that is used."""
    lib.need_root()
    with lib.zoo("working") as zoo:
        truth = zoo.truth["working"]
        doc = wss(truth["pid"], "--clear-refs", "--interval=0.4", "--count=4")
        samples = doc["samples"]
        lib.equal("samples", len(samples), 4)
        own = [sample["touched_own"] for sample in samples]
        lib.equal("growing", own, sorted(own))
        near("in the end", own[-1], truth["touched"], 0.01)
        for i, sample in enumerate(samples):
            lib.true(sample["seconds"] >= 0.4 * (i + 1), f"sample {i} after {sample['seconds']} s")


@lib.test
def without_clearing():
    """What was ever touched is all of it, and nothing is changed."""
    lib.need_root()
    with lib.zoo("working") as zoo:
        truth = zoo.truth["working"]
        doc = wss(truth["pid"])
        lib.equal("method", doc["method"], "referenced since start")
        lib.equal("seconds", (doc["seconds"], doc["held_ns"]), (None, None))
        lib.equal("touched", den(doc, truth)["touched"], 256 * MIB)
        done = lib.vmview("wss", truth["pid"])
        lib.true("not a working set" in done.out, done.out)


@lib.test
def of_another_user():
    """clear_refs belongs to the process's user: root may write it all the same, and only then."""
    lib.need_root()
    sleeper = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                "sleep", "60"])
    try:
        time.sleep(0.2)
        doc = wss(sleeper.pid, "--clear-refs", "--interval=0.1")
        lib.equal("method", doc["method"], "clear-refs")
        lib.true(doc["touched_own"] < doc["rss"], "a sleeping process touches little")
        done = lib.vmview("wss", sleeper.pid, "--clear-refs", "--interval=0.1", user=1,
                          status=1)
        lib.true("denied" in done.err, done.err)
    finally:
        sleeper.kill()
        sleeper.wait()


def capabilities(pid, which):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(which))
    return int(line.split()[1], 16)


@lib.test
def capabilities_that_it_keeps():
    """CAP_DAC_OVERRIDE (1) is never in effect while it waits, and gone where nothing is cleared."""
    lib.need_root()
    with lib.zoo("working") as zoo:
        pid = zoo.truth["working"]["pid"]
        run = subprocess.Popen([lib.VMVIEW, "wss", "--clear-refs", "--interval=20", str(pid)],
                               stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            lib.equal("in effect", capabilities(run.pid, "CapEff") >> 1 & 1, 0)
            for thread in os.listdir(f"/proc/{run.pid}/task"):
                lib.equal("in effect", capabilities(thread, "CapEff") >> 1 & 1, 0)
        finally:
            run.send_signal(signal.SIGTERM)
            run.wait()


@lib.test
def nothing_is_opened_for_writing():
    lib.need_root()
    if not shutil.which("strace"):
        raise lib.Skipped("strace is not installed")
    # what looks for leaks is a debugger itself: there is room for one
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    traced = subprocess.run(["strace", "-f", "-e", "trace=openat", lib.VMVIEW, "wss",
                             str(os.getpid())], env=env, check=True, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
    opened = [line for line in traced.stderr.splitlines() if "openat(" in line]
    lib.true(len(opened) > 5, "strace saw nothing")
    lib.true(not any("O_WRONLY" in line or "O_RDWR" in line for line in opened),
             "something was opened for writing")


@lib.test
def usage():
    for args in (["--interval=1"], ["--count=2"]):
        lib.vmview("wss", os.getpid(), *args, status=2)
    lib.vmview("wss", status=2)


lib.done()
