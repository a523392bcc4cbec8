#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview ps over processes whose memory is known, and over whatever else runs here."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import lib
from lib import equal, true

KIB = 1024
STATUS = {"size": "VmSize", "peak_rss": "VmHWM", "file": "RssFile", "shm": "RssShmem",
          "hugetlb": "HugetlbPages", "vm_swap": "VmSwap", "vm_locked": "VmLck",
          "vm_pinned": "VmPin", "page_tables": "VmPTE"}


def fields(path):
    """The numbers of a file of "KEY: NUMBER [kB]" lines, in bytes."""
    found = {}
    with open(path, "rb") as file:
        for line in file.read().split(b"\n"):
            words = line.split()
            if len(words) > 1 and words[0].endswith(b":") and words[1].isdigit():
                number = int(words[1]) * (KIB if words[-1] == b"kB" else 1)
                found[words[0][:-1].decode()] = number
    return found


def rows(document, key="processes"):
    return {row.get("pid"): row for row in document[key]}


def steady(row):
    """What of a row does not change when others map the same library."""
    keys = (*STATUS, "pid", "comm", "threads", "rss", "anonymous", "swap")
    return {key: row[key] for key in keys}


def check_row(row, alone=False):
    """A row of a process that is quiet, against the kernel's files read plainly. alone: nobody
    that comes and goes shares anything with it, so what depends on other users counts too."""
    rollup = fields(f"/proc/{row['pid']}/smaps_rollup")
    status = fields(f"/proc/{row['pid']}/status")
    for key, name in STATUS.items():
        if key in row:
            equal(f"{key} of {row['pid']}", row[key], status[name])
    for key in ("Rss", "Swap", "Anonymous", *(("Pss", "Locked") if alone else ())):
        equal(f"{key} of {row['pid']}", row[key.lower()], rollup[key])
    if alone:
        equal("swap_pss", row["swap_pss"], rollup["SwapPss"])
        equal("uss", row["uss"],
              rollup["Private_Clean"] + rollup["Private_Dirty"] + rollup["Private_Hugetlb"])
    equal("huge", row["huge"], sum(rollup[key] for key in (
        "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb")))
    equal("threads", row["threads"], status["Threads"])


@lib.test
def family_to_the_page():
    with lib.zoo("family") as zoo:
        truth = zoo.truth["family"]
        known = {process["pid"]: process for process in truth["processes"]}
        found = lib.vmview_json("ps", *known)
        equal("processes", set(rows(found)), set(known))
        for pid, row in rows(found).items():
            check_row(row, alone=True)
            equal(f"rss of {pid}", row["rss"], known[pid]["rss"])
            equal(f"uss of {pid}", row["uss"], known[pid]["uss"])
            # the kernel adds up rounded shares of a page and cuts the sum to KiB
            true(0 <= known[pid]["pss"] - row["pss"] <= KIB,
                 f"pss of {pid} is {row['pss']}, expected {known[pid]['pss']} less a fraction")
        check_total(found, known)
        pss = [row["pss"] for row in found["processes"]]
        equal("order", pss, sorted(pss, reverse=True))


def check_total(found, known):
    """Each address space once: the two that share one are named."""
    first = {}
    for process in known.values():
        first.setdefault(process["space"], process["pid"])
    once = [rows(found)[pid] for pid in first.values()]
    for key in "rss", "pss", "uss", "swap", "page_tables", "anonymous", "file", "shm":
        equal(f"total {key}", found["total"][key], sum(row[key] for row in once))
    equal("number", found["total"]["processes"], len(known))
    twins = {pid: row["same_memory_as"] for pid, row in rows(found).items()
             if "same_memory_as" in row}
    equal("twins", twins, {process["pid"]: first[process["space"]] for process in known.values()
                           if process["pid"] != first[process["space"]]})
    true(twins, "the family has a pair that shares one address space")


