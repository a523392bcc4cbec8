#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The machine's settings are put back: after a command, after its failure, after kill -9.
. "$(dirname "$0")/lib.sh"
need_root

POOL=/proc/sys/vm/nr_hugepages
KNOBS=$(dirname "$0")/knobs.sh
[ -w "$POOL" ] || skip "no hugetlb"

# knobs STATUS KNOB... -- COMMAND...: run knobs.sh, which has to end so.
knobs()
{
	local want=$1

	shift
	status "$want" bash "$KNOBS" "$@" >"$TMP/out" 2>&1 || fail "$(cat "$TMP/out")"
	[ "$want" = 77 ] || ! grep -q '^skip:' "$TMP/out" || skip "$(sed 's/^skip: //' "$TMP/out")"
}

# Another test may hold the lock, with its own settings: so look at the machine under it.
knobs 0 -- true
before()
{
	flock /run/lock/vmview-machine cat "$POOL"
}
old=$(before)

knobs 0 hugetlb=2 -- sh -c "cat $POOL >'$TMP/inside'"
equal "the pool inside" "$(cat "$TMP/inside")" $((old + 2))
equal "the pool afterwards" "$(before)" "$old"

knobs 3 hugetlb=2 -- sh -c 'exit 3'
equal "the pool after a failure" "$(before)" "$old"

# One inside the other, as a test under knobs.sh may do: the lock is held once.
knobs 0 hugetlb=1 -- bash "$KNOBS" hugetlb=1 -- sh -c "cat $POOL >'$TMP/inside'"
equal "the pool twice inside" "$(cat "$TMP/inside")" $((old + 2))
equal "the pool after both" "$(before)" "$old"

knobs 2 no_such_knob -- true
knobs 77 map_count=nonsense -- true
equal "notes left behind" "$(ls /run/vmview-knobs.undo 2>/dev/null)" ""

# Killed: the settings stay, and the next one to take the lock puts them back.
# shellcheck disable=SC2016
status 137 bash "$KNOBS" hugetlb=2 -- sh -c 'kill -KILL $PPID' 2>/dev/null
knobs 0 -- sh -c "cat $POOL >'$TMP/inside'"
equal "the pool after kill -9" "$(cat "$TMP/inside")" "$old"
equal "notes left behind" "$(ls /run/vmview-knobs.undo 2>/dev/null)" ""
