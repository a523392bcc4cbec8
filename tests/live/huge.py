#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview huge against the zoo's huge pages, byte by byte."""
import lib

PAGE = 4096


def look(zoo, *options, **more):
    process = lib.vmview_json("huge", zoo.pid, *options, **more)["processes"][0]
    return process, {mapping["start"]: mapping for mapping in process["mappings"]}


def truth_of(zoo, animal):
    return zoo.truth[animal]["mappings"][0]


def check(zoo, mappings, animal, **want):
    got = mappings[truth_of(zoo, animal)["start"]]
    for key, value in want.items():
        lib.equal(f"{animal} {key}", got.get(key), value)


@lib.test
def folios_and_how_they_are_mapped():
    lib.need_root()
    with lib.zoo("thp", "thp-partial", "thp-pte", "thp-moved", "touched") as zoo:
        size = 512 * PAGE
        process, mappings = look(zoo)
        check(zoo, mappings, "thp", present=2 * size, pmd=2 * size, large=0, aligned=2 * size,
              unmapped=0, slots=2, huge_slots=2, tlb=2, f2m=2 * size, f4k=None)
        check(zoo, mappings, "thp-partial", present=size - PAGE, pmd=0, large=size - PAGE,
              aligned=0, unmapped=PAGE, slots=1, huge_slots=0, tlb=511, f2m=size - PAGE)
        check(zoo, mappings, "thp-pte", present=size, pmd=0, large=size, aligned=size, unmapped=0,
              slots=1, huge_slots=0, tlb=512)
        check(zoo, mappings, "thp-moved", present=size, pmd=0, large=size, aligned=0, unmapped=0,
              slots=2, tlb=512)
        check(zoo, mappings, "touched", present=3 * PAGE, large=0, f4k=3 * PAGE, tlb=3)
        for key in ("present", "pmd", "large", "unmapped", "tlb", "slots"):
            total = sum(mapping[key] for mapping in mappings.values())
            lib.equal(f"total {key}", process["total"][key], total)


@lib.test
def why_slots_are_not_huge():
    lib.need_root()
    with lib.zoo("thp-odd", "thp-partial", "thp-pte", "touched") as zoo:
        process, mappings = look(zoo, "--why")
        check(zoo, mappings, "thp-odd", why="edge", huge_slots=1, slots=2)
        check(zoo, mappings, "thp-partial", why="nohugepage")
        check(zoo, mappings, "thp-pte", why="split")
        check(zoo, mappings, "touched", why="short")
        why = {row["reason"]: row for row in process["why"]}
        lib.equal("split slots", why["split"]["slots"], 1)
        lib.equal("split gain", why["split"]["gain"], 511)
        lib.equal("split more", why["split"]["more"], 0)
        lib.equal("nohugepage more", why["nohugepage"]["more"], PAGE)
        total = process["total"]
        lib.equal("slots with a reason", sum(row["slots"] for row in process["why"]),
                  total["slots"] - total["huge_slots"])


@lib.test
def pages_agree_with_the_kernel():
    with lib.zoo("thp", "touched", "thp-odd") as zoo:
        process, _ = look(zoo)
        with open(f"/proc/{zoo.pid}/smaps_rollup", encoding="ascii") as file:
            rollup = {line.split(":")[0]: int(line.split()[1]) * 1024
                      for line in file if line.rstrip().endswith("kB")}
        lib.equal("pmd", process["total"]["pmd"], rollup["AnonHugePages"])


@lib.test
def nobody_sees_no_frames():
    document = lib.vmview_json("huge", 1, user=65534, status=1)
    lib.equal("mappings", document["processes"][0]["mappings"], None)


@lib.test
def kernel_thread():
    document = lib.vmview_json("huge", 2)
    lib.equal("mappings", document["processes"][0]["mappings"], None)


lib.done()
