#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview share and cow where the machine has to be set up: hugetlb pages, merged pages, swap."""
import lib


def hugetlb_after_fork():
    """Two pages of the pool at the fork, the child copied one."""
    with lib.zoo("hugetlb-cow") as zoo:
        truth = zoo.truth["hugetlb-cow"]
        pids = [m["pid"] for m in truth["mappings"]]
        huge = truth["mappings"][0]["shared_hugetlb"]
        doc = lib.vmview_json("share", *pids)
        for process in doc["processes"]:
            lib.equal("hugetlb", process["hugetlb"], 2 * huge)
            lib.equal("shared_hugetlb", process["shared_hugetlb"], huge)
            lib.true(process["rss"] < huge * 8, "rss has pages of the pool")
            lib.true(process["uss"] <= process["rss"], "uss has pages of the pool")
        lib.equal("pair", doc["pairs"][0]["hugetlb"], huge)
        lib.equal("footprint", doc["footprint_by_kind"]["hugetlb"], 3 * huge)
        lib.equal("if_ended", doc["if_ended"]["hugetlb"], 3 * huge)
        lib.equal("sum", doc["sum_hugetlb"], 4 * huge)
        total = lib.vmview_json("cow", *pids)["total"]
        lib.true(total["shared"] >= huge, "the page of the pool is not shared")
        lib.true(total["copied"] >= huge, "the copied page of the pool is not seen")


def hugetlb_mapped_twice():
    with lib.zoo("hugetlb-shared") as zoo:
        truth = zoo.truth["hugetlb-shared"]
        present = sum(m["private_hugetlb"] + m["shared_hugetlb"] for m in truth["mappings"])
        process = lib.vmview_json("share", zoo.pid)["processes"][0]
        lib.equal("hugetlb", process["hugetlb"], present)


def merged_pages():
    """64 equal pages are one frame, mapped 64 times."""
    with lib.zoo("ksm") as zoo:
        doc = lib.vmview_json("share", zoo.pid)
        page = doc["host"]["page_size"]
        lib.equal("ksm", doc["footprint_by_kind"]["ksm"], page)
        lib.equal("freed", doc["if_ended"]["freed"],
                  doc["footprint_by_kind"]["anon"] + doc["footprint_by_kind"]["ksm"])
        lib.true(doc["processes"][0]["rss"] >= 64 * page, "rss counts the frame once")


def swapped_after_fork():
    """Slots that both have."""
    with lib.zoo("swap-fork") as zoo:
        truth = zoo.truth["swap-fork"]
        pids = [m["pid"] for m in truth["mappings"]]
        doc = lib.vmview_json("share", *pids)
        want = {m["pid"]: m["swap"] for m in truth["mappings"]}
        for process in doc["processes"]:
            lib.true(process["swap"] >= want[process["pid"]], f"swap of {process}")
        total = lib.vmview_json("cow", *pids)["total"]
        lib.true(total["shared_swap"] > 0, "no slot is shared")


CASES = {"hugetlb=8": (hugetlb_after_fork, hugetlb_mapped_twice), "ksm": (merged_pages,),
         "zram=256M": (swapped_after_fork,)}


lib.done_with_knobs(CASES)
