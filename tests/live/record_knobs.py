#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview record of huge pages of the pool and of swap: what is recorded shows what it shows
live."""
import lib
from record_trip import ALWAYS, PAGES, round_trip, stopped


def hugetlb():
    with stopped("hugetlb", "hugetlb-shared") as pid:
        round_trip(pid, ALWAYS + PAGES, "--pages", "--elf")


def swap():
    # of the device, a recording of one process knows only what is of that
    commands = [command for command in ALWAYS + PAGES if command != "swap"]
    with stopped("swap", "swap-shm") as pid:
        round_trip(pid, (*commands, "swap --json"), "--pages", "--elf")


lib.done_with_knobs({"hugetlb=8": (hugetlb,), "zram=256M": (swap,)})
