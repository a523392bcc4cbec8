#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview cgroup in groups that the test makes, where who pays for what is known by construction."""
import contextlib
import json
import mmap
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

PAGE = mmap.PAGESIZE
NOBODY = 65534
POPULATE_READ = 22
MEMFD = 77      # the descriptor of a member's memfd


def memory_mount():
    """Where the memory controller is, and its version."""
    unified = None
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields, rest = line.split(" - ")
            kind, _, options = rest.split()[:3]
            point = fields.split()[4]
            if kind == "cgroup" and "memory" in options.split(","):
                return point, 1
            if kind == "cgroup2":
                unified = point
    if unified:
        with open(os.path.join(unified, "cgroup.subtree_control"), encoding="ascii") as file:
            if "memory" in file.read().split():
                return unified, 2
    raise lib.Skipped("no memory controller")


# ---- a member: cgroup.py member GROUP PLAN, a process that joins a group and does as it is told

def write_pages(path, pages):
    with open(path, "wb", buffering=0) as file:
        for _ in range(pages):
            file.write(b"x" * PAGE)
        os.fsync(file.fileno())


def map_all(path, kept):
    with open(path, "rb") as file:
        memory = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
    memory.madvise(mmap.MADV_RANDOM)    # one by one, not its neighbours
    memory.madvise(POPULATE_READ)
    kept.append(memory)


