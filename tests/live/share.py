#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview share against a family that knows what each two share, against plain readers of the
kernel's files, and against itself: the sums that have to agree on any machine."""
import collections
import itertools
import os
import subprocess
import sys
import time

import lib
import oracle

SOME = 100
KINDS = ("anon", "shm", "file", "ksm", "hugetlb")


def share(*args, status=0, **options):
    return lib.vmview_json("share", "--top=0", *args, status=status, **options)


def identities(doc):
    """What holds of every document, whoever was read."""
    page = doc["host"]["page_size"]
    by_pid = {p["pid"]: p for p in doc["processes"]}
    lib.equal("groups and footprint", sum(g["bytes"] for g in doc["groups"]), doc["footprint"])
    lib.equal("kinds and footprint", sum(doc["footprint_by_kind"].values()), doc["footprint"])
    for kind in KINDS:
        lib.equal(f"{kind} of groups", sum(g[kind] for g in doc["groups"]),
                  doc["footprint_by_kind"][kind])
    lib.equal("if_ended", sum(doc["if_ended"].values()), doc["footprint"])
    only = {g["pids"][0]: g["bytes"] for g in doc["groups"] if g["processes"] == 1}
    several = sum(g["bytes"] for g in doc["groups"] if g["processes"] > 1)
    known = [p for p in doc["processes"] if p["only"] is not None]
    lib.equal("only and groups", sum(p["only"] for p in known) + several, doc["footprint"])
    lib.equal("sum of rss", sum(p["rss"] for p in known), doc["sum_rss"])
    lib.equal("sum of pss", sum(p["pss"] for p in known), doc["sum_pss"])
    # on a machine of thousands of processes every pair would take minutes
    known = known[:SOME // 2] + known[-SOME // 2:] if len(known) > SOME else known
    some = {p["pid"] for p in known}
    pairs = collections.Counter()
    for group in doc["groups"]:
        lib.equal("size of a group", len(set(group["pids"])), group["processes"])
        lib.equal("kinds of a group", sum(group[kind] for kind in KINDS), group["bytes"])
        for pair in itertools.combinations(sorted(some.intersection(group["pids"])), 2):
            pairs[pair] += group["bytes"]
    got = {tuple(sorted((p["a"], p["b"]))): p["shared"] for p in doc["pairs"]
           if p["a"] in some and p["b"] in some}
    lib.equal("pairs", got, dict(pairs))
    for process in known:
        mine = [g for g in doc["groups"] if process["pid"] in g["pids"]]
        lib.equal("only", process["only"], only.get(process["pid"], 0))
        lib.equal("shared", process["shared"],
                  sum(g["bytes"] for g in mine if g["processes"] > 1))
        lib.true(process["uss"] <= process["only"], f"uss of {process} is over only")
        lib.true(process["rss"] + process["hugetlb"] >= process["only"] + process["shared"],
                 f"frames of {process} are more than its pages")
        for key in "rss", "uss", "only", "shared":
            lib.equal(f"{key} modulo page", process[key] % page, 0)
    return by_pid


def family_facts(zoo):
    truth = zoo.truth["family"]
    spaces = {}
    for process in truth["processes"]:
        spaces.setdefault(process["space"], []).append(process["pid"])
    return truth, spaces


@lib.test
def family_to_the_page():
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth, spaces = family_facts(zoo)
        doc = share(*[p["pid"] for p in truth["processes"]])
        by_pid = identities(doc)
        lib.equal("processes", len(by_pid), len(spaces))
        for want in truth["processes"]:
            got = by_pid[spaces[want["space"]][0]]
            for key in "rss", "uss", "pss":
                lib.equal(f"{key} of {want}", got[key], want[key])
            lib.equal("same_memory", got.get("same_memory", []), spaces[want["space"]][1:])
        twins = {pids[-1] for pids in spaces.values() if len(pids) > 1}
        for pair in truth["pairs"]:
            if pair["a"] in twins or pair["b"] in twins:
                continue
            got = [p["shared"] for p in doc["pairs"]
                   if {p["a"], p["b"]} == {pair["a"], pair["b"]}]
            lib.equal(f"pair {pair}", sum(got), pair["shared"])
        want = {tuple(sorted(set(g["pids"]) - twins)): g["bytes"] for g in truth["groups"]}
        got = {tuple(sorted(g["pids"])): g["bytes"] for g in doc["groups"]}
        lib.equal("groups", got, want)
        lib.equal("footprint", doc["footprint"], truth["footprint"])
        lib.equal("exact", doc["exact"], True)


@lib.test
def family_by_kind():
    """The regions say of what kind their pages are; all of them would go with the family."""
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth, spaces = family_facts(zoo)
        doc = share(*[pids[0] for pids in spaces.values()])
        page = doc["host"]["page_size"]
        lib.equal("kinds", doc["footprint_by_kind"],
                  {"anon": 110 * page, "shm": 48 * page, "file": 32 * page, "ksm": 0,
                   "hugetlb": 0})
        lib.equal("freed", doc["if_ended"]["freed"], doc["footprint_by_kind"]["anon"])
        lib.equal("kept", doc["if_ended"]["kept"], 0)
        parent, child = spaces[0][0], spaces[1][0]
        part = share(parent, child)
        # of the parent's 64 forked pages 52 are mapped by the children that are left out, 4 by
        # nobody else, 8 by the child alone or with them
        lib.true(part["if_ended"]["kept"] > 0, "nothing is kept by the others")
        lib.true(part["if_ended"]["freed"] < part["footprint_by_kind"]["anon"],
                 "what others map is not free")
        lib.equal("pair", [p["shared"] for p in part["pairs"]],
                  [p["shared"] for p in truth["pairs"] if (p["a"], p["b"]) == (parent, child)])
        identities(part)


@lib.test
def twins_are_named():
    """One memory is one row; the table says whose it is too."""
    lib.need_root()
    with lib.zoo("family") as zoo:
        _, spaces = family_facts(zoo)
        first, *others = next(pids for pids in spaces.values() if len(pids) > 1)
        out = lib.vmview("share", first, *others).out
        line = f"{first} has its memory in common with {' '.join(map(str, others))}: "
        lib.true(line + "they count as one\n" in out, out)
        out = lib.vmview("ps", first, *others).out
        lib.true(f"counted once in the sum: {len(others)} with the memory of another" in out, out)


@lib.test
def one_process_alone():
    lib.need_root()
    with lib.zoo("family") as zoo:
        pid = zoo.truth["family"]["processes"][3]["pid"]
        doc = share(pid)
        identities(doc)
        lib.equal("pairs", doc["pairs"], [])
        lib.equal("only", doc["processes"][0]["only"], doc["processes"][0]["rss"])


@lib.test
def forked_huge_pages():
    """One huge page is mapped by PTEs in the child, of which one is its own."""
    lib.need_root()
    with lib.zoo("cow-thp") as zoo:
        truth = zoo.truth["cow-thp"]
        parent, child = truth["mappings"][0]["pid"], truth["mappings"][1]["pid"]
        doc = share(parent, child)
        identities(doc)
        page = doc["host"]["page_size"]
        plain = oracle.all_pfns(parent), oracle.all_pfns(child)
        both = len(set(plain[0]) & set(plain[1])) * page
        lib.true(abs(doc["pairs"][0]["shared"] - both) <= 8 * page,
                 f"shared {doc['pairs'][0]['shared']}, plainly {both}")
        lib.true(doc["pairs"][0]["anon"] >= 1000 * page, "the huge pages are not shared")
        # the page that the child copied is the parent's alone, though it is part of a huge page
        for process in doc["processes"]:
            want = rollup(process["pid"])
            lib.equal(f"uss of {process['pid']}", process["uss"],
                      want["Private_Clean"] + want["Private_Dirty"])


@lib.test
def frames_as_read_plainly():
    lib.need_root()
    with lib.zoo("cow", "fork-three") as zoo:
        pids = {m["pid"] for name in ("cow", "fork-three")
                for m in zoo.truth[name]["mappings"]}
        doc = share(*sorted(pids))
        page = doc["host"]["page_size"]
        by_pid = identities(doc)
        frames = {pid: set(oracle.all_pfns(pid)) for pid in pids}
        for pid in pids:
            got = by_pid[pid]["only"] + by_pid[pid]["shared"]
            lib.true(abs(got - len(frames[pid]) * page) <= 4 * page,
                     f"frames of {pid}: {got}, plainly {len(frames[pid]) * page}")
        every = set().union(*frames.values())
        lib.true(abs(doc["footprint"] - len(every) * page) <= 8 * page,
                 f"footprint {doc['footprint']}, plainly {len(every) * page}")


def rollup(pid):
    sums = collections.Counter()
    for line in oracle.read(f"/proc/{pid}/smaps_rollup").decode().splitlines()[1:]:
        words = line.split()
        sums[words[0].rstrip(":")] = int(words[1]) * 1024
    return sums


STILL = ("touched", "zero-mixed", "sparse", "guard", "lazyfree", "mlock", "thp", "thp-pte",
         "huge-zero", "mthp", "shmem-thp", "file-twice", "file-cow", "memfd-twice",
         "memfd-private", "dev-zero-private", "dev-zero-shared", "sysv", "secretmem", "tmpfs-file",
         "fork-three", "swap-fork", "droppable", "mseal", "vdso", "io-uring", "packet", "perf",
         "aio", "uffd-wp")


@lib.test
def rss_pss_uss_as_smaps_rollup():
    """Zoos stand still, so each figure has to be the kernel's own; PSS nearly."""
    lib.need_root()
    seen = 0
    for animal in STILL:
        try:
            with lib.zoo(animal) as zoo:
                truth = zoo.truth[animal]
                pid = (truth if isinstance(truth, dict) else truth[0])["pid"]
                for _ in range(5):      # until it stands still, libraries of others included
                    want, got = rollup(pid), share(pid)["processes"][0]
                    uss = want["Private_Clean"] + want["Private_Dirty"]
                    if rollup(pid) == want and got["uss"] == uss:
                        break
        except (lib.Skipped, lib.Failed):
            continue            # not here
        seen += 1
        lib.equal(f"rss of {animal}", got["rss"], want["Rss"])
        # others map and unmap the C library meanwhile
        lib.true(abs(got["pss"] - want["Pss"]) < 4096 + (got["rss"] - got["uss"]) // 8,
                 f"pss of {animal} {got['pss']}, rollup {want['Pss']}")
        lib.equal(f"uss of {animal}", got["uss"], uss)
        lib.equal(f"swap of {animal}", got["swap"],
                  want["Swap"])
    lib.true(seen > 10, f"only {seen} animals stood")


@lib.test
def the_whole_machine():
    """Whatever runs here: the sums agree."""
    lib.need_root()
    if sum(name.isdigit() for name in os.listdir("/proc")) > 800:
        raise lib.Skipped("thousands of processes: their pairs take minutes to check")
    doc = share("--all", status=None)
    identities(doc)
    lib.true(len(doc["processes"]) >= 2, "no processes")
    lib.true(doc["footprint"] <= doc["sum_rss"] + doc["sum_hugetlb"], "footprint over sum")
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        total = int(meminfo.readline().split()[1]) * 1024
    lib.true(doc["footprint"] < total, f"footprint {doc['footprint']} over memory {total}")


@lib.test
def without_frames_it_is_pss():
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth, spaces = family_facts(zoo)
        pids = [pids[0] for pids in spaces.values()]
        doc = share(*pids, "--without=frames", status=1)
        want = {pids[p["space"]]: p["pss"] for p in truth["processes"]}
        lib.equal("pids", {p["pid"] for p in doc["processes"]}, set(want))
        for process in doc["processes"]:
            lib.true(abs(process["pss"] - want[process["pid"]]) <= 1024,
                     f"pss of {process}, expected {want[process['pid']]}")
        for key in "pairs", "groups", "footprint":
            lib.equal(key, doc[key], None)
            lib.equal(f"{key}'s reason", doc["missing"][key], "switched off")
        lib.equal("only", doc["processes"][0]["only"], None)
        lib.equal("complete", doc["complete"], False)


@lib.test
def without_counts_and_scan():
    """Neither map counts nor PAGEMAP_SCAN change what is shared."""
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth, spaces = family_facts(zoo)
        pids = [pids[0] for pids in spaces.values()]
        want = share(*pids)
        for without in "scan", "counts":
            got = share(*pids, f"--without={without}")
            lib.equal(without, (got["groups"], got["pairs"], got["footprint"]),
                      (want["groups"], want["pairs"], want["footprint"]))
        lib.equal("pss", got["processes"][0]["pss"], None)
        lib.equal("sum_pss", got["sum_pss"], None)
        lib.equal("unknown and own", got["if_ended"]["unknown"] + got["if_ended"]["freed"] +
                  got["if_ended"]["shm"], truth["footprint"])


TWICE = """
import mmap, os, sys
fd = os.memfd_create("twice")
os.ftruncate(fd, 4 << 20)
views = [mmap.mmap(fd, 4 << 20) for _ in range(2)]
for view in views:
    for at in range(0, 4 << 20, 4096):
        view[at] = 1
print("ready", flush=True)
sys.stdin.read()
"""


@lib.test
def a_page_mapped_twice_by_one_process():
    """Each mapping has half, the process all, once: its PSS is not its RSS, nor half of it."""
    lib.need_root()
    process = subprocess.Popen([sys.executable, "-c", TWICE], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        rows = [row for row in
                lib.vmview_json("-o", "path,rss,pss,uss", process.pid)["processes"][0]["mappings"]
                if row["path"] == "/memfd:twice"]
        lib.equal("mappings", [(row["rss"], row["pss"], row["uss"]) for row in rows],
                  [(4 << 20, 2 << 20, 0)] * 2)
        by_pages = [row for row in lib.vmview_json("-o", "path,pss", "--from=pages", process.pid)
                    ["processes"][0]["mappings"] if row["path"] == "/memfd:twice"]
        lib.equal("by pages", [row["pss"] for row in by_pages], [2 << 20] * 2)
        one = share(process.pid)["processes"][0]
        ps = lib.vmview_json("ps", process.pid)["processes"][0]
        lib.equal("rss", one["rss"], ps["rss"])
        lib.true(abs(one["pss"] - ps["pss"]) < 1 << 20, (one["pss"], ps["pss"]))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@lib.test
def as_nobody():
    """Own processes have PSS; those of others say why not."""
    lib.need_root()
    with lib.zoo("touched") as zoo:
        doc = share(zoo.pid, user=65534, status=1)
        lib.equal("rss", doc["processes"][0]["rss"], None)
        lib.true(doc["processes"][0]["missing"]["rss"].startswith("denied"), "no reason")
        lib.equal("footprint", doc["footprint"], None)
        lib.true("CAP_SYS_ADMIN" in doc["missing"]["footprint"], doc["missing"]["footprint"])
        done = lib.vmview("share", zoo.pid, user=65534, status=1)
        lib.true("try: sudo" in done.err, done.err)


@lib.test
def who_is_not_there():
    with lib.zoo("touched") as zoo:
        process = subprocess.Popen(["true"])
        process.wait()
        done = lib.vmview("share", zoo.pid, process.pid, status=1)
        lib.true(str(process.pid) in done.err, done.err)
        lib.true(f"\n{zoo.pid} " in "\n" + done.out.replace("\n ", "\n"), done.out)
    if os.path.exists("/proc/2"):
        document = share(2)
        lib.equal("kernel thread", document["processes"][0]["missing"]["rss"],
                  "kernel thread: has no memory of its own")


@lib.test
def usage():
    lib.vmview("share", status=2)
    lib.vmview("share", "--top=x", os.getpid(), status=2)
    lib.vmview("share", "-o", "nothing", os.getpid(), status=2)
    lib.true("only" in lib.vmview("share", "--columns=help").out, "no columns")


@lib.test
def top_cuts_and_says_so():
    lib.need_root()
    with lib.zoo("family") as zoo:
        _, spaces = family_facts(zoo)
        pids = [pids[0] for pids in spaces.values()]
        whole, cut = share(*pids), lib.vmview_json("share", *pids, "--top=2")
        lib.equal("pairs", cut["pairs"], whole["pairs"][:2])
        lib.equal("groups", cut["groups"], whole["groups"][:2])
        lib.equal("complete", (cut["pairs_complete"], cut["groups_complete"]), (False, False))
        lib.equal("totals", (cut["pairs_total"], cut["groups_total"]),
                  (len(whole["pairs"]), len(whole["groups"])))
        lib.equal("whole", (whole["pairs_complete"], whole["groups_complete"]), (True, True))


@lib.test
def huge_reservations_cost_nothing():
    """20 TiB reserved as AddressSanitizer does: scanned, not read."""
    lib.need_root()
    sparse = os.path.join(lib.BUILD, "bench/sparse")
    with subprocess.Popen([sparse, "-n", "64", "20t"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            before = time.process_time(), os.times().children_user + os.times().children_system
            doc = share(process.pid)
            used = os.times().children_user + os.times().children_system - before[1]
            lib.true(doc["processes"][0]["only"] >= 64 * doc["host"]["page_size"], "pages")
            lib.true(used < 1, f"{used} s of CPU for 64 pages")
        finally:
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    lib.done()
