#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview system against the kernel's files read plainly, on whatever machine this is."""
import json
import os
import shutil
import subprocess
import tempfile
import time

import lib
from lib import equal, true

PAGE = os.sysconf("SC_PAGESIZE")
MIB = 1 << 20


def frames_end():
    """How many words /proc/kpageflags has: found by halving, it has no size."""
    low, high = 0, 1 << 40
    with open("/proc/kpageflags", "rb", 0) as file:
        while low < high:
            middle = (low + high) // 2
            if os.pread(file.fileno(), 8, middle * 8):
                low = middle + 1
            else:
                high = middle
    return low


def meminfo():
    found = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            key, rest = line.split(":")
            found[key] = int(rest.split()[0]) * (1024 if rest.endswith("kB\n") else 1)
    return found


def classes(document):
    return {row["class"]: row for row in document["classes"]}


def blocks():
    """Frame numbers that are memory, by the memory blocks."""
    base = "/sys/devices/system/memory"
    with open(f"{base}/block_size_bytes", encoding="ascii") as file:
        size = int(file.read(), 16) // PAGE
    found = [int(name[6:]) for name in os.listdir(base)
             if name.startswith("memory") and name[6:].isdigit()]
    return size, found


@lib.test
def every_frame_is_in_one_class():
    lib.need_root()
    document = lib.vmview_json("system")
    rows = document["classes"]
    equal("total", document["total_frames"], frames_end())
    equal("classes", sum(row["frames"] for row in rows), document["total_frames"])
    equal("mobility", sum(document["mobility"].values()), document["total_frames"] * PAGE)
    equal("unread", document["unread_frames"], 0)
    for row in rows:
        equal(f"bytes of {row['class']}", row["bytes"], row["frames"] * PAGE)
        if row["dirty"] is not None:
            true(row["dirty"] <= row["bytes"] and row["large"] <= row["bytes"], f"{row}")
    size, found = blocks()
    equal("holes", classes(document)["hole"]["frames"], frames_end() - size * len(found))


@lib.test
def zones_and_nodes_add_up():
    lib.need_root()
    document = lib.vmview_json("system")
    holes = classes(document)["hole"]["bytes"]
    memory = document["total_frames"] * PAGE - holes
    for key in "zones", "nodes":
        total = sum(sum(row["classes"].values()) for row in document[key])
        if key == "zones":
            equal("zones", total, memory)
        else:
            true(total <= memory, "nodes have no more than the zones")
    for row in document["classes"]:
        name = row["class"]
        if name in ("hole", "hugetlb", "hugetlb_free"):
            continue
        equal(name, sum(zone["classes"][name] for zone in document["zones"]), row["bytes"])


@lib.test
def meminfo_line_by_line():
    """All lines, in their order; those that frames tell differ by little, on a calm machine."""
    lib.need_root()
    for attempt in range(8):
        document = lib.vmview_json("system")
        rows = {row["line"]: row for row in document["meminfo"]}
        calm = abs(rows["MemFree"]["moved"]) < 8 * MIB
        if calm or attempt == 7:
            break
        time.sleep(1)
    with open("/proc/meminfo", encoding="ascii") as file:
        equal("lines", list(rows), [line.split(":")[0] for line in file])
    for name, row in rows.items():
        if row["frames"] is None:
            true(row["why"] or row["missing"]["frames"], f"{name} says nothing")
            continue
        equal(f"difference of {name}", row["difference"], row["frames"] - row["bytes"])
        if row["difference"]:
            true(row["why"] or name in ("MemFree", "Shmem", "SwapCached", "Writeback", "Hugetlb"),
                 f"{name} differs by {row['difference']} without a word")
    equal("total", rows["MemTotal"]["bytes"], meminfo()["MemTotal"])
    if not calm:
        raise lib.Skipped("others change the machine's memory all the time")
    for name, most in (("MemFree", 64), ("Shmem", 32), ("Cached", 64), ("AnonPages", 128),
                       ("Slab", 64), ("PageTables", 32), ("MemTotal", 128)):
        true(abs(rows[name]["difference"]) <= most * MIB,
             f"{name} differs by {rows[name]['difference']}")


@lib.test
def frames_of_a_known_process():
    """A class grows by what a process begins to use; the machine has to hold still meanwhile."""
    lib.need_root()
    size = 192 * MIB
    for _ in range(6):
        before = lib.vmview_json("system")
        code = f"import mmap,sys; m=mmap.mmap(-1,{size},flags=mmap.MAP_SHARED|mmap.MAP_ANONYMOUS)\n"
        code += f"for i in range(0,{size},{PAGE}): m[i]=1\nprint(1,flush=True); sys.stdin.read()"
        child = subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        try:
            child.stdout.readline()
            after = lib.vmview_json("system")
        finally:
            child.kill()
            child.wait()
        grown = classes(after)["shm"]["bytes"] - classes(before)["shm"]["bytes"]
        if abs(grown - size) < 4 * MIB:
            return
    raise lib.Failed(f"shm grew by {grown}, expected about {size}")


