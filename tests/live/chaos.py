#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that change while they are read, a few runs of each command: tools/chaos in short, for
the states in which they change by themselves or are reaped. states.py has the others."""
import lib
import mixing

RUNS, SECONDS = 10, 0.4
STATES = ("swap", "lone-swap", "forks", "reaped")


def check(state):
    found = []
    with mixing.pair() as pair:
        for command in mixing.COMMANDS:
            if command.machine or command.name in mixing.UNRULY:
                continue
            tally = mixing.Tally()
            mixing.trial(pair, state, command, RUNS, tally, SECONDS)
            for kind, count in tally.faults.items():
                ran = tally.samples[kind]
                found.append(f"{command.name}: {count} of {tally.runs} {kind}: status "
                             f"{ran.status}, {ran.err.strip()[:200]}\n{ran.out[:1000]}")
    if found:
        raise lib.Failed("\n".join(found))


@lib.test
def two_programs_that_execute_each_other():
    check("swap")


@lib.test
def another_thread_executes():
    check("lone-swap")


@lib.test
def children_without_end():
    check("forks")


@lib.test
def reaped_in_the_middle():
    check("reaped")


lib.done()
