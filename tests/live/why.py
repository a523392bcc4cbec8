#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview why: classes against the frames, findings on processes that have them or not."""
import collections
import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402
import oracle  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "why", "holds.c")
MIB = 1 << 20
NOBODY = 65534
# the condition, the finding that it is about, and the least bytes that it has
FINDINGS = [
    ("lazy", "lazily-freed", 40 * MIB), ("locked", "locked", 32 * MIB),
    ("shm", "shared-memory-alone", 32 * MIB), ("forks", "fork-copies", 60 * MIB),
    ("threads", "thread-stacks", 24 * MIB), ("deleted", "deleted-files", 4 * MIB),
    ("pieces", "many-pieces", None), ("many", "map-count", None),
    ("sparse", "page-tables", 19 * MIB), ("text", "copied-text", MIB),
    ("small", "huge-missing", 1100 * MIB), ("tables", "shared-page-tables", 16 * MIB),
    ("copies", "copied-file", 32 * MIB), ("mergeable", "mergeable", None),
    ("heap", "malloc-not-asked", 80 * MIB), ("pinned", "pinned", 32 * MIB),
]
# what comes with a condition beside the finding that it is made for
BESIDE = {"sparse": {"huge-missing"}, "copies": {"deleted-files"}, "tables": {"fork-copies"}}


def flag(page, name):
    return name in oracle.flag_names(page.flags)


def class_of(mapping, page):
    """The class of a present page, by its frame."""
    shared = page.count > 1
    if flag(page, "mlocked") or flag(page, "unevictable"):
        return "locked"
    if flag(page, "anonymous"):
        if not flag(page, "swapbacked") and not flag(page, "dirty"):
            return "lazily_freed"
        return "anonymous_shared" if shared else "anonymous"
    if flag(page, "swapbacked"):
        return "shared_memory_shared" if shared else "shared_memory"
    if flag(page, "dirty") or flag(page, "writeback"):
        return "dirty"
    return "clean_shared" if shared else "clean"


def classes_of(pid):
    """Every page of a process that rests."""
    found = {}
    for mapping in oracle.maps(pid):
        if mapping.start >= 1 << 47 or mapping.name == b"[vvar]":
            continue
        if mapping.end - mapping.start > 1 << 30:
            raise lib.Failed("too big for this oracle")
        for page in oracle.pages(pid, mapping.start, mapping.end):
            if page.state == "present" and page.pfn and not flag(page, "nopage"):
                name = class_of(mapping, page)
                found[name] = found.get(name, 0) + oracle.PAGE
            elif page.state == "swapped":
                found["swapped"] = found.get("swapped", 0) + oracle.PAGE
    return found


def look(pid, *options, **keywords):
    process = lib.vmview_json("why", *options, pid, **keywords)["processes"][0]
    check_sums(process)
    return process


def check_sums(process):
    lib.equal("classes sum to what is held", sum(row["bytes"] for row in process["classes"]),
              process["held"])
    lib.equal("resident classes sum to rss",
              sum(row["bytes"] for row in process["classes"] if row["resident"]), process["rss"])
    lib.equal("purposes sum to rss", sum(row["rss"] for row in process["purposes"]),
              process["rss"])


def by_class(process):
    return {row["class"]: row["bytes"] for row in process["classes"] if row["bytes"]}


def build(directory):
    path = os.path.join(directory, "holds")
    subprocess.run(["gcc", "-O1", "-D_GNU_SOURCE", "-pthread", "-o", path, SOURCE], check=True)
    return path