@lib.test
def of_a_removed_cgroup():
    """What it is still charged for is in the row of the one above, and the table says so."""
    lib.need_root()
    above = next((path for path in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup")
                  if os.path.exists(f"{path}/cgroup.procs")), None)
    if not above:
        raise lib.Skipped("no hierarchy of cgroups with memory")
    try:
        parent = tempfile.mkdtemp(dir=above, prefix="vmview-test.")
    except OSError as err:
        raise lib.Skipped(f"no cgroup can be made: {err.strerror}") from err
    file = tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="vmview-test.")
    try:
        if above == "/sys/fs/cgroup":
            with open(f"{parent}/cgroup.subtree_control", "w", encoding="ascii") as control:
                control.write("+memory")
        os.mkdir(f"{parent}/child")
        subprocess.run(["sh", "-c", f"echo $$ >{parent}/child/cgroup.procs && "
                        f"head -c 20971520 /dev/zero >{file.name}"], check=True)
        os.rmdir(f"{parent}/child")
        name = "/" + os.path.basename(parent)
        document = lib.vmview_json("system", "--by=cgroup")
        rows = [row for row in document["cgroups"] if (row["cgroup"] or "").startswith(name)]
        equal("rows", [row["cgroup"] for row in rows], [name])
        true(20 * MIB <= rows[0]["shm"] < 21 * MIB, rows[0])
        true("What removed cgroups are still charged for" in
             lib.vmview("system", "--by=cgroup").out, "it is not told")
    except OSError as err:
        raise lib.Skipped(f"no memory controller: {err.strerror}") from err
    finally:
        file.close()
        for path in f"{parent}/child", parent:
            if os.path.isdir(path):
                os.rmdir(path)


@lib.test
def by_cgroup():
    lib.need_root()
    document = lib.vmview_json("system", "--by=cgroup")
    rows = document["cgroups"]
    holes = sum(size for name, size in document["mobility"].items() if name == "none")
    equal("sum", sum(row["bytes"] for row in rows),
          document["total_frames"] * PAGE - holes)
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(":", 2) for line in file]
    own = [path for _, names, path in lines if "memory" in names.split(",")]
    own = own or [path for _, names, path in lines if not names]
    paths = {row["cgroup"]: row for row in rows}
    if own[0] == "/":
        raise lib.Skipped("the test runs in the root cgroup")
    true(own[0] in paths, f"{own[0]} is not in {sorted(filter(None, paths))}")
    true(paths[own[0]]["anonymous"] > 0, "our own cgroup has anonymous memory")


@lib.test
def by_process():
    """The family's frames, which nobody else has, each divided by those that map it."""
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth = zoo.truth["family"]
        space = {process["pid"]: process["space"] for process in truth["processes"]}
        want, only = {}, {}
        for group in truth["groups"]:
            spaces = {space[pid] for pid in group["pids"]}
            for number in spaces:
                want[number] = want.get(number, 0) + group["bytes"] / len(spaces)
                if len(spaces) == 1:
                    only[number] = only.get(number, 0) + group["bytes"]
        done = lib.vmview("system", "--by=process", "--json", status=None)
        document = json.loads(done.out)
        lib.validate(document)
        found = {space[row["pid"]]: row for row in document["processes"] if row["pid"] in space}
        equal("spaces", set(found), set(want))
        for number, row in found.items():
            true(abs(row["bytes"] - want[number]) <= 2, f"{row}, expected {want[number]}")
            equal("only", row["only"], only.get(number, 0))
    kinds = {row["kind"]: row for row in document["owned"]}
    equal("kinds", list(kinds), ["anon", "shm", "file", "ksm", "hugetlb"])
    known = [row for row in document["processes"] if row["bytes"] is not None]
    for kind, key in ("anon", "anonymous"), ("shm", "shm"), ("file", "file"):
        total = sum(row[key] for row in known)
        true(abs(total - kinds[kind]["owned"]) <= len(known), f"{kind}: {total}, {kinds[kind]}")


