#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview faults against processes that know how often they fault, where and why."""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import lib

INTERVAL = 1.0
STARTED = 0.4       # seconds until the events are open, on a busy machine too
ANIMALS = ("fault-first", "fault-again", "fault-zero", "fault-cow", "fault-fork", "fault-file",
           "fault-disk", "fault-file-copy", "fault-file-write", "fault-shared", "fault-huge",
           "fault-failed", "fault-kernel", "fault-threads")


def event(zoo, wanted):
    """Read what the zoo says until it says that; other events are failures of the machine."""
    while True:
        ready, _, _ = select.select([zoo.process.stdout], [], [], 20)
        lib.true(ready, f"the animal never said {wanted}")
        said = json.loads(zoo.process.stdout.readline())["event"]
        if said == wanted:
            return
        raise lib.Skipped(said)


def watch(zoo, pid, *options, signals=(), wait=True):
    """vmview faults PID, the signal sent meanwhile to each of signals."""
    run = subprocess.Popen([lib.VMVIEW, "faults", str(pid), f"--interval={INTERVAL}", "--json",
                            *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(STARTED)
    for to in signals:
        os.kill(to, signal.SIGUSR1)
    if wait:
        event(zoo, "acted")
    out, err = run.communicate(timeout=60)
    doc = json.loads(out)
    lib.validate(doc)
    lib.equal(f"status ({err.decode()})", run.returncode, 0)
    return doc


def of_den(got, truth, reason):
    """Faults for that reason (None: for any) in the den, which may be many mappings."""
    start = int(truth["mappings"][0]["start"], 16)
    end = start + truth["room"]
    return sum(m["faults"] for m in got["mappings"] if reason in (None, m["reason"]) and
               m["start"] is not None and start <= int(m["start"], 16) < end)


def of_function(got, function, reason):
    return sum(s["faults"] for s in got["symbols"]
               if s["symbol"] == function and s["reason"] == reason)


def identities(got):
    for key in ("mappings", "symbols", "threads", "reasons"):
        lib.equal(f"sum of {key}", sum(row["faults"] for row in got[key]), got["faults"])
    lib.equal("faults", got["faults"], got["minor"] + got["major"] + got["failed"])
    lib.equal("lost", got["lost"], 0)
    lib.equal("estimated", got["estimated"], False)


def check(got, truth):
    """Their number is exact, where and by which function; the reason of 99 in 100 at least, for a
    page of a file may have been evicted meanwhile."""
    identities(got)
    known = truth["faults"] + truth.get("faults_2", 0)
    lib.equal("faults in the den", of_den(got, truth, None), known)
    if truth.get("reason_2") == truth["reason"]:
        enough("faults of both", of_den(got, truth, truth["reason"]), known)
    for suffix in ("", "_2"):
        if "reason" + suffix not in truth:
            continue
        reason, faults = truth["reason" + suffix], truth["faults" + suffix]
        if truth.get("reason_2") != truth["reason"]:
            enough(f"faults ({reason})", of_den(got, truth, reason), faults)
        function = truth.get("function" + suffix)
        enough(f"by {function}", of_function(got, function, reason), faults)


def enough(what, got, want):
    lib.true(0.99 * want <= got <= want, f"{what}: {got}, expected {want}")


def one_animal(name, *options):
    lib.need_root()
    with lib.zoo(name) as zoo:
        truth = zoo.truth[name]
        got = watch(zoo, truth["pid"], *options, signals=[truth["pid"]])
        check(got, truth)
        known = sum(truth.get(key, 0) for key in ("faults", "faults_2"))
        # beside them there are those of stack, C library and program
        lib.true(got["faults"] <= known + 60, f"{got['faults']} faults, {known} were made")
        return got, truth


for animal in ANIMALS:
    def test(name=animal):
        got, truth = one_animal(name)
        if name == "fault-disk":
            lib.true(got["major"] >= truth["faults"], f"major {got['major']}")
        if name == "fault-threads":
            lib.equal("threads", sorted(t["faults"] >= 200 for t in got["threads"]), [True, True])
    test.__name__ = animal.replace("-", "_")
    lib.test(test)


@lib.test
def copies_by_the_child_after_the_parent():
    """Of the pages that the parent has copied the child is the only owner."""
    lib.need_root()
    with lib.zoo("fault-cow") as zoo:
        truth = zoo.truth["fault-cow"]
        os.kill(truth["pid"], signal.SIGUSR1)
        event(zoo, "acted")
        got = watch(zoo, truth["other"], signals=[truth["other"]], wait=False)
        identities(got)
        lib.equal("copies", of_den(got, truth, "cow"), truth["before"] - truth["faults"])
        lib.equal("taken over", of_den(got, truth, "cow-reuse"), truth["faults"])


@lib.test
def copies_by_both_at_once():
    """What the child copied first, the parent takes over, and the other way round."""
    lib.need_root()
    with lib.zoo("fault-cow") as zoo:
        truth = zoo.truth["fault-cow"]
        got = watch(zoo, truth["pid"], signals=[truth["other"], truth["pid"]])
        identities(got)
        copies, taken = of_den(got, truth, "cow"), of_den(got, truth, "cow-reuse")
        lib.equal("both", copies + taken, truth["faults"])


@lib.test
def without_tracepoints():
    """The software event does not tell whether it was a write: what is told has to be right."""
    for name in ("fault-first", "fault-again", "fault-cow", "fault-file-copy", "fault-shared"):
        one_animal(name, "--without=tracepoint")


@lib.test
def as_perf_has_it():
    """perf counts and samples the same process at the same time."""
    lib.need_root()
    if not shutil.which("perf"):
        raise lib.Skipped("perf is not installed")
    with lib.zoo("fault-again") as zoo, tempfile.TemporaryDirectory() as scratch:
        truth = zoo.truth["fault-again"]
        pid, data = str(truth["pid"]), os.path.join(scratch, "perf.data")
        stat = subprocess.Popen(["perf", "stat", "-x,", "-e", "page-faults,minor-faults", "-p",
                                 pid], stderr=subprocess.PIPE, text=True)
        record = subprocess.Popen(["perf", "record", "-q", "-o", data, "-e", "page-faults", "-c",
                                   "1", "-d", "-p", pid], stderr=subprocess.DEVNULL)
        time.sleep(1)
        got = watch(zoo, truth["pid"], signals=[truth["pid"]])
        for process in (stat, record):
            process.send_signal(signal.SIGINT)
        counted = [line.split(",") for line in stat.communicate(timeout=20)[1].splitlines()]
        record.wait(20)
        counts = {words[2]: int(words[0]) for words in counted if len(words) > 2}
        lib.equal("faults", got["faults"], counts["page-faults"])
        lib.equal("minor", got["minor"], counts["minor-faults"])
        script = subprocess.run(["perf", "script", "-i", data, "-F", "addr,ip,sym"], check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        samples = [line.split() for line in script.stdout.splitlines()]
        lib.equal("samples", got["faults"], len(samples))
        lib.equal("of the function", of_function(got, "fault_rewrite", "again"),
                  sum(words[-1] == "fault_rewrite" for words in samples))
        start = int(truth["mappings"][0]["start"], 16)
        lib.equal("in the den", of_den(got, truth, None),
                  sum(start <= int(words[0], 16) < start + truth["room"] for words in samples))


@lib.test
def each_tenth():
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        got = watch(zoo, truth["pid"], "--period=10", signals=[truth["pid"]])
        lib.equal("period", (got["period"], got["estimated"]), (10, True))
        lib.true(truth["faults"] <= got["faults"] <= truth["faults"] + 60, "exact number")
        estimate = of_den(got, truth, "first-touch")
        lib.true(abs(estimate - truth["faults"]) <= 20, f"estimate {estimate}")


@lib.test
def call_chains():
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        got = watch(zoo, truth["pid"], "--stack", signals=[truth["pid"]])
        top = max(got["stacks"], key=lambda stack: stack["faults"])
        lib.equal("innermost", top["frames"][0]["name"], "fault_write")
        # a compiler may have unrolled its loop: a chain for each of the instructions
        total = sum(stack["faults"] for stack in got["stacks"]
                    if stack["frames"] and stack["frames"][0]["name"] == "fault_write")
        lib.true(total >= truth["faults"], f"{total} in chains of it")
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        run = subprocess.Popen([lib.VMVIEW, "faults", str(truth["pid"]), "--folded",
                                f"--interval={INTERVAL}"], stdout=subprocess.PIPE)
        time.sleep(STARTED)
        os.kill(truth["pid"], signal.SIGUSR1)
        out = run.communicate(timeout=60)[0].decode()
        lines = [line.rsplit(" ", 1) for line in out.splitlines()]
        got = sum(int(count) for chain, count in lines if chain.endswith(";fault_write"))
        lib.equal("folded", got, truth["faults"])


@lib.test
def a_process_that_ends_meanwhile():
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        run = subprocess.Popen([lib.VMVIEW, "faults", str(truth["pid"]), "--interval=30",
                                "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(STARTED)
        os.kill(truth["pid"], signal.SIGUSR1)
        event(zoo, "acted")
        os.kill(truth["pid"], signal.SIGKILL)
        begin = time.monotonic()
        out, _ = run.communicate(timeout=20)
        lib.true(time.monotonic() - begin < 5, "it went on after the process had ended")
        got = json.loads(out)
        lib.equal("faults", of_den(got, truth, "first-touch"), truth["faults"])
        lib.equal("status, complete", (run.returncode, got["complete"]), (1, False))


@lib.test
def what_it_cost():
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        run = subprocess.Popen([lib.VMVIEW, "faults", str(truth["pid"]), f"--interval={INTERVAL}",
                                "--cost", "--period=1"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        time.sleep(STARTED)
        os.kill(truth["pid"], signal.SIGUSR1)
        event(zoo, "acted")
        err = run.communicate(timeout=60)[1]
        events = int(re.search(r"(\d+) events recorded", err)[1])
        lib.true(truth["faults"] <= events <= 1.02 * truth["faults"] + 20, err)


@lib.test
def in_live():
    """Faults a second since the refresh before."""
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        run = subprocess.Popen([lib.VMVIEW, "live", "--batch=2", "--interval=2", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(1)
        os.kill(truth["pid"], signal.SIGUSR1)
        event(zoo, "acted")
        docs = [json.loads(line) for line in run.communicate(timeout=60)[0].splitlines()]
        rows = [row for doc in docs for row in doc["processes"] if row["pid"] == truth["pid"]]
        lib.equal("at first", rows[0]["faults_per_second"], None)
        lib.true(0.5 * truth["faults"] < 2 * rows[1]["faults_per_second"] < 1.1 * truth["faults"],
                 f"{rows[1]['faults_per_second']} a second of {truth['faults']} in two")


@lib.test
def own_process_without_rights():
    """Not root, level 2: the software event of one's own process, without system calls."""
    lib.need_root()
    with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as file:
        level = int(file.read())
    own = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            "sleep", "60"])
    try:
        time.sleep(0.2)
        doc = lib.vmview_json("faults", own.pid, "--interval=0.2", user=65534,
                              status=None)
        if level <= 2:
            lib.equal("method", doc["method"], "software event")
            lib.equal("kernel mode", doc["kernel_mode"], level < 2)
        else:
            lib.equal("method", doc["method"], "counters")
    finally:
        own.kill()
        own.wait()


@lib.test
def storm():
    """It does nothing but fault: watched for a part of the time, and stat tells how many there
    were."""
    lib.need_root()
    program = os.path.join(lib.BUILD, "bench/faulter")
    if not os.path.exists(program):
        raise lib.Skipped("bench/faulter is not built")
    child = subprocess.Popen([program, "-t", "2", "10000000"], stdout=subprocess.PIPE)
    try:
        child.stdout.readline()

        def minor():
            with open(f"/proc/{child.pid}/stat", encoding="ascii") as file:
                return int(file.read().rpartition(")")[2].split()[7])

        before, begun = minor(), time.monotonic()
        doc = lib.vmview_json("faults", child.pid, "--interval=3")
        rate = (minor() - before) / (time.monotonic() - begun)
        lib.true(0.8 < doc["faults"] / doc["seconds"] / rate < 1.2, f"{doc['faults']}, {rate}")
        told = sum(row["faults"] for row in doc["threads"])
        lib.true(0.9 < told / doc["faults"] < 1.1, f"{told} of {doc['faults']}")
        lib.equal("estimated", doc["estimated"], True)
        if rate < 150000:
            raise lib.Skipped("a machine that is too slow for a storm")
        lib.equal("failed", doc["failed"], None)
        lib.true(doc["recorded"] < 100000, str(doc["recorded"]))
    finally:
        child.kill()
        child.wait()


@lib.test
def other_process_without_rights():
    """There are the counters of stat, and what would help."""
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        done = lib.vmview("faults", zoo.truth["fault-first"]["pid"], "--interval=0.2", user=65534,
                          status=1)
        lib.true("CAP_" in done.err or "denied" in done.err, done.err)


lib.done()
