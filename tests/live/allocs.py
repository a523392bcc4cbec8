#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview allocs against processes that know what they make the kernel allocate."""
import contextlib
import fcntl
import json
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import time

import lib

INTERVAL = 1.5
F_SETPIPE_SZ = 1031
COMPACT = "/proc/sys/vm/compact_memory"


def events(pid):
    """Descriptors of perf events that the process has."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return [fd for fd in found if "perf_event" in fd]


def await_events(pid):
    """They are all there, and on: their number does not change any more."""
    for _ in range(200):
        before = len(events(pid))
        time.sleep(0.1)
        if before >= 4 * os.cpu_count() and len(events(pid)) == before:
            return
    raise lib.Failed("it never watched")


def watch(act, *options):
    """vmview allocs, with something done meanwhile."""
    run = subprocess.Popen([lib.VMVIEW, "allocs", f"--interval={INTERVAL}", "--json", *options],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    await_events(run.pid)
    act()
    out, err = run.communicate(timeout=60)
    lib.equal(f"status ({err.decode()})", run.returncode, 0)
    doc = json.loads(out)
    lib.validate(doc)
    lib.equal("lost", doc["lost"], 0)
    return doc


def signalled(zoo, animal):
    """Have the animal act, and wait until it has."""
    os.kill(zoo.truth[animal]["pid"], signal.SIGUSR1)
    while True:
        ready, _, _ = select.select([zoo.process.stdout], [], [], 20)
        lib.true(ready, "the animal never acted")
        said = json.loads(zoo.process.stdout.readline())["event"]
        if said == "acted":
            return
        raise lib.Skipped(said)


def of(doc, pid, **keys):
    return [row for row in doc["callers"] if row["pid"] == pid and
            all(row[key] == value for key, value in keys.items())]


def check_sums(doc):
    for key in ("count", "bytes", "failed"):
        lib.equal(f"orders and callers: {key}", sum(row[key] for row in doc["orders"]),
                  sum(row[key] for row in doc["callers"]))
    lib.equal("bytes", doc["bytes"], sum(row["bytes"] for row in doc["orders"]))
    if doc["period"] == 1:
        lib.equal("allocations", doc["allocations"],
                  sum(row["count"] + row["failed"] for row in doc["orders"]))
        lib.equal("high order", doc["high_order"],
                  sum(row["count"] for row in doc["orders"] if row["order"]))
    for row in doc["callers"]:
        lib.equal("bytes of a row", row["bytes"], row["count"] * (4096 << row["order"]))


@contextlib.contextmanager
def busy():
    """Somebody who takes memory all the time: on an idle machine there may be nobody."""
    process = subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@lib.test
def first_touches():
    """Each is a page of order 0, which the fault handler asks for."""
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        doc = watch(lambda: signalled(zoo, "fault-first"), "--period=1")
        check_sums(doc)
        rows = of(doc, truth["pid"], order=0, migrate_type="Movable")
        got = sum(row["count"] for row in rows)
        lib.true(truth["faults"] <= got <= truth["faults"] * 1.01 + 8,
                 f"{got} pages, not {truth['faults']}")
        most = max(rows, key=lambda row: row["count"])
        lib.true(most["count"] >= 0.99 * truth["faults"], f"of one caller: {most}")
        lib.true(re.search("anon", most["caller"]), f"the caller is {most['caller']}")
        lib.equal("name", {row["comm"] for row in of(doc, truth["pid"])}, {"zoo"})


@lib.test
def huge_pages():
    lib.need_root()
    with lib.zoo("fault-huge") as zoo:
        truth = zoo.truth["fault-huge"]
        doc = watch(lambda: signalled(zoo, "fault-huge"), "--period=1")
        check_sums(doc)
        huge = of(doc, truth["pid"], order=9)
        lib.equal("of order 9", sum(row["count"] for row in huge), truth["faults"])
        lib.equal("bytes", sum(row["bytes"] for row in huge), truth["faults"] << 21)
        lib.true(doc["high_order"] >= truth["faults"], "high order")


@lib.test
def sampled():
    """Each 7th: allocations stay exact, rows are estimates and say so."""
    lib.need_root()
    with lib.zoo("fault-first") as zoo:
        truth = zoo.truth["fault-first"]
        doc = watch(lambda: signalled(zoo, "fault-first"), "--period=7")
        lib.equal("estimated", (doc["estimated"], doc["period"]), (True, 7))
        lib.true(doc["allocations"] >= truth["faults"], "allocations")
        lib.true(abs(doc["allocations"] - 7 * doc["recorded"]) <= 7 * (os.cpu_count() + 1),
                 f"{doc['recorded']} of {doc['allocations']} were recorded")
        got = sum(row["count"] for row in of(doc, truth["pid"], order=0))
        lib.true(abs(got - truth["faults"]) < 0.1 * truth["faults"] + 50,
                 f"{got} is not about {truth['faults']}")


@lib.test
def short_lived_processes():
    """They are named though they ended long before."""
    lib.need_root()

    def act():
        for _ in range(20):
            subprocess.run(["true"], check=True)

    doc = watch(act, "--by=command")
    lib.true(any(row["comm"] == "true" and row["count"] > 20 for row in doc["callers"]),
             f"no row of true: {[row['comm'] for row in doc['callers']]}")


@lib.test
def compaction():
    """By hand: its time is told, and is no more than the write took."""
    lib.need_root()
    if not os.access(COMPACT, os.W_OK):
        raise lib.Skipped(f"{COMPACT} can not be written")
    code = (f"import time; input(); b = time.monotonic_ns(); open('{COMPACT}', 'w').write('1'); "
            "print(time.monotonic_ns() - b, flush=True); input()")
    with subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        took = []

        def act():
            child.stdin.write(b"\n")
            child.stdin.flush()
            took.append(int(child.stdout.readline()))

        try:
            doc = watch(act)
        finally:
            child.communicate(b"\n")
    if doc["compactions"] is None:
        raise lib.Skipped(doc["missing"]["compactions"])
    rows = [row for row in doc["waits"] if row["pid"] == child.pid]
    lib.equal("rows", len(rows), 1)
    lib.true(0 < rows[0]["compact_ns"] <= took[0], f"{rows[0]}, of {took[0]} ns")
    lib.equal("total", doc["compactions"], sum(row["compactions"] for row in doc["waits"]))


def free_unmovable():
    """Bytes that are free and meant for pages that can not be moved, in the zones above DMA."""
    with open("/proc/pagetypeinfo", encoding="ascii") as file:
        lines = re.findall(r"zone +(?:Normal|DMA32), type +Unmovable +(.*)", file.read())
    return sum(int(count.strip("> ")) * 4096 << order for line in lines[:2]
               for order, count in enumerate(line.split()))


@lib.test
def who_breaks_up_pageblocks():
    """Pipes full of pages that can not be moved, until their free memory is used up."""
    lib.need_root()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    pipes = []

    def fill(count=60):
        for _ in range(count):
            ends = os.pipe()
            pipes.append(ends)
            fcntl.fcntl(ends[1], F_SETPIPE_SZ, 1 << 20)
            os.write(ends[1], bytes(1 << 20))

    try:
        while len(pipes) < 600 and free_unmovable() > 32 << 20:
            fill(20)
        doc = watch(fill, "--period=10")
    finally:
        for end in sum(pipes, ()):
            os.close(end)
    lib.equal("fallbacks", doc["fallbacks"], sum(row["count"] for row in doc["fragmenting"]))
    lib.equal("taken", doc["taken"], sum(row["taken"] for row in doc["fragmenting"]))
    for row in doc["fragmenting"]:
        lib.true(row["from_type"] != row["migrate_type"], f"from its own type: {row}")
        lib.true(row["from_order"] >= row["order"], f"from less than it took: {row}")
    if not doc["fallbacks"]:
        raise lib.Skipped("there was free memory enough of each migrate type")
    lib.true(any(row["pid"] == os.getpid() for row in doc["fragmenting"]),
             f"not told of this process: {doc['fragmenting'][:3]}")


@lib.test
def tracefs_mounted_or_not():
    """The same either way; here it is mounted for this run alone."""
    lib.need_root()
    if not shutil.which("unshare"):
        raise lib.Skipped("unshare is not installed")
    script = "mount -t tracefs t /sys/kernel/tracing && exec " \
             f"{lib.VMVIEW} allocs --interval=0.3 --json"
    with busy():
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if "mount" in done.stderr:
        raise lib.Skipped(done.stderr.strip())
    doc = json.loads(done.stdout)
    lib.equal("method, status", (doc["method"], done.returncode), ("tracepoint", 0))
    lib.true(doc["allocations"] > 0, "somebody allocates within 0.3 s")


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return file.read()


@lib.test
def nothing_is_left_after_a_kill():
    lib.need_root()
    before = mounts()
    for to in (signal.SIGKILL, signal.SIGINT):
        run = subprocess.Popen([lib.VMVIEW, "allocs", "--interval=30"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        await_events(run.pid)
        lib.equal("mounts meanwhile", mounts(), before)
        run.send_signal(to)
        run.wait()
    lib.equal("mounts", mounts(), before)


@lib.test
def capabilities_that_it_keeps():
    """CAP_SYSLOG (34) is for the names of callers, and CAP_DAC_OVERRIDE (1) is not there."""
    lib.need_root()
    run = subprocess.Popen([lib.VMVIEW, "allocs", "--interval=20"], stdout=subprocess.DEVNULL)
    try:
        await_events(run.pid)
        with open(f"/proc/{run.pid}/status", encoding="ascii") as file:
            bits = int(re.search(r"CapEff:\s+(\w+)", file.read())[1], 16)
        lib.equal("CAP_SYSLOG, CAP_DAC_OVERRIDE", (bits >> 34 & 1, bits >> 1 & 1), (1, 0))
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait()


@lib.test
def without_rights():
    lib.need_root()
    done = lib.vmview("allocs", "--interval=0.1", user=65534, status=1)
    lib.true("CAP_PERFMON" in done.err and "try: sudo vmview allocs" in done.err, done.err)
    doc = lib.vmview_json("allocs", "--interval=0.1", user=65534, status=1)
    lib.equal("complete, callers", (doc["complete"], doc["callers"]), (False, None))
    lib.true(doc["missing"]["callers"].startswith("denied"), doc["missing"])


@lib.test
def in_frag():
    lib.need_root()
    with busy():
        doc = lib.vmview_json("frag", "--interval=0.3", status=None)
    lib.true(doc["allocations"]["allocations"] > 0, "somebody allocates within 0.3 s")
    lib.equal("method", doc["allocations"]["method"], "tracepoint")
    lib.true("allocations" not in lib.vmview_json("frag", status=None), "not asked for")


lib.done()