@lib.test
def mappings_and_faults():
    """As maps and stat count them."""
    with lib.zoo("family") as zoo:
        row, = lib.vmview_json("ps", zoo.pid, "-o", "pid,maps,minflt,majflt,faults")["processes"]
        with open(f"/proc/{zoo.pid}/maps") as maps:
            lib.equal("maps", row["maps"], len(maps.readlines()))
        with open(f"/proc/{zoo.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        lib.equal("minflt", row["minflt"], int(fields[7]))
        lib.equal("majflt", row["majflt"], int(fields[9]))
        lib.equal("faults", row["faults"], row["minflt"] + row["majflt"])


@lib.test
def groups_add_up():
    with lib.zoo("family", "threads") as zoo:
        everything = lib.vmview_json("ps", f"--tree={zoo.pid}")
        for by in "user", "program", "cgroup", "tree":
            found = lib.vmview_json("ps", f"--tree={zoo.pid}", f"--by={by}")
            equal("by", found["by"], by)
            equal("counted", found["counted"], "frames" if os.geteuid() == 0 else "pss")
            groups = found["groups"]
            equal("processes", sum(group["processes"] for group in groups),
                  len(everything["processes"]))
            for key in "rss", "pss", "uss", "page_tables":
                equal(f"{key} by {by}", sum(group[key] or 0 for group in groups),
                      found["total"][key])
            for key in "rss", "page_tables", "anonymous", "threads":
                equal(f"{key} by {by}", found["total"][key], everything["total"][key])
        equal("user", lib.vmview_json("ps", "--by=user", zoo.pid)["groups"][0]["group"], "root"
              if os.geteuid() == 0 else lib.vmview_json("ps", zoo.pid)["processes"][0]["user"])
        group, = lib.vmview_json("ps", "--by=program", zoo.pid)["groups"]
        equal("program", group["group"], "zoo")


def tree_tops(pids):
    """What --by tree does: a root is the top of its tree, but not if it is the only one."""
    parents = {pid: fields(f"/proc/{pid}/status")["PPid"] for pid in pids}
    roots = {pid for pid in pids if parents[pid] not in parents}
    ends = roots if len(roots) > 1 else roots | {pid for pid in pids if parents[pid] in roots}
    tops = {}
    for pid in pids:
        tops[pid] = pid
        while tops[pid] not in ends:
            tops[pid] = parents[tops[pid]]
    return tops


@lib.test
def each_byte_of_a_group_once():
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth = zoo.truth["family"]
        pids = [process["pid"] for process in truth["processes"]]
        group, = lib.vmview_json("ps", *pids, "--by=user")["groups"]
        equal("footprint", group["footprint"], truth["footprint"])
        tops = tree_tops(pids)
        want = {}
        for shared in truth["groups"]:
            for top in {tops[pid] for pid in shared["pids"]}:
                want[top] = want.get(top, 0) + shared["bytes"]
        found = lib.vmview_json("ps", *pids, "--by=tree")
        equal("footprints", {group["pid"]: group["footprint"] for group in found["groups"]}, want)
        equal("all of it", found["total"]["footprint"], truth["footprint"])
        true(len(want) > 2, "several trees")
        # without frames it says so, and counts by pss
        found = lib.vmview_json("ps", *pids, "--by=user", "--without=frames")
        equal("counted", found["counted"], "pss")
        equal("footprint", found["groups"][0]["footprint"], None)


GROWING = """
import mmap
print(flush=True)
for _ in range(400):
    m = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    m.madvise(mmap.MADV_NOHUGEPAGE)
    for i in range(0, 4 << 20, 4096):
        m[i] = 1
"""


@lib.test
def groups_that_grow():
    """All that is resident is of one reading: a footprint is never below what is private."""
    lib.need_root()
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", GROWING], stdout=subprocess.PIPE) as process:
            try:
                process.stdout.readline()
                found = lib.vmview_json("ps", process.pid, "--by=tree")
                row = found["groups"][0]
                equal("counted", found["counted"], "frames")
                true(row["footprint"] >= row["uss"] > 0, f"a footprint below uss: {row}")
                true(row["rss"] >= row["pss"] >= row["uss"], f"rss, pss, uss: {row}")
                equal("rss", row["rss"], row["anonymous"] + row["file"] + row["shm"])
            finally:
                process.kill()


@lib.test
def big_processes_are_walked():
    """By pages, where the rollup would make a process wait: the same to a rounding."""
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth = {process["pid"]: process for process in zoo.truth["family"]["processes"]}
        document = lib.vmview_json("ps", *truth, "--skip-over=1K")
        walked = 0
        for row in document["processes"]:
            if "same_memory_as" in row or row["pss"] is None:
                continue
            known = truth[row["pid"]]
            equal("by_frames", row["by_frames"], True)
            equal(f"uss of {row['pid']}", row["uss"], known["uss"])
            # of each mapping it is rounded down to 1 KiB, as smaps has it
            with open(f"/proc/{row['pid']}/maps", encoding="utf-8") as file:
                most = 1024 * len(file.readlines())
            true(-2 <= known["pss"] - row["pss"] < most,
                 f"pss {row['pss']}, truth {known['pss']}")
            equal("swap", row["swap"], 0)
            walked += 1
        equal("walked", walked, len({process["space"] for process in truth.values()}))
        equal("not read", document["not_read"]["pace"], 0)


@lib.test
def big_processes_of_every_thread():
    """More than one thread can take: each is walked, whoever met it."""
    lib.need_root()
    ours = spawned(100)
    try:
        pids = [process.pid for process in ours]
        document = lib.vmview_json("ps", *pids, "--skip-over=1K", "--sort=pid")
        equal("rows", [row["pid"] for row in document["processes"]], sorted(pids))
        for row in document["processes"]:
            equal(f"by frames: {row['pid']}", row["by_frames"], True)
            rollup = fields(f"/proc/{row['pid']}/smaps_rollup")
            equal("rss", row["rss"], rollup["Rss"])
            true(0 < row["uss"] <= row["pss"] <= rollup["Rss"], f"uss and pss of {row}")
        equal("not read", document["not_read"], {"denied": 0, "pace": 0, "budget": 0, "stuck": 0})
    finally:
        ended(ours)


@lib.test
def leader_that_has_exited():
    with lib.zoo("zombie-leader") as zoo:
        truth = zoo.truth["zombie-leader"]
        row, = lib.vmview_json("ps", truth["pid"])["processes"]
        rollup = fields(f"/proc/{truth['pid']}/task/{truth['tid']}/smaps_rollup")
        equal("state", row["state"], "Z")
        for key in "Rss", "Anonymous":
            equal(key, row[key.lower()], rollup[key])
        true(0 < row["pss"] <= row["rss"], f"pss is {row['pss']}")
        true(rollup["Rss"] > 0, "the thread has memory")


@lib.test
def zombie_and_kernel_thread():
    with lib.zoo("zombie") as zoo:
        row, = lib.vmview_json("ps", zoo.truth["zombie"]["pid"])["processes"]
        equal("state", row["state"], "Z")
        for key in "rss", "pss", "page_tables", "swap":
            equal(key, row[key], None)
            equal(f"why {key}", row["missing"][key], "gone: the process is a zombie")
        every_null_says_why(row)
    found = lib.vmview_json("ps", 2)
    row, = found["processes"]
    equal("comm", row["comm"], "kthreadd")
    equal("rss", row["rss"], None)
    equal("total", found["total"]["rss"], None)
    equal("why", row["missing"]["pss"], "kernel thread: has no memory of its own")
    every_null_says_why(found)


def every_null_says_why(part):
    """A null has its reason in the object that holds it, down to the last sum."""
    if isinstance(part, list):
        for one in part:
            every_null_says_why(one)
    if isinstance(part, dict):
        for key, value in part.items():
            true(value is not None or part.get("missing", {}).get(key), f"why is {key} null?")
            every_null_says_why(value)


@lib.test
def sums_of_nobody():
    process = subprocess.Popen(["true"])
    process.wait()
    for args in ((process.pid,), (process.pid, "--by=user"), (2, "--by=tree"),
                 (os.getpid(), "--budget=1ns", "--by=program"), (os.getpid(), "--budget=1ns")):
        document = json.loads(lib.vmview("ps", *args, "--json", status=None).out)
        lib.validate(document)
        every_null_says_why(document)
    equal("sum", document["read"]["pss"], None)
    document = lib.vmview_json("ps", 2, "--by=user", status=0)
    if os.geteuid() == 0:
        equal("footprint", document["total"]["footprint"], None)


@lib.test
def kernel_threads_are_counted():
    listed = lib.vmview_json("ps", "-o", "pid,rss", "--kernel-threads")
    found = lib.vmview_json("ps", "-o", "pid,rss")
    true(2 in rows(listed) and 2 not in rows(found), "kthreadd is listed only when asked for")
    equal("none is left out", listed["kernel_threads"], 0)
    true(found["kernel_threads"] > 5, f"{found['kernel_threads']} kernel threads")


@lib.test
def hostile_names():
    with lib.zoo("comm", "cmdline") as zoo:
        truth = zoo.truth["comm"]
        found = lib.vmview_json("ps", f"--tree={zoo.pid}", "-o", "pid,comm,cmdline")
        row = rows(found)[truth["pid"]]
        name = bytes.fromhex(truth["comm_hex"])
        got = bytes.fromhex(row["comm_hex"]) if "comm_hex" in row else row["comm"].encode()
        equal("comm", got, name)
        text = lib.vmview("ps", f"--tree={zoo.pid}").raw
        true(b"\x1b" not in text, "an escape character came through")


def settle(processes):
    """Wait until they have begun to sleep: nothing of them changes for a tenth of a second."""
    before = None
    for _ in range(600):
        now = [(fields(f"/proc/{process.pid}/status")["VmRSS"],
                fields(f"/proc/{process.pid}/status")["VmSize"]) for process in processes]
        if now == before and all(size for _, size in now):
            return
        before = now
        time.sleep(0.1)
    raise lib.Failed("processes do not settle")


def spawned(count):
    processes = [subprocess.Popen(["sleep", "60"]) for _ in range(count)]
    settle(processes)
    return processes


def ended(processes):
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


@lib.test
def unprivileged():
    lib.need_root()
    ours = spawned(1)
    try:
        # What status tells is for everybody.
        done = lib.vmview_json("ps", ours[0].pid, "-o", "pid,user,rss,threads", user=65534)
        row, = done["processes"]
        equal("user", row["user"], "root")
        equal("rss", row["rss"], fields(f"/proc/{ours[0].pid}/status")["VmRSS"])
        done = lib.vmview("ps", ours[0].pid, "--json", user=65534, status=1)
        document = json.loads(done.out)
        lib.validate(document)
        row, = document["processes"]
        for key in "pss", "uss", "swap":
            equal(key, row[key], None)
            true(row["missing"][key].startswith("denied"), row["missing"][key])
        equal("not read", document["not_read"], {"denied": 1, "pace": 0, "budget": 0, "stuck": 0})
        equal("complete", document["complete"], False)
        true("denied" in done.err and "CAP_SYS_PTRACE" in done.err, done.err)
        true("(try: sudo vmview ps)" in done.err, done.err)
    finally:
        ended(ours)


@lib.test
def unprivileged_own():
    lib.need_root()
    own = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            "sleep", "60"])
    try:
        settle([own])
        row, = lib.vmview_json("ps", own.pid, user=65534)["processes"]
        equal("user", row["user"], "nobody")
        check_row(row)
    finally:
        ended([own])


