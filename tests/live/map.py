#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview map, held against what the animals of the zoo know of themselves, number by number."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lib
import oracle

# Tested by themselves below, or known to have no mappings of their own to compare.
APART = {"exits", "exits-zombie", "execs", "pid-reuse", "storm-mprotect", "storm-mremap",
         "storm-fixed", "uprobes", "uprobes-nop", "kernel-thread", "ksm-zero", "family",
         "block-device", "nondumpable", "nobody-nondumpable"}
EXACT = ("size", "rss", "anonymous", "ksm", "lazy_free", "anon_huge_pages", "shmem_pmd_mapped",
         "file_pmd_mapped", "private_hugetlb", "shared_hugetlb", "swap", "kernel_page_size",
         "private_clean", "private_dirty", "shared_clean", "shared_dirty", "uss", "private",
         "shared", "clean", "dirty", "huge", "perm", "kind", "offset", "inode", "deleted", "tid")
# The kernel rounds these down, to KiB and before that each shared page.
ROUNDED = ("pss", "pss_dirty", "swap_pss", "locked")


def processes(*pids):
    document = lib.vmview_json("--pace=fast", *pids, status=None)
    return {process["pid"]: process for process in document["processes"]}


def raw_path(mapping):
    if "path_hex" in mapping:
        return bytes.fromhex(mapping["path_hex"])
    return mapping["path"].encode()


def find(truth, mappings):
    start = int(truth.get("inside", truth.get("start", "0")), 16)
    hits = [m for m in mappings if int(m["start"], 16) <= start < int(m["end"], 16)]
    lib.equal(f"mappings at {start:x}", len(hits), 1)
    return hits[0]


def check_mapping(truth, got, missing=None):
    # a file that may not be looked at says so
    if got["kind"] == "file" and "not looked at" in (missing or {}).get("kinds", ""):
        truth = dict(truth, kind="file")
    if "end" in truth:
        lib.equal("end", got["end"], truth["end"])
    if "path_hex" in truth:
        want = bytes.fromhex(truth["path_hex"])
        lib.equal("path", raw_path(got), want[:4096])
        if len(want) > 4096:
            lib.equal("path_len", got["path_len"], len(want))
    for key in EXACT:
        if key in truth:
            lib.equal(key, got[key], truth[key])
    for key in ROUNDED:
        if key in truth:
            lost = truth[key] - got[key]
            lib.true(0 <= lost <= 1025, f"{key} is {got[key]}, expected {truth[key]}")
    for flag in truth.get("vm_flags", ()):
        lib.true(flag in got["vm_flags"], f"{flag} is not in {got['vm_flags']}")


def check_sums(process):
    """The totals and the kinds are the sums of the rows."""
    total = process["total"]
    lib.equal("number of mappings", total["mappings"], len(process["mappings"]))
    for key in "size", "rss", "pss", "private_dirty", "shared_clean", "swap", "uss", "huge":
        rows = sum(m[key] for m in process["mappings"])
        lib.equal(f"total {key}", total[key], rows)
        lib.equal(f"kinds {key}", sum(kind[key] for kind in process["kinds"]), rows)


def check_animal(name):
    with lib.zoo(name) as zoo:
        fact = zoo.truth[name]
        truths = fact.get("mappings", [])
        home = fact.get("pid", zoo.pid)
        leader = {fact["tid"]: home} if name == "zombie-leader" else {}
        owners = {truth.get("pid", home) for truth in truths} or {home}
        pids = sorted({leader.get(pid, pid) for pid in owners})
        got = processes(*pids)
        for truth in truths:
            pid = truth.get("pid", home)
            process = got[leader.get(pid, pid)]
            mapping = find(truth, process["mappings"])
            try:
                check_mapping(truth, mapping, process["missing"])
            except lib.Failed as err:
                raise lib.Failed(f"{name}, {mapping['start']} of {pid}: {err}") from err
        for process in got.values():
            if process["mappings"] and process["complete"]:
                check_sums(process)


def animals():
    listed = subprocess.run([lib.ZOO, "--list"], check=True, stdout=subprocess.PIPE)
    return [line.split()[0] for line in listed.stdout.decode().splitlines()]