@contextlib.contextmanager
def running(path, condition):
    process = subprocess.Popen([path, condition], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        if not line:
            raise lib.Skipped(f"{condition}: cannot be made here")
        while True:
            with open(f"/proc/{process.pid}/wchan", encoding="utf-8") as file:
                if "pipe" in file.read():
                    break
            time.sleep(0.01)
        yield json.loads(line)
    finally:
        process.stdin.close()
        process.wait()


def finding(process, name):
    return next((found for found in process["findings"] if found["id"] == name), None)


def check_classes(path, condition):
    with running(path, condition) as program:
        process = look(program["pid"])
        got = by_class(process)
        tables = got.pop("page_tables")
        lib.equal("page tables", f"{tables >> 10} kB", oracle.status(program["pid"])["VmPTE"])
        want = classes_of(program["pid"])
        # pages of libraries come and go with other processes that map them
        for name in "clean", "clean_shared":
            got.pop(name, None)
            want.pop(name, None)
        if condition == "lazy":     # pages lag behind by up to a batch a processor
            for found in got, want:
                found["anonymous"] += found.pop("lazily_freed")
        lib.equal(f"{condition}: classes", got, want)
        rss = oracle.status(program["pid"])["VmRSS"]
        lib.equal("rss", f"{process['rss'] >> 10} kB", rss)


@lib.test
def classes():
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        for condition in "plain", "lazy", "locked", "shm", "forks", "threads", "text":
            lib.settled(lambda condition=condition: check_classes(path, condition))


@lib.test
def findings():
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "plain") as program:
            lib.equal("plain", look(program["pid"])["findings"], [])
        for condition, name, least in FINDINGS:
            with contextlib.suppress(lib.Skipped), running(path, condition) as program:
                found = finding(look(program["pid"]), name)
                lib.true(found, f"{condition}: no finding {name}")
                if least is not None and not least <= found["bytes"] <= least * 1.5:
                    raise lib.Failed(f"{name}: {found['bytes']} bytes, {least} expected")
                lib.true(found["advice"] and found["evidence"], f"{name}: no advice")
                said = lib.vmview("why", "--explain", program["pid"]).out
                # pages may go on being freed between the two
                told = [re.sub(r"\d+", "N", text) for text in
                        (found["title"], said.replace("\n ", "").replace("  ", " "))]
                lib.true(told[0] in told[1], said)
                others = {found["id"] for found in look(program["pid"])["findings"]}
                lib.equal(f"{condition}: findings",
                          others - {name} - BESIDE.get(condition, set()), set())


@lib.test
def open_files():
    """What is only held open: each object once, and none that is mapped."""
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "open") as program:
            process = look(program["pid"])
            got = {one["kind"]: (one["objects"], one["bytes"]) for one in process["open"]}
            lib.equal("open", got, {"memfd": (1, 8 * MIB), "socket": (2, None)})
            lib.equal("mapped", by_class(process)["shared_memory"], 4 * MIB)
            said = lib.vmview("why", "--human", program["pid"]).out
            lib.true("only held open: 1 memfd (8.0M), 2 sockets (how much is not told)" in
                     said.replace("\n ", ""), said)
        with running(path, "plain") as program:
            lib.equal("nothing", look(program["pid"])["open"], [])


@lib.test
def pinned():
    """What is pinned can not be swapped, and is told of where swap is."""
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "pinned") as program:
            process = look(program["pid"])
            row = next(row for row in process["classes"] if row["class"] == "anonymous")
            lib.equal("estimated", row["estimated"], 32 * MIB)
            said = lib.vmview("why", "--human", program["pid"]).out.replace("\n", " ")
            lib.true("by swap alone but for 32M that are pinned" in said, said)


@lib.test
def secret():
    """Secret memory can not be taken: it is locked."""
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "secret") as program:
            lib.true(by_class(look(program["pid"]))["locked"] >= 2 * MIB, "not locked")


@lib.test
def numbers():
    """What is shared explains all of RSS that is not in PSS, and with how many."""
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "forks") as program:
            process = look(program["pid"])
            figures = process["figures"]
            parts = sum(one["bytes"] - one["pss"] for one in process["sharing"])
            if abs(figures["rss"] - figures["pss"] - parts) > len(process["sharing"]):
                raise lib.Failed(f"{parts} of {figures}")
            forked = next(one for one in process["sharing"] if one["what"] == "forked")
            lib.true(forked["bytes"] >= 64 * MIB, str(forked))
            lib.equal("halves", forked["bytes"], 2 * forked["pss"])
            said = lib.vmview("why", "--human", program["pid"]).out.replace("\n  ", " ")
            lib.true(re.search(r"RSS is [0-9.]+M more than PSS: shared are memory since a fork "
                               r"\(64M, with 1\.0 others on average\)", said), said)