@lib.test
def too_big_to_be_read():
    ours = spawned(3)
    try:
        pids = [process.pid for process in ours]
        done = lib.vmview("ps", *pids, "--skip-over=4K", "--without=frames", "--json", status=1)
        document = json.loads(done.out)
        lib.validate(document)
        for row in document["processes"]:
            equal("pss", row["pss"], None)
            true(row["missing"]["pss"].startswith("pace"), row["missing"]["pss"])
            true(row["rss"] > 0, "rss is there all the same")
        equal("not read", document["not_read"], {"denied": 0, "pace": 3, "budget": 0, "stuck": 0})
        found = lib.vmview_json("ps", *pids, "--skip-over=1G")
        equal("not read", found["not_read"], {"denied": 0, "pace": 0, "budget": 0, "stuck": 0})
    finally:
        ended(ours)


@lib.test
def budget():
    ours = spawned(3)
    try:
        pids = [process.pid for process in ours]
        document = json.loads(lib.vmview("ps", *pids, "--budget=1ns", "--json", status=1).out)
        for row in document["processes"]:
            true(row["missing"]["pss"].startswith("budget"), row["missing"]["pss"])
        equal("not read", document["not_read"], {"denied": 0, "pace": 0, "budget": 3, "stuck": 0})
        # With time enough all are read, in two passes, and give the same.
        found = lib.vmview_json("ps", *pids, "--budget=60")
        for row in found["processes"]:
            check_row(row)
        other = rows(lib.vmview_json("ps", *pids))
        for row in found["processes"]:
            equal("row", steady(row), steady(other[row["pid"]]))
    finally:
        ended(ours)