@lib.test
def process_facts():
    with lib.zoo("touched") as zoo:
        process = processes(zoo.pid)[zoo.pid]
        with open(f"/proc/{zoo.pid}/stat", encoding="utf-8") as file:
            stat = file.read().rsplit(")", 1)[1].split()
        lib.equal("state", process["state"], stat[0])
        lib.equal("ppid", process["ppid"], os.getpid())
        lib.equal("start_time", process["start_time"], int(stat[19]))
        lib.equal("uid", process["uid"], os.geteuid())
        lib.equal("exe", process["exe"], os.path.realpath(lib.ZOO))
        lib.equal("cmdline", process["cmdline"], [lib.ZOO, "touched"])
        lib.equal("args", process["layout"]["args"]["start"], hex(int(stat[45])))
        lib.equal("complete", process["complete"], True)


def compare_with_rollup(pid):
    total = processes(pid)[pid]["total"]
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        rollup = dict(re.findall(r"^(\w+):\s+(\d+) kB$", file.read(), re.MULTILINE))
    for key, name in (("rss", "Rss"), ("private_dirty", "Private_Dirty"), ("swap", "Swap"),
                      ("anonymous", "Anonymous"), ("shared_clean", "Shared_Clean")):
        lib.equal(key, total[key], int(rollup[name]) * 1024)
    alone = lib.vmview_json("--total", pid)["processes"][0]["total"]
    for key in "rss", "private_dirty", "anonymous", "uss", "swap":
        lib.equal(f"--total {key}", alone[key], total[key])


@lib.test
def sums_equal_the_rollup():
    with lib.zoo("touched") as zoo:
        lib.settled(lambda: compare_with_rollup(zoo.pid))


@lib.test
def shared_memory_counts_once():
    with lib.zoo("clone-vm") as zoo:
        fact = zoo.truth["clone-vm"]
        document = lib.vmview_json(fact["pid"], fact["child"])
        first, second = document["processes"]
        lib.equal("same_memory_as", second["same_memory_as"], fact["pid"])
        lib.equal("total", document["total"]["rss"], first["total"]["rss"])


@lib.test
def a_kernel_thread_has_no_memory():
    process = processes(2)[2]
    lib.equal("mappings", process["mappings"], [])
    lib.equal("rss", process["total"]["rss"], None)
    lib.true("kernel thread" in process["missing"]["mappings"], "no reason is given")


@lib.test
def nobody_is_told_why():
    with lib.zoo("touched") as zoo:
        done = lib.vmview(zoo.pid, user=65534, status=1)
        lib.true("denied" in done.out and "sudo" in done.err, f"{done.out}\n{done.err}")
        document = lib.vmview_json(zoo.pid, user=65534, status=1)
        process = document["processes"][0]
        lib.equal("complete", (process["complete"], document["complete"]), (False, False))
        lib.equal("rss", process["total"]["rss"], None)
        lib.equal("uid", process["uid"], 0)


@lib.test
def many_that_may_not_be_read_are_one_line():
    with lib.zoo("touched", "nobody") as zoo:
        tree = f"--tree={os.getpid()}"
        for words in [], ["--total"], ["huge"], ["numa"], ["elf"], ["pages", "--summary"]:
            done = lib.vmview(*words, tree, user=65534, status=1)
            lines = [line for line in done.err.splitlines() if ": denied: " in line]
            lib.equal(f"lines of {words}", len(lines), 1)
            lib.true(re.match(r"vmview: \d+ processes could not be read, the first: \d+: denied: "
                              r"needs .*\(try: sudo vmview .*\)$", lines[0]), lines)
        lib.true(f"{zoo.pid}: " in lib.vmview(tree, user=65534, status=1).out, "each has its line")


@lib.test
def of_all_processes_rights_are_no_failure():
    """Of all those that may not be read are told in one line, and in the document."""
    lib.need_root()
    for words in (["map", "--total", "--all"], ["numa", "--all"], ["elf", "--stale", "--all"]):
        done = lib.vmview(*words, "--json", user=65534, status=0)
        document = lib.documents.load(done.out)
        lib.equal("complete", document["complete"], False)
        why = document["missing"]["processes"]
        lib.true(re.match(r"\d+ processes could not be read, the first: \d+: denied: ", why), why)
        lib.true(why in done.err, done.err)


@lib.test
def a_user_sees_his_own():
    with lib.zoo("nobody") as zoo:
        fact = zoo.truth["nobody"]
        truth = fact["mappings"][0]
        document = lib.vmview_json(fact["pid"], user=65534)
        check_mapping(truth, find(truth, document["processes"][0]["mappings"]))


@lib.test
def a_process_that_is_gone():
    child = subprocess.Popen(["true"])
    child.wait()
    done = lib.vmview(child.pid, status=1)
    lib.true(f"no process {child.pid}" in done.err, done.err)
    for option in [], ["--total"]:
        document = lib.vmview_json(*option, child.pid, status=1)
        lib.equal("processes", document["processes"], [])
        lib.equal("missing", document["missing"], {"processes": f"no process {child.pid}"})