@lib.test
def of_malloc():
    lib.need_root()
    states = os.path.join(HERE, "malloc", "states.c")
    with elf.workshop() as directory:
        path = os.path.join(directory, "states")
        subprocess.run(["gcc", "-O1", "-D_GNU_SOURCE", "-pthread", "-o", path, states], check=True)
        for state, name in (("runs", "malloc-trim"), ("second", "malloc-fragmented"),
                            ("arenas", "malloc-arenas")):
            with running_state(path, state) as pid:
                plain, asked = look(pid), look(pid, "--malloc")
                lib.equal("not asked", finding(plain, name), None)
                lib.true(finding(asked, name), f"{state}: no finding {name}")
                lib.equal("asked", finding(asked, "malloc-not-asked"), None)
                process = lib.vmview_json("malloc", pid)["processes"][0]
                if name == "malloc-arenas":
                    arenas = next(use for use in asked["purposes"]
                                  if use["purpose"] == "malloc_arenas")
                    lib.true(arenas["guess"] and arenas["mappings"] >= 16, str(arenas))
                if name == "malloc-trim":
                    lib.equal("bytes", finding(asked, name)["bytes"],
                              process["total"]["trimmable"])
                    lib.true(finding(plain, "malloc-not-asked"), "nothing says what to ask for")


