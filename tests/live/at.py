#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview at against the animals' truth and the kernel's files."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
import oracle  # noqa: E402

NOBODY = 65534
PAGE = oracle.PAGE


def truth(zoo, animal):
    found = zoo.truth[animal]
    return found[0] if isinstance(found, list) else found


def address(value):
    return int(value, 16) if isinstance(value, str) else value


def first(zoo, animal, state="present"):
    """The mapping of an animal and the address of its first page in the state."""
    mapping = truth(zoo, animal)["mappings"][0]
    start = address(mapping["start"])
    for at, page in enumerate(oracle.pages(zoo.pid, start, start + 4096 * PAGE)):
        if page.state == state:
            return start + at * PAGE, page
    raise lib.Failed(f"{animal} has no page that is {state}")


def ask(pid, addr, *args, **options):
    return lib.vmview_json("at", pid, hex(addr), *args, **options)


@lib.test
def the_frame_of_a_page_of_its_own():
    lib.need_root()
    with lib.zoo("touched") as zoo:
        addr, page = first(zoo, "touched")
        found = ask(zoo.pid, addr + 0x123)
        lib.equal("pfn", found["frame"]["pfn"], page.pfn)
        lib.equal("physical", address(found["frame"]["phys"]), page.pfn * PAGE + 0x123)
        lib.equal("map count", found["frame"]["map_count"], 1)
        lib.equal("exclusive", found["page"]["exclusive"], True)
        lib.true({"anonymous", "mmap"} <= set(found["frame"]["flags"]), found["frame"]["flags"])
        lib.equal("node", found["frame"]["node"], 0)
        mapping = found["mapping"]
        lib.equal("inside", address(mapping["inside"]), addr + 0x123 - address(mapping["start"]))
        lib.equal("previous ends", address(found["previous"]["end"]),
                  address(mapping["start"]) - found["previous"]["gap"])
        lib.equal("next starts", address(found["next"]["start"]),
                  address(mapping["end"]) + found["next"]["gap"])


@lib.test
def indices_make_the_address_again():
    if os.uname().machine != "x86_64":
        raise lib.Skipped("the shifts are those of x86-64")
    with lib.zoo("touched") as zoo:
        addr = first(zoo, "touched")[0] + 0xabc
        table = ask(zoo.pid, addr)["page_table"]
        shifts = {"pte": 12, "pmd": 21, "pud": 30, "p4d": 39,
                  "pgd": 39 if table["p4d"] is None else 48}
        parts = [table[level] << shift for level, shift in shifts.items()
                 if table[level] is not None]
        lib.equal("sum of the indices", sum(parts) + address(table["offset"]), addr)
        lib.equal("leaf", table["leaf"], "PTE")
        lib.equal("leaf size", table["leaf_size"], PAGE)