@lib.test
def a_sum_says_what_it_lacks():
    with lib.zoo("touched", "nobody") as zoo:
        pids = zoo.pid, zoo.truth["nobody"]["pid"]
        done = lib.vmview(*pids, user=65534, status=1)
        lib.true("2 processes, 1 of them not read or not as a whole:" in done.out, done.out)
        document = lib.vmview_json(*pids, user=65534, status=1)
        lib.equal("missing", document["missing"],
                  {"total": "1 of 2 processes not read, or not as a whole"})
        lib.equal("total", document["total"]["size"], document["processes"][1]["total"]["size"])
        document = lib.vmview_json("--total", *pids, user=65534, status=1)
        lib.true(document["missing"]["total"].startswith("1 process that could not be read is"),
                 document["missing"])


def check_one_program(process, programs):
    files = {entry["path"] for entry in process.get("objects", process.get("mappings"))}
    lib.equal("program", files & set(programs), {process["exe"]})
    lib.equal("comm", process["comm"], os.path.basename(process["exe"]))
    lib.equal("cmdline", process["cmdline"][0], process["exe"])


def complete_ones(command, pid):
    document = lib.vmview_json(command, pid, status=None)
    return [process for process in document.get("processes", ()) if process["complete"]]


@lib.test
def facts_and_mappings_are_of_one_program():
    """Two programs that execute each other without end: a document is of one, or says it is
    not."""
    whole = {"map": [], "huge": [], "numa": [], "elf": [], "pages": []}
    with tempfile.TemporaryDirectory() as directory:
        one, two, script = (os.path.join(directory, name) for name in ("one", "two", "script"))
        for name in one, two:
            shutil.copy("/bin/sh", name)
        with open(script, "w", encoding="ascii") as file:
            file.write('exec "$1" "$0" "$2" "$1"\n')
        child = subprocess.Popen([one, script, two, one])
        try:
            for command, found in whole.items():
                for _ in range(60):
                    found += complete_ones(command, child.pid)
            # a slow reader seldom comes to an end between two programs
            stop = time.monotonic() + 60
            while len(whole["map"]) < 3 and time.monotonic() < stop:
                whole["map"] += complete_ones("map", child.pid)
        finally:
            child.kill()
            child.wait()
    for found in whole.values():
        for process in found:
            check_one_program(process, (one, two))
    lib.true(len(whole["map"]) > 2, f"only {len(whole['map'])} are complete in a minute")
    for process in whole["map"]:
        lib.true(process["layout"], f"no layout: {process['missing']}")


@lib.test
def a_storm_is_told_or_right():
    """Torn readings are marked; what is not marked has the right sum."""
    with lib.zoo("storm-mprotect") as zoo:
        fact = zoo.truth["storm-mprotect"]
        start, end = int(fact["start"], 16), int(fact["end"], 16)
        for _ in range(40):
            document = lib.vmview_json("--pace=fast", fact["pid"], status=None)
            process = document["processes"][0]
            inside = [m for m in process["mappings"] if start <= int(m["start"], 16) < end]
            previous = 0
            for mapping in process["mappings"]:
                lib.true(int(mapping["start"], 16) >= previous, "mappings overlap")
                previous = int(mapping["end"], 16)
            if process["complete"]:
                lib.equal("rss", sum(m["rss"] for m in inside), fact["rss"])


def group_key(row, by):
    if by == "perm":
        return row["perm"]
    if by == "kind":
        return f"{row['kind']}: {row['guess']}?" if row["guess"] else row["kind"]
    name = row["path"] + (" (deleted)" if row["deleted"] else "")
    if row["kind"] == "thread-stack":
        return "thread-stack" if by == "object" else f"[thread {row['tid']}]"
    return name or group_key(row, "kind")


@lib.test
def sums_by_what_mappings_have_in_common():
    """--by=object, kind, perm, name: exactly the sums of the mappings that map lists."""
    with lib.zoo("threads", "touched", "memfd-names") as zoo:
        rows = lib.vmview_json("-o", "all", zoo.pid)["processes"][0]["mappings"]
        for by in "object", "kind", "perm", "name":
            want = {}
            for row in rows:
                sums = want.setdefault(group_key(row, by), {"mappings": 0, "size": 0, "rss": 0})
                sums["mappings"] += 1
                for key in "size", "rss":
                    sums[key] += row[key]
            process = lib.vmview_json("map", f"--by={by}", zoo.pid)["processes"][0]
            lib.equal("by", process["by"], by)
            got = {row[by]: {key: row[key] for key in ("mappings", "size", "rss")}
                   for row in process["groups"]}
            lib.equal(f"groups by {by}", got, want)
            lib.equal("total", process["total"]["rss"], sum(row["rss"] for row in rows))
            order = [row["rss"] for row in process["groups"]]
            lib.equal("the most memory first", order, sorted(order, reverse=True))