@contextlib.contextmanager
def running_state(path, state):
    process = subprocess.Popen([path, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for line in process.stdout:
            if line.startswith(b"{"):
                break
        yield process.pid
    finally:
        process.stdin.close()
        process.kill()
        process.wait()


@lib.test
def without_frames():
    """From smaps: the same sums, and what is not told apart is one class."""
    lib.need_root()
    with elf.workshop() as directory:
        os.chmod(directory, 0o755)
        path = build(directory)
        for condition, name, bytes_of in (("plain", "anonymous", 8 * MIB),
                                          ("lazy", "lazily_freed", 48 * MIB),
                                          ("locked", "locked", 32 * MIB)):
            process = subprocess.Popen(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                                        "--clear-groups", path, condition],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
            line = process.stdout.readline()
            try:
                if not line:
                    continue    # may not lock that much
                got = look(process.pid, user=NOBODY)
                found = by_class(got)
                # pages that were just freed lag behind by up to a batch a processor
                if not bytes_of - MIB // 4 <= found[name] <= bytes_of + MIB:
                    raise lib.Failed(f"{condition}: {found}")
                lib.true(found.get("not_told", 0) < MIB, f"{condition}: {found}")
                row = next(row for row in got["classes"] if row["class"] == "not_told")
                lib.equal("reclaim", row["reclaim"], None)
            finally:
                process.stdin.close()
                process.wait()


@lib.test
def answer():
    """Ends with one to three sentences; tables are 80 columns wide at most."""
    lib.need_root()
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "locked") as program:
            said = lib.vmview("why", program["pid"]).out
            last = said.rstrip("\n").rsplit("\n\n", 1)[1].replace("\n", " ")
            last = re.split(r"(?<=\.) (?=[A-Z])", last)
            lib.true(1 <= len(last) <= 3 and last[-1].endswith("."), said)
            lib.true("are resident: " in last[0], last[0])
            said = lib.vmview("why", "--human", "--explain", program["pid"]).out.split("\n")
            lib.equal("too wide", [line for line in said[1:] if len(line) > 80], [])
            rows = lib.vmview("why", "--tree", program["pid"]).out.split("\n")
            lib.true(re.match(r" *PID +HELD .*COMMAND", rows[0]), rows[0])
            lib.equal("a row each", len(rows), 3)


HELD = """
import sys, mmap
held = []
for line in sys.stdin:
    held.append(mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE))
    held[-1].write(b"x" * (64 << 20))
    print(len(held), flush=True)
"""


@lib.test
def growth_since_a_recording():
    """64 MiB more than when it was recorded, and nothing where it stood still."""
    with tempfile.TemporaryDirectory() as directory:
        child = subprocess.Popen([sys.executable, "-c", HELD], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)

        def grow():
            child.stdin.write(b"\n")
            child.stdin.flush()
            child.stdout.readline()

        try:
            grow()
            recording = os.path.join(directory, "earlier")
            lib.vmview("record", recording, child.pid)
            lib.equal("at rest", finding(look(child.pid, "--since", recording), "growth"), None)
            grow()
            found = finding(look(child.pid, "--since", recording), "growth")
            lib.true(found, "it grew")
            lib.true(64 * MIB <= found["bytes"] < 66 * MIB, str(found))
            lib.equal("evidence", found["evidence"]["grew"], found["bytes"])
            lib.equal("not asked", finding(look(child.pid), "growth"), None)
            lib.vmview("why", "--since", recording, "--all", status=2)
            lib.vmview("why", "--since", os.path.join(directory, "nothing"), child.pid, status=2)
        finally:
            child.stdin.close()
            child.wait()


@lib.test
def rows_as_alone():
    """Frames that several map are asked for once a run: each row has what its process alone
    has."""
    lib.need_root()
    with elf.workshop() as directory, contextlib.ExitStack() as stack:
        path = os.path.join(directory, "whyrow")
        subprocess.run(["cp", build(directory), path], check=True)
        pids = [stack.enter_context(running(path, condition))["pid"]
                for condition in ("locked", "shm", "forks", "heap")]
        table = lib.vmview("why", "--csv", "--columns=pid,held,swap,locked,shared",
                           "--name=whyrow").out
        rows = {int(row["pid"]): row for row in csv.DictReader(table.splitlines())}
        lib.true(set(pids) <= set(rows), f"{pids} are not in {table}")
        for pid in rows:
            alone = look(pid)
            sums = collections.Counter()
            for row in alone["classes"]:
                sums[row["reclaim"]] += row["bytes"]
            # of libraries, what others map may become more or less meanwhile
            lib.true(abs(int(rows[pid]["held"]) - alone["held"]) < MIB, f"{rows[pid]} {alone}")
            for name in "swap", "locked", "shared":
                lib.equal(name, int(rows[pid][name]), sums[name])


@lib.test
def nothing():
    """A kernel thread has nothing; a process that is gone is told."""
    process = lib.vmview_json("why", 2, status=None)["processes"]
    lib.true(not process or process[0]["classes"] is None, str(process))
    lib.vmview("why", 4194303, status=1)


def swapped_while_free(path):
    with running(path, "swapped") as program:
        process = look(program["pid"])
        found = finding(process, "swapped-while-free")
        lib.true(found, str(process["findings"]))
        lib.equal("swapped", found["bytes"], by_class(process)["swapped"])
        lib.equal("classes", classes_of(program["pid"])["swapped"], found["bytes"])
        said = lib.vmview("why", "--human", program["pid"]).out.replace("\n", " ")
        lib.true("; outside RSS are 32M in swap." in said, said)


def merged(path):
    with running(path, "merged") as program:
        process = look(program["pid"])
        found = finding(process, "merged")
        lib.true(found, str(process["findings"]))
        with open(f"/proc/{program['pid']}/ksm_merging_pages", encoding="ascii") as file:
            lib.equal("merged", found["bytes"], int(file.read()) * oracle.PAGE)
        lib.equal("mergeable", finding(process, "mergeable"), None)


def huge_by_itself(path):
    with running(path, "huge") as program:
        process = look(program["pid"])
        found = finding(process, "huge-by-itself")
        lib.true(found, str(process["findings"]))
        lib.true(found["bytes"] >= 100 * MIB, str(found))
    with running(path, "plain") as program:
        lib.equal("plain", finding(look(program["pid"]), "huge-by-itself"), None)


SETTINGS = [(swapped_while_free, "zram=64M"), (merged, "ksm"), (huge_by_itself, "thp=always")]

if len(sys.argv) > 1:
    def alone():
        with elf.workshop() as directory:
            {test.__name__: test for test, _ in SETTINGS}[sys.argv[1]](build(directory))
    lib.alone(alone)
else:
    for function, setting in SETTINGS:
        lib.setting_test(function.__name__, setting)
    lib.done()