@lib.test
def every_mapping_as_map_has_it():
    with lib.zoo("touched") as zoo:
        rows = lib.vmview_json("map", zoo.pid)["processes"][0]["mappings"]
        for row in rows[:: max(1, len(rows) // 12)]:
            found = ask(zoo.pid, int(row["start"], 16))["mapping"]
            for key in ("start", "end", "perm", "offset", "dev", "inode", "path", "kind", "rss",
                        "anonymous", "size", "vm_flags"):
                lib.equal(f"{key} of {row['start']}", found[key], row[key])


@lib.test
def a_huge_page():
    lib.need_root()
    with lib.zoo("thp") as zoo:
        mapping = truth(zoo, "thp")["mappings"][0]
        start = address(mapping["start"])
        found = ask(zoo.pid, start + 7 * PAGE + 1)
        lib.equal("leaf", found["page_table"]["leaf"], "PMD")
        lib.equal("leaf size", found["page_table"]["leaf_size"], 2 << 20)
        lib.equal("order", found["frame"]["order"], 9)
        lib.equal("place in the folio", found["frame"]["folio_index"], 7)
        lib.equal("folio", found["frame"]["folio_pfn"] * PAGE % (2 << 20), 0)
        lib.true("thp" in found["frame"]["flags"], found["frame"]["flags"])


@lib.test
def between_mappings():
    with lib.zoo("touched") as zoo:
        rows = oracle.maps(zoo.pid)
        below, above = next((a, b) for a, b in zip(rows, rows[1:]) if b.start - a.end > 4 * PAGE)
        found = ask(zoo.pid, below.end + PAGE)
        lib.equal("mapping", found["mapping"], None)
        lib.equal("gap below", found["previous"]["gap"], PAGE)
        lib.equal("gap above", found["next"]["gap"], above.start - below.end - PAGE)
        lib.equal("page", found["page"], None)


@lib.test
def without_rights_frames_are_absent():
    lib.need_root()
    with lib.zoo("touched") as zoo:
        addr, _ = first(zoo, "touched")
        done = lib.vmview("at", zoo.pid, hex(addr), user=NOBODY, status=1)
        lib.true("try: sudo" in done.err, done.err)
        lib.equal("output", done.out, "")


@lib.test
def of_oneself_without_rights():
    lib.need_root()
    with lib.reachable(lib.VMVIEW) as program:
        # the shell that waits for vmview is the target: it has the same user, and no rights
        script = f"{program} at $$ $(sed -n '/heap/s/-.*//p' /proc/$$/maps) --json; exit $?"
        done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                               "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
                               "sh", "-c", script], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    lib.equal("status", done.returncode, 0)
    found = json.loads(done.stdout)
    lib.validate(found)
    lib.equal("state", found["page"]["state"], "present")
    lib.equal("frame", found["frame"], None)
    lib.equal("reason", found["missing"]["frame"], "denied: needs CAP_SYS_ADMIN")


@lib.test
def no_process_and_kernel_threads():
    done = lib.vmview("at", 0x7fffffff, "1000", status=1)
    lib.true("no process" in done.err, done.err)
    found = ask(2, 0x1000)
    lib.equal("mapping", found["mapping"], None)
    lib.equal("page", found["missing"]["page"], "kernel thread: has no memory of its own")


@lib.test
def free_frames_around():
    """No more are free than the block holds, and the frame itself is none of them."""
    lib.need_root()
    with lib.zoo("touched") as zoo:
        addr, _ = first(zoo, "touched")
        frame = ask(zoo.pid, addr)["frame"]
        lib.equal("block", frame["block"], 512)
        lib.true(frame["free_before"] + frame["free_after"] <= frame["free_in_block"] < 512, frame)


@lib.test
def the_picture_of_an_address_space():
    """20 lines that leave nothing out; an address is where it is said to be."""
    with lib.zoo("touched") as zoo:
        rows = [row for row in oracle.maps(zoo.pid) if not row.start >> 63]
        heap = next(at for at, row in enumerate(rows) if row.name == b"[heap]")
        found = ask(zoo.pid, rows[heap].start + 1, "--layout")["processes"][0]
        regions = found["regions"]
        lib.equal("mapped", sum(one["mapped"] for one in regions),
                  sum(row.end - row.start for row in rows))
        lib.equal("mappings", sum(one["mappings"] for one in regions), len(rows))
        lib.equal("from", address(regions[0]["start"]), rows[0].start)
        lib.equal("to", address(regions[-1]["end"]), rows[-1].end)
        lib.equal("whole", [one["end"] for one in regions[:-1]],
                  [one["start"] for one in regions[1:]])
        here = [one for one in regions if one.get("here")]
        lib.equal("one has it", len(here), 1)
        lib.true(address(here[0]["start"]) <= rows[heap].start < address(here[0]["end"]), here)
        lib.equal("the heap may grow", found["heap_room"], rows[heap + 1].start - rows[heap].end)
        out = lib.vmview("at", zoo.pid).out
        lib.true(len(out.splitlines()) <= 22, out)


@lib.test
def a_big_mapping_has_its_memory():
    """Where the pace spares it smaps, the pages tell, and say which of it they only estimate."""
    lib.need_root()
    program = os.path.join(lib.BUILD, "bench/bigrss")
    if not os.path.exists(program):
        raise lib.Skipped("bench/bigrss is not built")
    with subprocess.Popen([program, "2g"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            child.stdout.readline()
            big = max(oracle.maps(child.pid), key=lambda row: row.end - row.start)
            found = ask(child.pid, big.start)["mapping"]
            lib.true(found["rss"] >= 2 << 30, found["rss"])
            lib.equal("absent", found["missing"]["referenced"].split(":")[0], "pace")
            rows = lib.vmview("at", child.pid, hex(big.start), "--csv", "--bytes").out.splitlines()
            memory = next(row for row in rows if row.startswith("mapping,memory,"))
            lib.true(f"rss {found['rss']}," in memory, memory)
            lib.true(f"private_dirty {found['private_dirty']} (estimate)" in memory, memory)
        finally:
            child.stdin.close()


lib.done()