@lib.test
def few_descriptors():
    """The two passes hold a descriptor for each process; without enough of them it works too."""
    ours = spawned(40)
    try:
        pids = [str(process.pid) for process in ours]
        done = subprocess.run(["prlimit", "--nofile=80:80", lib.VMVIEW, "ps", *pids, "--json",
                               "--budget=60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60)
        equal("status", (done.returncode, done.stderr), (0, b""))
        found = json.loads(done.stdout)
        equal("processes", len(found["processes"]), len(pids))
        for row in found["processes"]:
            check_row(row)
    finally:
        ended(ours)


@lib.test
def threads_make_no_difference():
    ours = spawned(100)
    try:
        pids = [str(process.pid) for process in ours]
        many = lib.vmview_json("ps", *pids, "--sort=pid")["processes"]
        argv = ["taskset", "-c", str(min(os.sched_getaffinity(0))), lib.VMVIEW, "ps", *pids,
                "--sort=pid", "--json"]
        one = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout)
        equal("number", (len(many), len(one["processes"])), (len(pids), len(pids)))
        for row, other in zip(many, one["processes"]):
            equal("row", steady(row), steady(other))
    finally:
        ended(ours)


@lib.test
def no_such_process():
    done = lib.vmview("ps", os.getpid(), 4194303, status=1)
    true("no process 4194303" in done.err, done.err)
    equal("lines", len(done.out.splitlines()), 2)


@lib.test
def ended_before_its_frames_were_read():
    """It was there when its rollup was read: the rest is as if it had never been, and none of its
    groups has 0 bytes of frames."""
    tree = os.path.join(lib.SRC, "tests/trees/machine")
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as copy:
        shutil.copytree(tree, copy, symlinks=True, dirs_exist_ok=True)
        for name in "maps", "pagemap":
            os.unlink(f"{copy}/proc/101/{name}")
            with open(f"{copy}/proc/101/{name}.error", "w", encoding="ascii") as file:
                file.write("ESRCH\n")
        for by in "user", "program", "tree":
            done = lib.vmview("ps", "--root", copy, 100, 101, 102, "--by", by, "--json", status=1)
            true("101: the process ended" in done.err, done.err)
            found = json.loads(done.out)
            known = lib.vmview_json("ps", "--root", tree, 100, 102, "--by", by)
            equal("counted", known["counted"], "frames")
            for key in "groups", "total":
                equal(f"{key} by {by}", found[key], known[key])
        found = lib.vmview_json("ps", "--root", copy, "--by=user", status=None)
        equal("vanished", found["vanished"], 1)
        true(all(group["footprint"] != 0 for group in found["groups"]), "made-up 0")


@lib.test
def while_processes_come_and_go():
    storm = subprocess.Popen(["sh", "-c", "while :; do /bin/true & /bin/true; done"],
                             start_new_session=True)
    try:
        for _ in range(15):
            done = lib.vmview("ps", "--json", status=None)
            true(done.status in (0, 1), f"status {done.status}: {done.err}")
            document = json.loads(done.out)
            lib.validate(document)
            for row in document["processes"]:
                if row["state"] == "Z" or row["pss"] is None:
                    continue
                true(row["pss"] <= row["rss"] + 64 * KIB, f"pss over rss: {row}")
    finally:
        os.killpg(storm.pid, signal.SIGKILL)
        storm.wait()


lib.done()
