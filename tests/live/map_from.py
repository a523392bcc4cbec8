#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview map --from pages, held against smaps, number by number, over the animals of the zoo."""
import contextlib
import json
import os
import subprocess
import sys
import time

import lib

METRICS = (
    "kernel_page_size mmu_page_size rss pss pss_dirty shared_clean shared_dirty private_clean "
    "private_dirty referenced anonymous ksm lazy_free anon_huge_pages shmem_pmd_mapped "
    "file_pmd_mapped shared_hugetlb private_hugetlb swap swap_pss locked thp_eligible uss shared "
    "private dirty clean huge").split()
# What the walk may leave open: VmFlags and what they decide, marks in the page table, swap counts.
OPEN = {"kernel_page_size", "mmu_page_size", "referenced", "swap_pss", "locked", "thp_eligible"}
# Whose dirty bits are not as their frames look: freed or read back, written through a mapping
# that was readable before, and droppable memory, which looks as if it were freed.
OTHER_BITS = {"lazyfree", "droppable", "swap", "swap-thp", "swap-fork"}
# In processes of their own.
ALONE = {"family", "threads", "zombie-leader", "many", "stack", "heap", "cow"}
# Checked by the schema, which takes its time.
VALIDATED = {"hugetlb", "swap"}
TRIES = 8


def read(pid, source, valid=False):
    args = ("--pace=fast", f"--from={source}", "--json", pid)
    document = json.loads(lib.vmview(*args, status=None).out)
    if valid:
        lib.validate(document)
    process = document["processes"][0]
    lib.equal("source", process["source"], source)
    return process


def by_start(process):
    return {mapping["start"]: mapping for mapping in process["mappings"]}


def compare_mapping(before, got, after, estimates_off):
    """What differs from smaps though that reads the same before and after."""
    wrong = []
    for key in METRICS:
        if before.get(key) != after.get(key):
            continue
        if got[key] is None:
            if key not in OPEN and not (key == "swap" and got["kind"] == "shm"):
                wrong.append(f"{key} at {got['start']} is open: {got['missing'][key]}")
        elif got[key] != before[key]:
            if key not in got.get("estimates", ()) or not estimates_off:
                wrong.append(f"{key} at {got['start']} {got['path']} is {got[key]}, "
                             f"in smaps {before[key]}")
    return wrong


def differences(pid, estimates_off=False):
    before = by_start(read(pid, "smaps"))
    got = by_start(read(pid, "pages"))
    after = by_start(read(pid, "smaps"))
    wrong = []
    for start in before.keys() & after.keys():
        wrong += compare_mapping(before[start], got[start], after[start], estimates_off)
    return wrong


def check(pid, estimates_off=False):
    """The caches of files are shared with whatever else runs: what differs has to go on to."""
    for _ in range(TRIES):
        wrong = differences(pid, estimates_off)
        if not wrong:
            return
    raise lib.Failed("; ".join(wrong[:5]))


def check_by_itself(pid):
    """map --check finds nothing that it can not explain; and it compares all there is."""
    for _ in range(TRIES):
        done = lib.vmview("--check", "--pace=fast", "--json", pid, status=None)
        process = json.loads(done.out)["processes"][0]
        compared = process["compared"]
        lib.equal("sum", compared["figures"],
                  sum(compared[key] for key in ("equal", "explained", "unexplained")))
        if not compared["unexplained"] and done.status == 0:
            break
    else:
        raise lib.Failed(f"--check: {process['differences'][:5]}")
    lib.true(compared["figures"] > 20 * compared["mappings"], f"compared {compared}")


def check_animal(name):
    with lib.zoo(name) as zoo:
        if name in VALIDATED:
            read(zoo.pid, "pages", valid=True)
        fact = zoo.truth[name]
        fact = fact[0] if isinstance(fact, list) else fact
        home = fact.get("pid", zoo.pid)
        pids = {truth.get("pid", home) for truth in fact.get("mappings", [])} | {home}
        if name == "zombie-leader":
            pids = {home}
        for pid in sorted(pids):
            check(pid, name in OTHER_BITS)
        if name != "many":
            check_by_itself(home)


def pids_of(zoo, names):
    facts = [fact for fact in zoo.lines if fact.get("animal") in names]
    return {zoo.pid} | {truth["pid"] for fact in facts for truth in fact.get("mappings", [])
                        if "pid" in truth}


def herd_test(names):
    """Animals that get along in one process; where it can not host one, each by itself."""
    def test():
        try:
            with lib.zoo(*names) as zoo:
                for pid in sorted(pids_of(zoo, names)):
                    check(pid)
                check_by_itself(zoo.pid)
        except lib.Skipped:
            for name in names:
                with contextlib.suppress(lib.Skipped):
                    check_animal(name)

    test.__name__ = f"pages agree with smaps: {' '.join(names)}"
    lib.test(test)


@lib.test
def check_a_kernel_thread_and_a_dead_process():
    done = lib.vmview("--check", 2)
    lib.true("kernel thread" in done.out, done.out)
    document = lib.vmview_json("--check", 2)
    lib.equal("compared", document["processes"][0]["compared"], None)
    child = subprocess.Popen(["true"])
    child.wait()
    lib.true("no process" in lib.vmview("--check", child.pid, status=1).err, "no process")


@lib.test
def without_frames():
    """A user's own process: resident and anonymous without frames, the rest is denied."""
    lib.need_root()
    child = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                              "sleep", "300"])
    try:
        # once it sleeps nothing is read in any more
        while ") S " not in open(f"/proc/{child.pid}/stat").read() or \
                b"sleep" not in open(f"/proc/{child.pid}/cmdline", "rb").read(5):
            time.sleep(0.01)
        own = {}
        for source, status in ("pages", 1), ("smaps", 0):
            done = lib.vmview(f"--from={source}", "--json", child.pid, user=65534, status=status)
            own[source] = {m["start"]: m for m in json.loads(done.out)["processes"][0]["mappings"]}
        lib.equal("mappings", own["pages"].keys(), own["smaps"].keys())
        for start, mapping in own["pages"].items():
            for key in "rss", "anonymous", "swap":
                lib.equal(f"{key} at {start}", mapping[key], own["smaps"][start][key])
            if mapping["rss"]:
                lib.equal("pss", mapping["pss"], None)
                lib.equal("reason", mapping["missing"]["pss"], "denied: needs CAP_SYS_ADMIN")
        lib.true(sum(m["rss"] for m in own["pages"].values()) > 1 << 18, "nothing is resident")
        done = lib.vmview("--check", child.pid, user=65534, status=1)
        lib.true("denied" in done.err, done.err)
        done = lib.vmview("--from=pages", os.getpid(), user=65534, status=1)
        lib.true("denied" in done.err, done.err)
    finally:
        child.kill()
        child.wait()


def main():
    if len(sys.argv) > 1:
        lib.alone(check_animal, sys.argv[1])
        return
    lib.need_root()
    listed = subprocess.run([lib.ZOO, "--list"], check=True, stdout=subprocess.PIPE)
    known = {line.split()[0] for line in listed.stdout.decode().splitlines()}
    herd = [name for name in lib.PAGED
            if name in known and name not in lib.SETTINGS and name not in OTHER_BITS | ALONE]
    for at in range(0, len(herd), 8):
        herd_test(herd[at:at + 8])
    for name in lib.PAGED:
        if name in known and name not in herd:
            lib.animal_test(f"pages agree with smaps: {name}", name, check_animal)
    lib.done()


try:
    main()
except lib.Skipped as why:
    print(why)
    sys.exit(77)
