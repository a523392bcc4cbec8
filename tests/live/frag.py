#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview frag against the kernel's files read plainly, on whatever machine this is."""
import json
import os
import subprocess
import tempfile

import lib
import oracle
from lib import equal, true

PAGE = os.sysconf("SC_PAGESIZE")
TRIES = 10
DEBUGFS = 'mount -t debugfs none "$0" && cat "$0/extfrag/$1"'


def text(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def vmstat():
    return {line.split()[0]: int(line.split()[1]) for line in text("/proc/vmstat").splitlines()}


def extfrag(name):
    """What the kernel works out itself, in a mount that nobody else sees."""
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as directory:
        done = subprocess.run(["unshare", "-m", "sh", "-c", DEBUGFS, directory, name],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise lib.Skipped(f"no extfrag in debugfs: {done.stderr.decode().strip()}")
    rows = {}
    for line in done.stdout.decode().splitlines():
        words = line.replace(",", "").split()
        rows[int(words[1]), words[3]] = [float(word) for word in words[4:]]
    return rows


def zones_of(buddyinfo):
    """vmview's zones of this text, by node and name."""
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as tree:
        os.mkdir(f"{tree}/proc")
        with open(f"{tree}/proc/buddyinfo", "w", encoding="ascii") as file:
            file.write(buddyinfo)
        document = lib.vmview_json("frag", f"--root={tree}")
    return {(zone["node"], zone["zone"]): zone["orders"] for zone in document["zones"]}


def compare_indices(name, key):
    """Digit by digit, for the zones whose free lists stayed as they were meanwhile."""
    checked = set()
    for _ in range(4):
        before = text("/proc/buddyinfo")
        kernel = extfrag(name)
        after = set(text("/proc/buddyinfo").splitlines())
        ours = zones_of(before)
        for line in before.splitlines():
            words = line.replace(",", "").split()
            zone = int(words[1]), words[3]
            if line in after and zone in kernel:
                equal(f"{key} of {zone}", [round(row[key], 3) for row in ours[zone]],
                      kernel[zone])
                checked.add(zone)
        if len(checked) == len(ours):
            break
    true(checked, "no zone was at rest")


@lib.test
def unusable_index():
    lib.need_root()
    compare_indices("unusable_index", "unusable_index")


@lib.test
def fragmentation_index():
    lib.need_root()
    compare_indices("extfrag_index", "fragmentation_index")


@lib.test
def free_lists():
    """Of buddyinfo at the same moment, more or less: of one zone at rest, exactly."""
    for _ in range(TRIES):
        before = text("/proc/buddyinfo").splitlines()
        document = lib.vmview_json("frag", status=None)
        after = text("/proc/buddyinfo").splitlines()
        same = [line for line in before if line in after]
        zones = {(zone["node"], zone["zone"]): zone for zone in document["zones"]}
        for line in same:
            words = line.replace(",", "").split()
            orders = zones[int(words[1]), words[3]]["orders"]
            equal(line, [row["free_blocks"] for row in orders], [int(w) for w in words[4:]])
        if same:
            return
    raise lib.Failed("no zone was at rest")


@lib.test
def types():
    """Pageblocks of each type, and their sum."""
    lib.need_root()
    size = oracle.pageblock_frames()
    lines = text("/proc/pagetypeinfo").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Number of blocks type"))
    names = lines[at].split()[4:]
    document = lib.vmview_json("frag", status=None)
    for line in lines[at + 1:]:
        words = line.replace(",", "").split()
        if len(words) != 4 + len(names):
            break
        rows = {row["type"]: row for row in document["types"]
                if (row["node"], row["zone"]) == (int(words[1]), words[3])}
        # a pageblock's type may change meanwhile; how many there are does not
        equal("types", list(rows), names)
        equal("pageblocks", sum(row["pageblocks"] for row in rows.values()),
              sum(int(word) for word in words[4:]))
    equal("size", document["pageblocks"]["size"], size * PAGE)


@lib.test
def counters():
    before = vmstat()
    document = lib.vmview_json("frag", "--interval=200ms", status=None)
    after = vmstat()
    true(document["interval_ns"] >= 200000000, document["interval_ns"])
    rows = {row["counter"]: row for row in document["counters"]}
    true("pgmigrate_success" in rows or "compact_stall" in rows, list(rows))
    for name, row in rows.items():
        true(before[name] <= row["count"] <= after[name], f"{name}: {row}")
        true(0 <= row["delta"] <= after[name] - before[name], f"{name}: {row}")
        true(abs(row["per_second"] - row["delta"] * 1e9 / document["interval_ns"]) <=
             1e-4 * row["per_second"], f"{name}: {row}")
    rows = lib.vmview_json("frag", status=None)["counters"]
    equal("without interval", {row["delta"] for row in rows}, {None})


@lib.test
def all_memory():
    """Every frame is in one pageblock, in one way; what is whole is what the kernel says it is."""
    lib.need_root()
    size = oracle.pageblock_frames()
    system = lib.vmview_json("system", status=None)
    holes = sum(row["frames"] for row in system["classes"]
                if row["class"] in ("hole", "uninitialised"))
    document = lib.vmview_json("frag", status=None)
    kinds = {row["kind"]: row for row in document["pageblocks"]["kinds"]}
    frames = sum(row[use] for row in kinds.values()
                 for use in ("free", "movable", "unmovable", "held"))
    equal("frames", frames // PAGE, system["total_frames"] - holes)
    for kind, row in kinds.items():
        equal(kind, row["bytes"], row["blocks"] * size * PAGE)
    equal("free", kinds["free"]["free"], kinds["free"]["bytes"])
    equal("movable", kinds["movable"]["unmovable"] + kinds["movable"]["held"], 0)
    equal("held", kinds["held"]["unmovable"], 0)


@lib.test
def free_pageblocks():
    if "nr_free_pages_blocks" not in vmstat():
        raise lib.Skipped("the kernel does not count free pageblocks")
    lib.need_root()
    size = oracle.pageblock_frames()
    for _ in range(TRIES):
        before = vmstat()["nr_free_pages_blocks"] // size
        document = lib.vmview_json("frag", status=None)
        after = vmstat()["nr_free_pages_blocks"] // size
        kinds = {row["kind"]: row["blocks"] for row in document["pageblocks"]["kinds"]}
        slack = 16 + abs(after - before)
        if min(before, after) - slack <= kinds["free"] <= max(before, after) + slack:
            return
    raise lib.Failed(f"{kinds['free']} free pageblocks, the kernel has {before} to {after}")


@lib.test
def density():
    """Of mappings whose pages are known, over addresses and over frames."""
    lib.need_root()
    with lib.zoo("comb", "touched", "fragmenter") as zoo:
        document = lib.vmview_json("frag", zoo.pid)
        (process,) = document["processes"]
        rows = {row["start"]: row for row in process["mappings"]}
        for name in ("comb", "touched", "fragmenter"):
            (truth,) = zoo.truth[name]["mappings"]
            row = rows[truth["start"]]
            runs = [count for state, _, count in truth["runs"] if state == "present"]
            few = [count for count in runs if count <= 4]
            equal(f"{name}: present", row["present"], sum(runs) * PAGE)
            equal(f"{name}: runs", row["runs"], len(runs))
            equal(f"{name}: few", (row["few"], row["few_runs"]), (sum(few) * PAGE, len(few)))
            start, end = int(truth["start"], 16), int(truth["end"], 16)
            pieces, longest = scatter(oracle.pages(zoo.pid, start, end))
            equal(f"{name}: frames", (row["frame_runs"], row["frame_longest"]),
                  (pieces, longest * PAGE))
        for key in ("present", "few", "runs", "frame_runs"):
            equal(key, sum(row[key] for row in process["mappings"]), process["density"][key])


@lib.test
def holes_of_the_heap():
    """Five pages behind three that were not touched."""
    with lib.zoo("heap") as zoo:
        (process,) = lib.vmview_json("frag", zoo.truth["heap"]["pid"])["processes"]
    (truth,) = zoo.truth["heap"]["mappings"]
    (found,) = [row for row in process["heaps"] if row["start"] == truth["start"]]
    used = [first for state, first, _ in truth["runs"] if state == "present"]
    equal("a guess", found["guess"], False)
    equal("holes", found["holes"], used[0] * PAGE)


def scatter(pages):
    """How many pieces of frames, and the longest; pages is a list, empty ones are in it."""
    pieces, longest, run, last = 0, 0, 0, None
    for page in pages:
        pfn = page.pfn if page.state == "present" else None
        if pfn is not None and last is not None and pfn == last + 1:
            run += 1
        elif pfn is not None:
            pieces, run = pieces + 1, 1
        longest = max(longest, run if pfn is not None else 0)
        last = pfn
    return pieces, longest


@lib.test
def picture():
    lib.need_root()
    size = oracle.pageblock_frames()
    document = lib.vmview_json("frag", "--map", status=None)
    cells, legend = document["map"]["cells"], document["map"]["legend"]
    equal("cell", document["map"]["cell_bytes"] % (size * PAGE), 0)
    true(set(cells) <= set(legend.values()), "a letter is not in the legend")
    out = lib.vmview("frag", "--map", status=None).out
    true("a cell is" in out and "\033" not in out, "a picture without colours")
    true("\033[" in lib.vmview("frag", "--map", "--color=always", status=None).out, "colours")


@lib.test
def unprivileged():
    """What everybody may read is there; what not is absent, and says why."""
    lib.need_root()
    done = lib.vmview("frag", "--json", user=65534, status=1)
    document = json.loads(done.out)
    lib.validate(document)
    for key in ("types", "pageblocks", "blockers"):
        true(key not in document or document[key] is None, f"{key} is there")
        true(document["missing"][key].startswith("denied"), document["missing"])
    true(document["zones"] and document["counters"], "zones and counters")
    equal("complete", document["complete"], False)
    true(all(row["answer"] and row["why"] for row in document["verdicts"]), document["verdicts"])
    true("try: sudo vmview frag" in done.err, done.err)


lib.done()
