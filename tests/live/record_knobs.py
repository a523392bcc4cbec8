#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview record of huge pages of the pool and of swap: what is recorded shows what it shows
live."""
import lib
import record


def hugetlb():
    with record.stopped("hugetlb", "hugetlb-shared", "hugetlb-cow") as pid:
        record.round_trip(pid, record.ALWAYS + record.PAGES, "--pages", "--elf")


def swap():
    with record.stopped("swap", "swap-shm", "swap-thp") as pid:
        record.round_trip(pid, record.ALWAYS + record.PAGES, "--pages", "--elf")


lib.done_with_knobs({"hugetlb=8": (hugetlb,), "zram=256M": (swap,)})
