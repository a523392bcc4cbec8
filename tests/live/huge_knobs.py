#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview huge where the machine has to be set up: folios of 64 KiB, huge pages of shared memory and
of files, the hugetlb pool."""
import mmap
import os
import subprocess
import sys
import tempfile

import lib

KB = 1 << 10
MB = 1 << 20


def check(animal, options, want, user=None):
    """All mappings of the animal, with options; user: as that one. Returns the process."""
    with lib.zoo(animal) as zoo:
        truths = zoo.truth[animal]["mappings"]
        process = lib.vmview_json("huge", zoo.pid, *options, user=user)["processes"][0]
        mappings = {mapping["start"]: mapping for mapping in process["mappings"]}
        for truth in truths:
            got = mappings[truth["start"]]
            for key, value in want.items():
                lib.equal(f"{animal} {key}", got.get(key), value)
    return process


def folios_of_64_kib():
    """Two of them, mapped page by page, at addresses aligned like their frames."""
    process = check("mthp", ["--why"], {
        "present": 128 * KB, "pmd": 0, "large": 128 * KB, "aligned": 128 * KB, "unmapped": 0,
        "tlb": 32, "huge_slots": 0, "f64k": 128 * KB, "f4k": None, "f2m": None, "why": "short"})
    lib.equal("thp_disabled", process["thp_disabled"], False)
    lib.equal("ksm_merge_any", process["ksm_merge_any"], False)


def huge_pages_of_shared_memory():
    check("shmem-thp", [], {
        "present": 4 * MB, "pmd": 4 * MB, "large": 0, "aligned": 4 * MB, "unmapped": 0, "slots": 2,
        "huge_slots": 2, "tlb": 2, "f2m": 4 * MB, "f4k": None, "p2m": None, "hugetlb": 0})


def huge_folios_of_a_file():
    check("file-thp", [], {
        "present": 8 * MB, "pmd": 8 * MB, "large": 0, "slots": 4, "huge_slots": 4, "tlb": 4,
        "f2m": 8 * MB, "f4k": None})


def pages_of_the_pool():
    """Three reserved, two touched."""
    process = check("hugetlb", ["--why"], {
        "present": 4 * MB, "pmd": 4 * MB, "hugetlb": 4 * MB, "slots": 2, "huge_slots": 2,
        "tlb": 2, "p2m": 4 * MB, "p1g": None, "why": None})
    lib.equal("total of the pool", process["total"]["p2m"], 4 * MB)


def pages_that_can_be_had():
    """Two are promised to a mapping that has touched one, as the kernel counts."""
    directory = "/sys/kernel/mm/hugepages/hugepages-2048kB/"
    with mmap.mmap(-1, 4 * MB, flags=0x40022) as mapped:    # MAP_HUGETLB, private, anonymous
        mapped[0] = 1
        document = lib.vmview_json("huge", os.getpid())
        counts = {name: int(open(f"{directory}{name}_hugepages", encoding="ascii").read())
                  for name in ("nr", "free", "resv")}
    lib.equal("reserved here", counts["resv"] >= 1, True)
    size = [row for row in document["pool_sizes"] if row["page"] == 2 * MB][0]
    lib.equal("reserved", size["reserved"], counts["resv"])
    lib.equal("available", size["available"], counts["free"] - counts["resv"])
    pools = [row for row in document["pools"] if row["page"] == 2 * MB]
    if len(pools) == 1:
        lib.equal("of the node", pools[0]["available"], size["available"])


def page_of_the_pool_mapped_twice():
    process = check("hugetlb-shared", [], {"present": 2 * MB, "p2m": 2 * MB, "hugetlb": 2 * MB})
    lib.equal("total of the pool", process["total"]["p2m"], 4 * MB)


def pool_without_frames():
    """Frames are hidden from nobody: smaps tells the pool, and without it nothing does."""
    program = ("import mmap,sys;m=mmap.mmap(-1,4<<20,flags=0x40022);m[0]=1;print(flush=True);"
               "sys.stdin.read()")
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c",
               program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            for options, value in ((["--why"], 2 * MB), ([], None)):
                shown = lib.vmview_json("huge", process.pid, *options, user=65534)["processes"][0]
                got = [m for m in shown["mappings"] if m["kind"] == "hugetlb"]
                lib.equal("mappings of the pool", len(got), 1)
                lib.equal("hugetlb", got[0]["hugetlb"], 2 * MB)
                lib.equal(f"pool with {options}", got[0].get("p2m"), value)
                lib.equal("total", shown["total"].get("p2m"), value)
                if not options:
                    lib.equal("why not", got[0]["missing"]["p2m"],
                              "denied: needs CAP_SYS_ADMIN")
        finally:
            process.stdin.close()
            process.wait()


def counters_as_rates():
    """Huge pages come all the while that it counts, two at a time."""
    command = [lib.VMVIEW, "huge", "--json", "--interval=2", str(os.getpid())]
    with tempfile.TemporaryFile() as out:
        with subprocess.Popen(command, stdout=out) as process:
            while process.poll() is None:
                with lib.zoo("thp"):
                    pass
        out.seek(0)
        document = lib.json.loads(out.read())
    counters = {row["counter"]: row for row in document["counters"]}
    faults = counters["thp_fault_alloc"]
    lib.true(document["interval_ns"] >= 2000000000, "the interval is too short")
    lib.true(faults["delta"] >= 1, f"{faults} while huge pages came")
    rate = faults["delta"] * 1e9 / document["interval_ns"]
    lib.true(abs(faults["per_second"] - rate) < 0.01 * rate, f"{faults}, not {rate}")


lib.done_with_knobs({
    "mthp=64": (folios_of_64_kib,), "shmem_thp=advise": (huge_pages_of_shared_memory,),
    "thp=madvise": (huge_folios_of_a_file, counters_as_rates),
    "hugetlb=3": (pages_of_the_pool, pages_that_can_be_had, page_of_the_pool_mapped_twice,
                  pool_without_frames)})
