#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview pages, held against what the animals of the zoo know, page by page, and against the
kernel's files read plainly."""
import json
import os
import subprocess
import sys

import lib

# The ways to the same pages: each has to tell the same, as far as it tells.
VALIDATED = {"comb", "zero-mixed", "guard", "thp-partial", "swap", "uffd", "file-cow", "hugetlb"}
WAYS = ([], ["--without=scan"], ["--without=guard"], ["--without=frames"],
        ["--without=scan,frames"], ["--without=flags"], ["--without=counts,cgroups"])


def pages(pid, *args, valid=True, **options):
    """The process in the document; checked by the schema, which takes its time."""
    args = ("pages", "--pace=fast", pid, *args)
    document = (lib.vmview_json(*args, **options) if valid else
                json.loads(lib.vmview(*args, "--json", **options).out))
    lib.equal("processes", len(document["processes"]), 1)
    return document["processes"][0]


def mapping_at(process, start):
    hits = [m for m in process["mappings"]
            if int(m["start"], 16) <= start < int(m["end"], 16)]
    lib.equal(f"mappings at {start:x}", len(hits), 1)
    return hits[0]


def by_page(mapping, start, end, size):
    """The run of each page of the range, None where there is none."""
    found = [None] * ((end - start) // size)
    previous = 0
    for run in mapping["runs"]:
        first = int(run["start"], 16)
        lib.true(first >= previous, f"run at {first:x} overlaps")
        lib.equal("end of the run", int(run["end"], 16), first + run["pages"] * size)
        previous = int(run["end"], 16)
        for page in range(max(first, start), min(previous, end), size):
            found[(page - start) // size] = run
    return found


def states_of(truth):
    return [state for state, _, count in truth["runs"] for _ in range(count)]


def check_states(truth, found, way):
    """What a way can not tell: zero pages without scan and frames look present, markers swapped."""
    plain = "scan" in way and "frames" in way
    for number, (run, want) in enumerate(zip(found, states_of(truth))):
        got = run["state"] if run else "empty"
        if plain and want == "zero":
            want = "present"
        elif "frames" in way and want == "marker":
            want = "swapped"
        lib.equal(f"state of page {number}", got, want)


def check_frame(truth, run):
    if "map_count" in truth and run["map_count"] is not None:
        lib.equal("map_count", run["map_count"], truth["map_count"])
    if "order" in truth and run.get("order") is not None:
        lib.equal("order", run["order"], truth["order"])
    if "mapped_by" in truth and run.get("mapped_by"):
        lib.equal("mapped_by", run["mapped_by"], truth["mapped_by"])
    for flag in truth.get("flags", ()) if run["flags"] is not None else ():
        lib.true(flag in run["flags"], f"{flag} is not in {run['flags']}")
    for flag in truth.get("flags_not", ()) if run["flags"] is not None else ():
        lib.true(flag not in run["flags"], f"{flag} is in {run['flags']}")


def check_mapping(truth, process, size, way):
    if "runs" not in truth or "start" not in truth or "end" not in truth:
        return
    start, end = int(truth["start"], 16), int(truth["end"], 16)
    mapping = mapping_at(process, start)
    found = by_page(mapping, start, end, size)
    check_states(truth, found, way)
    for run in found:
        if run and run["state"] == "present":
            check_frame(truth, run)


def check_pagemap(pid, truth, process, size):
    """Words, frames, flags, counts, slots: number by number as the kernel's files have them."""
    if "start" not in truth or "end" not in truth:
        return
    start, end = int(truth["start"], 16), int(truth["end"], 16)
    found = by_page(mapping_at(process, start), start, end, size)
    with open(f"/proc/{pid}/pagemap", "rb") as file:
        file.seek(start // size * 8)
        raw = file.read(8 * len(found))
    for number, run in enumerate(found):
        word = int.from_bytes(raw[8 * number:8 * number + 8], "little")
        lib.equal(f"page {number} is there", run is not None, word != 0)
        if run is None or not word >> 63 and run["state"] != "swapped":
            continue
        offset = (start + number * size - int(run["start"], 16)) // size
        if word >> 63:
            step = 0 if run["state"] == "zero" and run["mapped_by"] == "pte" else 1
            lib.equal(f"pfn of page {number}", run["pfn"] + offset * step, word & (1 << 55) - 1)
            lib.equal("exclusive", run["exclusive"], bool(word >> 56 & 1))
            lib.equal("file", run["file"], bool(word >> 61 & 1))
        else:
            lib.equal("slot", run["swap"]["offset"] + offset, (word & (1 << 55) - 1) >> 5)
            lib.equal("type", run["swap"]["type"], word & 31)
        lib.equal("uffd_wp", run["uffd_wp"], bool(word >> 57 & 1))


def exclusive_pages(mapping):
    return sum(run["pages"] for run in mapping["runs"] if run.get("exclusive"))


def compare_summary(pid):
    """The summary counts what the list shows."""
    process = pages(pid, status=None)
    summary = pages(pid, "--summary", valid=False, status=None)
    after = pages(pid, valid=False, status=None)
    lib.equal("totals", summary["total"], process["total"])
    for row, mapping, again in zip(summary["mappings"], process["mappings"], after["mappings"]):
        lib.equal("start", row["start"], mapping["start"])
        for state in "present", "swapped", "zero", "guard", "marker":
            lib.equal(f"{state} at {row['start']}", row[state],
                      sum(run["pages"] for run in mapping["runs"] if run["state"] == state))
        # other processes come and go that map the same files
        if exclusive_pages(mapping) == exclusive_pages(again):
            lib.equal(f"exclusive at {row['start']}", row["exclusive"], exclusive_pages(mapping))
        flagged = sum(run["pages"] for run in mapping["runs"] if run["flags"] is not None)
        lib.equal(f"flags at {row['start']}", sum(s["pages"] for s in row["flag_sets"]), flagged)
        sizes = sum(order["runs"] << order["order"] for order in row["contiguity"]["orders"])
        lib.true(sizes <= row["present"] < 2 * sizes or not row["present"], "orders")


def check_way(name, pid, truth, way):
    size = os.sysconf("SC_PAGESIZE")
    process = pages(pid, *way, valid=name in VALIDATED, status=None)
    check_mapping(truth, process, size, "".join(way))
    if not way:
        check_pagemap(pid, truth, process, size)


def check_animal(name):
    lib.need_root()
    with lib.zoo(name) as zoo:
        fact = zoo.truth[name]
        for truth in fact.get("mappings", []):
            pid = truth.get("pid", fact.get("pid", zoo.pid))
            for way in WAYS if name not in ("many", "family") else WAYS[:2]:
                try:
                    lib.settled(lambda: check_way(name, pid, truth, way))
                    if not way:
                        lib.settled(lambda: compare_summary(pid))
                except lib.Failed as err:
                    raise lib.Failed(f"{name}, {truth.get('start')} of {pid}, {way}: {err}") \
                        from err
            if name == "many":
                break


@lib.test
def ranges():
    with lib.zoo("touched") as zoo:
        truth = zoo.truth["touched"]["mappings"][0]
        start = int(truth["start"], 16)
        for text, count in ((f"{start:x}", 3), (f"{start + 0x1fff:#x}", 3),
                            (f"{start:x}-{start + 0x2000:x}", 2), (f"{start:x},{start + 1:x}", 1),
                            (f"{start + 0x1000:x}+0x1000", 1), (f"{start:x}+8K", 2)):
            process = pages(zoo.pid, text)
            lib.equal(text, process["total"]["present"], count)
            lib.equal(f"mappings of {text}", process["mappings"][0]["start"], truth["start"])
        for name in "heap", "[heap]", "stack", "libc", "elf", "[vdso]":
            lib.true(pages(zoo.pid, name)["total"]["present"] > 0, f"no pages of {name}")
        for mapping in pages(zoo.pid, "libc")["mappings"]:
            lib.true(mapping["path"].startswith("/usr/lib/x86_64-linux-gnu/libc.so")
                     or "libc." in mapping["path"], mapping["path"])
        done = lib.vmview("pages", zoo.pid, "no-such-name", status=1)
        lib.true("nothing is mapped there" in done.err, done.err)
        lib.vmview("pages", zoo.pid, "2000-1000", status=2)
        lib.vmview("pages", zoo.pid, "heap", "stack", status=2)


@lib.test
def each_and_empty():
    with lib.zoo("comb") as zoo:
        truth = zoo.truth["comb"]["mappings"][0]
        plain = pages(zoo.pid, truth["start"])["mappings"][0]["runs"]
        lib.equal("runs", len(plain), 32)
        full = pages(zoo.pid, truth["start"], "--empty")["mappings"][0]["runs"]
        lib.equal("runs and holes", [run["state"] for run in full], states_of(truth))
        with lib.zoo("touched") as other:
            truth = other.truth["touched"]["mappings"][0]
            runs = pages(other.pid, truth["start"], "--each", "--empty")["mappings"][0]["runs"]
            lib.equal("pages", [run["pages"] for run in runs], [1, 1, 1, 5])
            lib.equal("states", [run["state"] for run in runs], ["present"] * 3 + ["empty"])


@lib.test
def flags_choose():
    lib.need_root()
    with lib.zoo("file-cow") as zoo:
        truth = zoo.truth["file-cow"]["mappings"][0]
        where = f"{truth['start']}-{truth['end']}".replace("0x", "")
        everything = pages(zoo.pid, where)["total"]["present"]
        anon = pages(zoo.pid, where, "--flags=anon")["total"]["present"]
        other = pages(zoo.pid, where, "--flags=~anon")["total"]["present"]
        lib.equal("anonymous pages", anon, truth["anonymous"] // os.sysconf("SC_PAGESIZE"))
        lib.equal("others", other, everything - anon)
        rows = pages(zoo.pid, where, "--flags=anon", "--summary")["mappings"][0]
        lib.equal("of sets", sum(row["pages"] for row in rows["flag_sets"]), anon)
        lib.vmview("pages", zoo.pid, "--flags=nonsense", status=2)


@lib.test
def a_huge_page_is_one_run_and_has_one_head():
    lib.need_root()
    with lib.zoo("thp") as zoo:
        truth = zoo.truth["thp"]["mappings"][0]
        start = truth["start"]
        runs = pages(zoo.pid, start)["mappings"][0]["runs"]
        lib.true(len(runs) <= 2, f"{len(runs)} runs of two huge pages")
        each = pages(zoo.pid, start, "--each")["mappings"][0]["runs"]
        lib.equal("pages", len(each), 1024)
        heads = [n for n, run in enumerate(each) if "compound_head" in run["flags"]]
        lib.equal("heads", heads, [0, 512])
        lib.true(not any("compound_tail" in each[n]["flags"] for n in heads), "a head is a tail")
        lib.equal("by flags", pages(zoo.pid, start, "--flags=compound_head")["total"]["present"], 2)
        lib.equal("tails", pages(zoo.pid, start, "--flags=compound_tail")["total"]["present"], 1022)
        row = pages(zoo.pid, start, "--summary")["mappings"][0]
        lib.equal("aligned", (row["contiguity"]["aligned_2m"], row["huge"]), (1, 1024))


@lib.test
def a_user_and_his_own():
    with lib.zoo("nobody") as zoo:
        fact = zoo.truth["nobody"]
        process = pages(fact["pid"], user=65534, status=1)
        truth = fact["mappings"][0]
        found = by_page(mapping_at(process, int(truth["start"], 16)), int(truth["start"], 16),
                        int(truth["end"], 16), os.sysconf("SC_PAGESIZE"))
        check_states(truth, found, "frames")
        for key in "pfn", "flags", "map_count", "cgroup":
            # (what is mapped exactly once is known to be so)
            lib.equal(key, {run[key] for run in found if run and key in run} - {None},
                      {1} if key == "map_count" else set())
            lib.true("CAP_SYS_ADMIN" in process["missing"][key], f"no reason for {key}")
        lib.equal("mapped_by", {run["mapped_by"] for run in found if run}, {"pte"})
        done = lib.vmview("pages", "-o", "address,pages,state,mapped_by", fact["pid"], user=65534)
        lib.true("present" in done.out and not done.err, done.err)


@lib.test
def a_user_and_another():
    with lib.zoo("touched") as zoo:
        done = lib.vmview("pages", zoo.pid, user=65534, status=1)
        lib.true(": denied: " in done.err and "sudo" in done.err, done.err)
        process = pages(zoo.pid, user=65534, status=1)
        lib.equal("shown", (process["mappings"], process["total"]), ([], None))
        lib.true("denied" in process["missing"]["mappings"], "no reason is given")


@lib.test
def what_is_gone_is_told():
    child = subprocess.Popen(["true"])
    child.wait()
    done = lib.vmview("pages", child.pid, status=1)
    lib.true(f"no process {child.pid}" in done.err, done.err)


@lib.test
def swapped_shared_memory_is_told():
    lib.with_setting("zram=64M", "+shm")


def check_shm():
    with lib.zoo("swap-shm") as zoo:
        truth = zoo.truth["swap-shm"]["mappings"][0]
        process = pages(zoo.pid)
        lib.equal("swapped_shared", process["swapped_shared"],
                  [{"start": truth["start"], "bytes": truth["swap"]}])


@lib.test
def a_kernel_thread_has_no_pages():
    process = pages(2, status=None)
    lib.equal("mappings", process["mappings"], [])
    lib.true("kernel thread" in process["missing"]["mappings"], "no reason is given")
    done = lib.vmview("pages", 2)
    lib.true("kernel thread" in done.out, done.out)


@lib.test
def terabytes_of_holes_are_nothing():
    with lib.zoo("sparse") as zoo:
        truth = zoo.truth["sparse"]["mappings"][0]
        for way in [], ["--without=guard"]:
            mapping = pages(zoo.pid, truth["start"], *way)["mappings"][0]
            present = [run for run in mapping["runs"] if run["state"] == "present"]
            lib.equal("pages", sum(run["pages"] for run in present), truth["pages"]["present"])
        done = lib.vmview("pages", "--cost", zoo.pid, status=None)
        read = int(done.err.split(" reads, ")[1].split(" bytes")[0])
        lib.true(read < 1 << 20, f"read {read} bytes")


if sys.argv[1:] == ["+shm"]:
    lib.alone(check_shm)
elif len(sys.argv) > 1:
    lib.alone(check_animal, sys.argv[1])
else:
    listed = subprocess.run([lib.ZOO, "--list"], check=True, stdout=subprocess.PIPE)
    known = {line.split()[0] for line in listed.stdout.decode().splitlines()}
    for animal in lib.PAGED:
        if animal in known:
            lib.animal_test(f"animal {animal}", animal, check_animal)
    lib.done()