@lib.test
def ranges_and_holes():
    """A range as pages takes one, with what is beside it; what is between mappings, as maps has
    it."""
    with lib.zoo("touched") as zoo:
        rows = [row for row in oracle.maps(zoo.pid) if not row.start >> 63]
        holes = [(a.end, b.start) for a, b in zip(rows, rows[1:]) if a.end < b.start]
        process = lib.vmview_json("--gaps", zoo.pid)["processes"][0]
        lib.equal("holes", [(int(one["start"], 16), int(one["end"], 16))
                            for one in process["gaps"]], holes)
        at = next(index for index, row in enumerate(rows) if row.name == b"[heap]")
        for wanted in "heap", hex(rows[at].start + 5), f"{rows[at].start:x}+1":
            process = lib.vmview_json(zoo.pid, wanted)["processes"][0]
            lib.equal(wanted, [int(row["start"], 16) for row in process["mappings"]],
                      [rows[at].start])
            lib.equal("total", process["total"]["size"], rows[at].end - rows[at].start)
            shown = lib.vmview(zoo.pid, wanted, "-o", "start,name").out.splitlines()[2:5]
            lib.equal("beside", [int(line.split()[0], 16) for line in shown],
                      [row.start for row in rows[at - 1:at + 2]])
            lib.equal("marked", [line.endswith("(neighbour)") for line in shown],
                      [True, False, True])
        low, high = max(holes, key=lambda hole: hole[1] - hole[0])
        done = lib.vmview(zoo.pid, hex(low), "-o", "start,kind", "--gaps", status=1)
        lib.true("nothing is mapped there" in done.err, done.err)
        lib.equal("what is there", [line.split()[0] for line in done.out.splitlines()[2:5]][1],
                  f"{low:012x}")
        lib.true(f"{high:012x}" in done.out, done.out)


@lib.test
def hostile_names_stay_off_the_terminal():
    with lib.zoo("names", "memfd-names") as zoo:
        pids = {truth.get("pid", zoo.pid) for name in ("names", "memfd-names")
                for truth in zoo.truth[name]["mappings"]}
        for option in [], ["--csv"], ["--json"]:
            done = lib.vmview(*option, *pids, status=None)
            bad = set(done.raw) & (set(range(32)) - {10, 13} | {127, 155})
            lib.true(not bad, f"{option}: bytes {sorted(bad)}")
            done.raw.decode("utf-8")