def mapper(path, code):
    """A process that maps the file and does something to it."""
    text = ("import mmap,sys; f=open(sys.argv[1],'r+b')\n" + code +
            "print(1,flush=True); sys.stdin.read()")
    child = subprocess.Popen(["/usr/bin/python3", "-c", text, path], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    return child


@lib.test
def by_file():
    """A file of 64 pages: one process has 64 of them, another 54, and copies of 10."""
    lib.need_root()
    reads = "m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ)\n"
    touch = f"sum(m[i] for i in range(0,len(m),{PAGE}))\n"
    private = "m=mmap.mmap(f.fileno(),0,flags=mmap.MAP_PRIVATE)\n"
    zero = (f"z=open('/dev/zero','r+b')\nn=mmap.mmap(z.fileno(),{PAGE},flags=mmap.MAP_PRIVATE)\n"
            "n[0]=1\n")
    copy = f"for i in range(0,10*{PAGE},{PAGE}): m[i]=1\n"
    for directory, kind in ("/dev/shm", "shm"), ("/var/tmp", "file"):
        with tempfile.NamedTemporaryFile(prefix="vmview-test.", dir=directory) as file:
            file.write(bytes(64 * PAGE))
            file.flush()
            children = [mapper(file.name, reads + touch),
                        mapper(file.name, zero + private + copy + touch)]
            try:
                done = lib.vmview("system", "--by=file", "--json", status=None)
            finally:
                for child in children:
                    child.kill()
                    child.wait()
            document = json.loads(done.out)
            lib.validate(document)
            row, = [row for row in document["files"] if row["path"] == file.name]
            equal("bytes", row["bytes"], 64 * PAGE)
            equal("processes", row["processes"], 2)
            equal("kind", row["kind"], kind)
            equal("inode", row["inode"], os.stat(file.name).st_ino)
            equal("deleted", row["deleted"], False)
            # private memory from /dev/zero is not that file's; what others share is named so too
            zeros = {row["bytes"] for row in document["files"]
                     if row["path"] == "/dev/zero" and row["kind"] == "device"}
            equal("/dev/zero", zeros, {0})


@lib.test
def picture():
    lib.need_root()
    document = lib.vmview_json("system", "--map")
    cells = document["map"]["cells"]
    size = document["map"]["cell_bytes"]
    total = document["total_frames"] * PAGE
    true(size * (len(cells) - 1) < total <= size * len(cells), f"{len(cells)} cells of {size}")
    true(set(cells) <= set(document["map"]["legend"].values()), "a letter is not in the legend")
    true(size % (512 * PAGE) == 0 or PAGE != 4096, "a cell is whole pageblocks")
    text = lib.vmview("system", "--map").out.splitlines()
    true("SHARE" not in "\n".join(text), "classes are not asked for")
    both = lib.vmview("system", "--map", "--by=cgroup").out.splitlines()
    true(any(line.split()[-1:] == ["CGROUP"] for line in both), "--by is left out")
    shown = "".join(line[13:] for line in text[:text.index("")] if line.startswith("0"))
    true(shown.replace(" ", "") and len(shown) <= len(cells), "the picture is there")


@lib.test
def unprivileged():
    lib.need_root()
    done = lib.vmview("system", "--json", user=65534, status=1)
    document = json.loads(done.out)
    lib.validate(document)
    true(document["classes"] is None, "no class without frames")
    true(document["missing"]["classes"].startswith("denied"), document["missing"])
    equal("complete", document["complete"], False)
    rows = {row["line"]: row for row in document["meminfo"]}
    equal("MemTotal", rows["MemTotal"]["bytes"], meminfo()["MemTotal"])
    equal("frames", rows["MemFree"]["frames"], None)
    true("denied" in rows["MemFree"]["missing"]["frames"], f"{rows['MemFree']}")
    true("try: sudo" in done.err, done.err)


@lib.test
def one_processor():
    lib.need_root()
    cpu = min(os.sched_getaffinity(0))
    out = subprocess.run(["taskset", "-c", str(cpu), lib.VMVIEW, "system", "--json"], check=True,
                         stdout=subprocess.PIPE).stdout
    document = json.loads(out)
    equal("sum", sum(row["frames"] for row in document["classes"]), frames_end())


@lib.test
def hostile_recordings():
    """Numbers that cannot be: an answer within seconds, whatever it is."""
    base = tempfile.mkdtemp(prefix="vmview-test.")
    try:
        os.makedirs(f"{base}/proc")
        os.makedirs(f"{base}/sys/devices/system/memory")
        for flags, block in (("0 0xfffffffffffffff 400\n", "8000000"), ("5 1 400\n", "1000"),
                             ("0x3fffffffffff 9 400\n", "1000"), ("0 100 400 +1\n", "0"),
                             ("rubbish\n", "8000000"), ("", "8000000")):
            with open(f"{base}/proc/kpageflags", "w", encoding="ascii") as file:
                file.write(flags)
            with open(f"{base}/sys/devices/system/memory/block_size_bytes", "w",
                      encoding="ascii") as file:
                file.write(block)
            start = time.monotonic()
            done = lib.vmview("system", "--json", "--map", f"--root={base}", status=1)
            lib.validate(json.loads(done.out))
            true(time.monotonic() - start < 60, f"{flags!r} took too long")
    finally:
        shutil.rmtree(base)


@lib.test
def words_as_they_are():
    """The words of a recording, counted independently."""
    path = os.path.join(lib.SRC, "tests/trees/machine/proc/kpageflags")
    count = 0
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split("#")[0].split()
            if len(words) >= 3 and int(words[2], 16) >> 10 & 1:
                count += int(words[1])
    tree = os.path.join(lib.SRC, "tests/trees/machine")
    document = lib.vmview_json("system", f"--root={tree}")
    equal("free", classes(document)["free"]["frames"], count)


lib.done()