def member(group, plan):
    with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    kept = []
    for path, pages in plan.get("write", []):
        write_pages(path, pages)
    if plan.get("memfd"):
        name, pages = plan["memfd"]
        os.dup2(os.memfd_create(name), MEMFD)
        os.write(MEMFD, b"m" * (pages * PAGE))
    for path in plan.get("map", []):
        map_all(path, kept)
    if plan.get("touch"):
        memory = mmap.mmap(-1, plan["touch"] * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for page in range(plan["touch"]):
            memory[page * PAGE] = 1
        kept.append(memory)
    print("ready", flush=True)
    sys.stdin.read()


@contextlib.contextmanager
def in_group(group, **plan):
    process = subprocess.Popen([sys.executable, "-BSE", os.path.abspath(__file__), "member", group,
                                json.dumps(plan)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        lib.equal("the member", process.stdout.readline(), b"ready\n")
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def run_in_group(group, **plan):
    with in_group(group, **plan):
        pass


def remove(group):
    """Its processes end a moment after they were killed."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            os.rmdir(group)
            return
        time.sleep(0.05)
    os.rmdir(group)


@contextlib.contextmanager
def groups(*names):
    """Groups below one of our own, and a directory on a disk; yields paths of both."""
    lib.need_root()
    mount, version = memory_mount()
    top = os.path.join(mount, f"vmview-test-{os.getpid()}")
    paths = [os.path.join(top, name) for name in names]
    with tempfile.TemporaryDirectory(prefix="vmview-cgroup.", dir="/var/tmp") as directory:
        os.mkdir(top)
        try:
            if version == 2:
                with open(os.path.join(top, "cgroup.subtree_control"), "w", encoding="ascii") as f:
                    f.write("+memory")
            for path in paths:
                os.mkdir(path)
            yield directory, top, *paths
        finally:
            for path in reversed(paths):
                if os.path.isdir(path):
                    remove(path)
            remove(top)


def told(group, **options):
    """Processes that may not be read (PID 1 of a container) are named in missing."""
    return lib.vmview_json("cgroup", group, status=options.pop("status", None), **options)


def path_of(group):
    return group[len(memory_mount()[0]):]


def pages_of(document, path, direction):
    """By group: pages of a file that one uses and another pays for."""
    return {use["cgroup"]: use["bytes"] // PAGE for use in document["foreign_files"]
            if use["path"] == path and use["direction"] == direction}


@lib.test
def who_pays_for_shared_pages():
    """The first who touches a page: a file on a disk, and one of tmpfs."""
    with groups("a", "b") as (directory, top, a, b):
        data, memory = os.path.join(directory, "data"), f"/dev/shm/vmview-test-{os.getpid()}"
        try:
            run_in_group(a, write=[(data, 40), (memory, 12)])
            with in_group(b, map=[data, memory]) as pid:
                user, payer = told(b), told(a)
                lib.equal("of the file", pages_of(user, data, "charged_elsewhere"),
                          {path_of(a): 40})
                lib.equal("of tmpfs", pages_of(user, memory, "charged_elsewhere"),
                          {path_of(a): 12})
                lib.equal("who else uses it", pages_of(payer, data, "charged_here"),
                          {path_of(b): 40})
                lib.equal("tmpfs", pages_of(payer, memory, "charged_here"), {path_of(b): 12})
                process = next(one for one in user["processes"] if one["pid"] == pid)
                lib.true(process["charged_elsewhere"] >= 52 * PAGE, f"process: {process}")
                lib.equal("nobody's own", pages_of(user, data, "charged_here"), {})
                # for both together nobody else pays, nor uses it
                both = told(top)
                lib.equal("of both", (pages_of(both, data, "charged_here"),
                                      pages_of(both, data, "charged_elsewhere")), ({}, {}))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(memory)


@lib.test
def who_pays_for_a_memfd():
    """The one who wrote to it: who maps it then uses what that one pays for."""
    name = f"vmview-test-{os.getpid()}"
    with groups("a", "b") as (_, _, a, b), in_group(a, memfd=(name, 23)) as writer, \
            in_group(b, map=[f"/proc/{writer}/fd/{MEMFD}"]) as reader:
        user, payer = told(b), told(a)
        path = f"/memfd:{name}"
        lib.equal("of the memfd", pages_of(user, path, "charged_elsewhere"), {path_of(a): 23})
        lib.equal("who uses it", pages_of(payer, path, "charged_here"), {path_of(b): 23})
        lib.equal("nobody's own", pages_of(user, path, "charged_here"), {})
        process = next(one for one in user["processes"] if one["pid"] == reader)
        lib.true(process["charged_elsewhere"] >= 23 * PAGE, f"process: {process}")
        shm = classes(payer)["shm"]
        lib.true(abs(shm["bytes"] - 23 * PAGE) <= payer["reserve"], f"the group pays: {shm}")
        lib.equal("frames", shm["frames"], 23 * PAGE)


def classes(document):
    return {one["class"]: one for one in document["classes"]}


@lib.test
def classes_add_up():
    """To what is charged; what is unexplained is what processors hold in reserve."""
    with groups("a") as (directory, _, a):
        data = os.path.join(directory, "data")
        with in_group(a, write=[(data, 100)], map=[data], touch=300) as pid:
            document = told(a)
            known = classes(document)
            lib.equal("sum", sum(one["bytes"] or 0 for one in known.values()),
                      document["current"])
            rest, reserve = known["unexplained"]["bytes"], document["reserve"]
            lib.equal("reserve", reserve, os.cpu_count() * 64 * PAGE)
            lib.true(abs(rest) <= reserve, f"unexplained {rest}, reserve {reserve}")
            slack = reserve     # counters are flushed in batches, too
            for name, least in ("anonymous", 300), ("file", 100):
                one = known[name]
                lib.true(abs(one["bytes"] - one["frames"]) <= slack, f"{name}: {one}")
                lib.true(least * PAGE <= one["frames"] <= (least + 3000) * PAGE, f"{name}: {one}")
                lib.true(least * PAGE <= one["processes"] <= one["frames"], f"{name}: {one}")
            process = document["processes"][0]
            lib.equal("process", (process["pid"], process["cgroup"]), (pid, path_of(a)))
            lib.true(process["charged_here"] >= 400 * PAGE, f"process: {process}")
            # the vdso is charged to nobody
            vdso = process["rss"] - process["charged_here"] - process["charged_elsewhere"]
            lib.true(0 <= vdso <= 4 * PAGE, f"process: {process}")


@lib.test
def removed_group_leaves_cache():
    with groups("parent", "parent/gone", "parent/stays") as (directory, _, parent, gone, stays):
        with open(os.path.join(parent, "cgroup.procs"), encoding="ascii") as file:
            lib.equal("processes", file.read(), "")
        run_in_group(gone, write=[(os.path.join(directory, "left"), 700)])
        run_in_group(stays, write=[(os.path.join(directory, "kept"), 200)])
        before = told(parent)["removed"]
        remove(gone)
        time.sleep(0.1)
        document = told(parent)
        removed, slack = document["removed"], document["reserve"]
        lib.true(before["file"] <= slack, f"before: {before}")
        lib.true(abs(removed["file"] - 700 * PAGE) <= slack, f"after: {removed}")
        lib.true(removed["shm"] == 0 and removed["anonymous"] <= slack, f"after: {removed}")
        file = classes(document)["file"]
        lib.true(abs(file["bytes"] - 900 * PAGE) <= slack, f"the parent pays for all: {file}")
        lib.true(abs(file["frames"] - file["bytes"]) <= slack, f"frames: {file}")


def limit(group, pages):
    name = "memory.limit_in_bytes" if memory_mount()[1] == 1 else "memory.max"
    with open(os.path.join(group, name), "w", encoding="ascii") as file:
        file.write(str(pages * PAGE))


@lib.test
def at_its_limit_with_page_cache():
    """More files are written than there is room for: the kernel drops them, and counts that."""
    with groups("a") as (directory, _, a):
        limit(a, 4096)
        with in_group(a, write=[(os.path.join(directory, "data"), 6000)]):
            document = told(a)
            lib.equal("limit", document["limits"]["max"], 4096 * PAGE)
            lib.true(document["current"] <= 4096 * PAGE, f"current {document['current']}")
            lib.true(document["events"]["max"] > 0, f"events {document['events']}")
            lib.true(document["reclaim"]["now"] + document["reclaim"]["once_written"] >
                     1000 * PAGE, f"reclaim {document['reclaim']}")
            lib.equal("above", [one["path"] for one in document["above"]],
                      [os.path.dirname(path_of(a)), "/"])
            text = lib.vmview("cgroup", a, "--bytes", status=None).out
            lib.true(re.search(r"^limit 16777216: \d+ % used", text, re.M), text)


@lib.test
def why_of_a_group_near_its_limit():
    """vmview why tells it of a process in the group, and of none whose group has room."""
    with groups("a") as (_, top, a):
        limit(top, 4096)
        with in_group(a, touch=3800) as pid:
            process = lib.vmview_json("why", pid)["processes"][0]
            found = [one for one in process["findings"] if one["id"] == "cgroup-limit"]
            lib.equal("finding", len(found), 1)
            lib.equal("limit", found[0]["evidence"]["cgroup_limit"], 4096 * PAGE)
            lib.true(found[0]["bytes"] >= 3800 * PAGE, f"bytes {found[0]['bytes']}")
        with in_group(a, touch=100) as pid:
            process = lib.vmview_json("why", pid)["processes"][0]
            lib.equal("room", [one for one in process["findings"]
                               if one["id"] == "cgroup-limit"], [])


@lib.test
def why_of_a_group_that_reclaims():
    """It reached its limit, so that page cache had to go; one with room did not."""
    def found(pid):
        process = lib.vmview_json("why", pid)["processes"][0]
        return [one for one in process["findings"] if one["id"] == "cgroup-reclaimed"]

    with groups("a", "b") as (directory, _, a, b):
        limit(a, 2048)
        with in_group(a, write=[(os.path.join(directory, "file"), 4096)], touch=100) as pid:
            lib.equal("finding", len(found(pid)), 1)
            lib.true(found(pid)[0]["evidence"]["cgroup_reclaims"] > 0, str(found(pid)))
        with in_group(b, touch=100) as pid:
            lib.equal("room", found(pid), [])


@lib.test
def names_of_a_group():
    with groups("a-unit.service") as (_, _, a), in_group(a) as pid:
        name = path_of(a)
        for operand in a, a + "/", name, name[1:], pid, f"/proc/{pid}", "a-unit", "a-unit.service":
            lib.equal(str(operand), told(operand)["path"], name)
        lib.equal("name", told(a)["name"], "a-unit.service")
        done = lib.vmview("cgroup", "no-such-unit", status=1)
        lib.true("no cgroup" in done.err, done.err)


@lib.test
def tree_of_all_groups():
    with groups("a", "b", "b/c") as (directory, top, a, b, c):
        with in_group(c, touch=500) as pid:
            document = lib.vmview_json("cgroup", "--tree")
            found = {group["path"]: group for group in document["groups"]}
            order = [group["path"] for group in document["groups"]]
            for group in top, a, b, c:
                lib.true(path_of(group) in found, f"{group} is missing")
            lib.equal("depth", found[path_of(c)]["depth"], found[path_of(top)]["depth"] + 2)
            lib.true(found[path_of(c)]["anonymous"] >= 500 * PAGE, f"{found[path_of(c)]}")
            lib.equal("processes", (found[path_of(c)]["processes"], found[path_of(b)]["processes"]),
                      (1, 0))
            lib.true(order.index(path_of(top)) < order.index(path_of(b)) < order.index(path_of(c)) <
                     order.index(path_of(a)), "not each below the one it is in, the greater first")
            del pid


@lib.test
def without_rights():
    """What memory.stat tells; processes of others and frames are absent, with the reason."""
    with groups("a") as (directory, _, a), in_group(a, touch=50):
        document = told(a, user=NOBODY, status=1)
        known = classes(document)
        lib.equal("sum", sum(one["bytes"] or 0 for one in known.values()), document["current"])
        lib.equal("frames", known["anonymous"]["frames"], None)
        lib.true(known["anonymous"]["missing"]["frames"].startswith("denied"),
                 f"{known['anonymous']}")
        lib.equal("foreign", document["foreign"], None)
        lib.equal("complete", document["complete"], False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["member"]:
        member(sys.argv[2], json.loads(sys.argv[3]))
    else:
        lib.done()