@lib.test
def a_big_mapping_is_not_made_to_wait():
    """2 GiB of small pages would stall for over 20 ms: read from the pages, which agree."""
    program = os.path.join(lib.BUILD, "bench/bigrss")
    if not os.path.exists(program):
        raise lib.Skipped("bench/bigrss is not built")
    lib.need_root()
    child = subprocess.Popen([program, "2g"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        paced = lib.vmview_json(child.pid)["processes"][0]
        lib.equal("source", paced["source"], "pages")
        lib.true(paced["source_reason"].startswith("pace: "), paced["source_reason"])
        lib.equal("missing", paced["missing"], {})
        lib.true(paced["total"]["missing"]["referenced"].startswith("pace: "), paced["total"])
        lib.true(paced["complete"], "complete")
        fast = lib.vmview_json("--pace=fast", child.pid)["processes"][0]
        lib.equal("source at --pace fast", fast["source"], "smaps")
        lib.true(fast["total"]["rss"] >= 2 << 30, "--pace fast reads it")
        for key in "rss", "pss", "uss", "anonymous", "private_dirty", "swap", "anon_huge_pages":
            big = [max((m for m in process["mappings"]), key=lambda m: m["size"])[key]
                   for process in (paced, fast)]
            lib.equal(key, big[0], big[1])
        done = lib.vmview(child.pid, "--columns=rss")
        lib.true("from the page walk: pace: " in done.out, done.out)
        lib.vmview("-x", child.pid)
        total = [lib.vmview_json("--total", *pace, child.pid)["processes"][0]
                 for pace in ([], ["--pace=fast"])]
        lib.equal("sources", [one["source"] for one in total], ["pages", "smaps_rollup"])
        for key in "rss", "anonymous", "private_dirty", "swap":
            lib.equal(f"total {key}", total[0]["total"][key], total[1]["total"][key])
        lib.true("private_dirty" in total[0]["total"]["estimates"], "an estimate")
        lib.true("estimates" not in total[1]["total"], "no estimate")
    finally:
        child.stdin.close()
        child.wait()


@lib.test
def a_big_mapping_without_frames():
    """Who may not see frames gets no figures of it, but why, until --pace fast."""
    lib.need_root()
    with lib.reachable(os.path.join(lib.BUILD, "bench/bigrss")) as program:
        child = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                  program, "2g"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            child.stdout.readline()
            done = lib.vmview(child.pid, "--json", user=65534, status=1)
            process = json.loads(done.out)["processes"][0]
            lib.equal("source", process["source"], "maps")
            lib.true(process["missing"]["mappings"].startswith("pace: "), process["missing"])
            lib.equal("rss", process["total"]["rss"], None)
            lib.true(process["total"]["size"] >= 2 << 30, "the size is there")
            done = lib.vmview("--total", child.pid, "--json", user=65534, status=1)
            process = json.loads(done.out)["processes"][0]
            lib.equal("source of the total", process["source"], "status")
            lib.true(process["total"]["rss"] >= 2 << 30, "what status tells of it")
            lib.equal("total pss", process["total"]["pss"], None)
            lib.true(process["missing"]["total"].startswith("pace: "), process["missing"])
        finally:
            child.stdin.close()
            child.wait()


@lib.test
def tasks_without_memory_share_none():
    """kcmp(2) takes them for the same: kernel threads, zombies."""
    lib.need_root()
    kernel = []
    for pid in sorted(map(int, filter(str.isdigit, os.listdir("/proc")))):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                if "\nKthread:\t1" in file.read():
                    kernel.append(pid)
    got = processes(*kernel[:2])
    lib.true(all("same_memory_as" not in process for process in got.values()), "kernel threads")
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    got = processes(*kernel[:1], child.pid)
    child.wait()
    lib.true("same_memory_as" not in got[child.pid], "a zombie")


@lib.test
def total_of_a_process_whose_leader_is_gone():
    with lib.zoo("zombie-leader") as zoo:
        truth = zoo.truth["zombie-leader"]
        (process,) = lib.vmview_json("--total", truth["pid"])["processes"]
        with open(f"/proc/{truth['pid']}/task/{truth['tid']}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
        lib.true(pages > 0, pages)
        lib.equal("size", process["total"]["size"], pages * os.sysconf("SC_PAGE_SIZE"))
        lib.true(process["total"]["rss"] > 0, process)


@lib.test
def what_helps_is_said():
    with lib.zoo("touched") as zoo:
        done = lib.vmview("--total", zoo.pid, user=65534, status=1)
        lib.true(f"(try: sudo vmview --total {zoo.pid})" in done.err, done.err)
        done = lib.vmview("--check", zoo.pid, user=65534, status=1)
        lib.true(f"(try: sudo vmview --check {zoo.pid})" in done.err, done.err)
        document = lib.vmview_json("at", zoo.pid, "1000", user=65534, status=1)
        lib.true(f"(try: sudo vmview at {zoo.pid}" in document["error"], document)
        lib.equal("complete", document["complete"], False)
    done = lib.vmview("--user", "no such user", status=2)
    lib.equal("error", done.err, "vmview: --user: there is no user 'no such user'\n")


@lib.test
def full_disk_and_closed_output():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([lib.VMVIEW, str(os.getpid())], stdout=full, stderr=subprocess.PIPE)
    lib.equal("status", done.returncode, 1)
    lib.true(b"No space left" in done.stderr, done.stderr)
    done = subprocess.run(["bash", "-c", '"$0" $$ >&-', lib.VMVIEW], stderr=subprocess.PIPE)
    lib.equal("status", done.returncode, 1)


@lib.test
def a_recording_does_not_lead_out():
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(f"{tree}/proc/7")
        os.symlink("/proc/self/stat", f"{tree}/proc/7/stat")
        os.mkfifo(f"{tree}/proc/7/maps")
        done = lib.vmview("--root", tree, 7, status=1, timeout=10)
        lib.equal("output", done.out, "")


if len(sys.argv) > 1:
    lib.alone(check_animal, sys.argv[1])
else:
    for animal in animals():
        if animal not in APART:
            lib.animal_test(f"animal {animal}", animal, check_animal)
    lib.done()
