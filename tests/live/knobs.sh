#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Machine-wide settings for a while: the huge page pool, swap on zram, KSM, THP and the like. One
# test at a time changes them (a lock), what was there before is put back, also when the test fails
# or is killed: then the next one who takes the lock puts it back.
#
# Around one command (the lock is taken in any case):
#
#	bash tests/live/knobs.sh [hugetlb=N] [zram=SIZE] [ksm] ... -- COMMAND [ARG...]
#
# or in a test in bash, after lib.sh (at_exit) and for the rest of the test:
#
#	. "$(dirname "$0")/knobs.sh"
#	with_hugetlb 8
#
# A knob that this machine does not have ends with status 77 and says why. with_NAME VALUE and
# NAME=VALUE are the same:
#
#	hugetlb N	N more free pages in the pool of default size
#	zram SIZE	swap on /dev/zram0, of that size (256M); there must be no other swap
#	ksm		KSM runs, fast, and merges only what is told to be mergeable
#	ksm_zero	the same, and pages of zeros become the zero page
#	thp WORD	transparent_hugepage/enabled is WORD (madvise)
#	mthp KB		folios of KB (64) on madvise, huge pages of full size never
#	shmem_thp WORD	transparent_hugepage/shmem_enabled is WORD (advise)
#	map_count N	vm.max_map_count is N
#	lists N		a processor keeps at most 1/N of a zone at hand, shared with the others (100000)
#	uprobe FILE:OFF	a uprobe at that offset, enabled

KNOBS_LOCK=/run/lock/vmview-machine
KNOBS_UNDO=/run/vmview-knobs.undo
KNOBS_TRACING=/run/vmview-knobs.tracing
KNOBS_THP=/sys/kernel/mm/transparent_hugepage

knobs_skip()
{
	echo "skip: $*"
	exit 77
}

# Take the lock, once; then put back what somebody who was killed has left.
knobs_lock()
{
	[ -z "${knobs_locked-}" ] || return 0
	[ "$(id -u)" = 0 ] || knobs_skip "needs root to change the machine's settings"
	if [ -z "${VMVIEW_KNOBS_HELD-}" ]; then
		exec {knobs_fd}>>"$KNOBS_LOCK" || knobs_skip "no lock at $KNOBS_LOCK"
		flock -w "${KNOBS_PATIENCE:-240}" "$knobs_fd" ||
			knobs_skip "somebody else holds the machine's settings"
		[ ! -e "$KNOBS_UNDO" ] || knobs_undo 0
	fi
	knobs_locked=1
	knobs_base=$(knobs_count)
	export VMVIEW_KNOBS_HELD=1
}

knobs_count()
{
	if [ -e "$KNOBS_UNDO" ]; then
		wc -l <"$KNOBS_UNDO"
	else
		echo 0
	fi
}

# knobs_undo LINES: put back what was noted after the first so many lines, last one first.
knobs_undo()
{
	local line

	tac "$KNOBS_UNDO" 2>/dev/null | head -n "-$1" | while IFS= read -r line; do
		eval "$line" || echo "knobs: cannot undo: $line" >&2
	done
	if [ "$1" = 0 ]; then
		rm -f "$KNOBS_UNDO"
	else
		sed -i "$(($1 + 1)),\$d" "$KNOBS_UNDO"
	fi
}

# To be called in the end; at_exit of lib.sh and the command form do it.
knobs_restore()
{
	[ -n "${knobs_locked-}" ] || return 0
	knobs_undo "$knobs_base"
	knobs_locked=
	if [ -n "${knobs_fd-}" ]; then
		unset VMVIEW_KNOBS_HELD
		exec {knobs_fd}>&-
		knobs_fd=
	fi
}

# knobs_later COMMAND: noted before the change is made, so that nothing is forgotten.
knobs_later()
{
	echo "$1" >>"$KNOBS_UNDO"
}

# knobs_write FILE VALUE: write it, and note what undoes it.
knobs_write()
{
	local old

	[ -w "$1" ] || knobs_skip "no $1"
	old=$(sed 's/.*\[\(.*\)\].*/\1/' "$1")
	knobs_later "echo '$old' >'$1'"
	echo "$2" 2>/dev/null >"$1" || knobs_skip "$1 does not take $2"
}

with_hugetlb()
{
	local pool=/proc/sys/vm/nr_hugepages old

	knobs_lock
	[ -w "$pool" ] || knobs_skip "no hugetlb"
	old=$(cat "$pool")
	knobs_write "$pool" $((old + $1))
	[ "$(cat "$pool")" -ge $((old + $1)) ] || knobs_skip "not enough free memory in huge pages"
}

with_zram()
{
	local zram=/sys/block/zram0

	knobs_lock
	[ -b /dev/zram0 ] || knobs_skip "no zram"
	[ "$(wc -l </proc/swaps)" = 1 ] || knobs_skip "there is swap already"
	[ "$(cat "$zram/disksize")" = 0 ] || knobs_skip "zram0 is in use"
	knobs_later "echo 1 >$zram/reset"
	echo "${1:-256M}" >"$zram/disksize" || knobs_skip "zram0 takes no size"
	mkswap /dev/zram0 >/dev/null || knobs_skip "mkswap failed"
	knobs_later "swapoff /dev/zram0"
	swapon /dev/zram0 || knobs_skip "swapon failed"
}

with_ksm()
{
	local ksm=/sys/kernel/mm/ksm

	knobs_lock
	[ -w "$ksm/run" ] || knobs_skip "no KSM"
	if [ "$(cat "$ksm/run")" = 0 ]; then
		knobs_write "$ksm/run" 1
		# 2 takes apart what was merged.
		knobs_later "echo 2 >$ksm/run"
	else
		knobs_write "$ksm/run" 1
	fi
	knobs_write "$ksm/sleep_millisecs" 10
	[ ! -e "$ksm/advisor_mode" ] || knobs_write "$ksm/advisor_mode" none
	knobs_write "$ksm/pages_to_scan" 5000
	# It may pass over pages that did not merge before.
	[ ! -e "$ksm/smart_scan" ] || knobs_write "$ksm/smart_scan" 0
}

with_ksm_zero()
{
	with_ksm
	knobs_write /sys/kernel/mm/ksm/use_zero_pages 1
}

with_thp()
{
	knobs_lock
	knobs_write "$KNOBS_THP/enabled" "${1:-madvise}"
}

with_mthp()
{
	knobs_lock
	knobs_write "$KNOBS_THP/hugepages-${1:-64}kB/enabled" madvise
	knobs_write "$KNOBS_THP/hugepages-$(($(cat "$KNOBS_THP/hpage_pmd_size") / 1024))kB/enabled" \
		never
}

with_shmem_thp()
{
	knobs_lock
	knobs_write "$KNOBS_THP/shmem_enabled" "${1:-advise}"
}

with_map_count()
{
	knobs_lock
	knobs_write /proc/sys/vm/max_map_count "$1"
}

with_lists()
{
	knobs_lock
	knobs_write /proc/sys/vm/percpu_pagelist_high_fraction "${1:-100000}"
}

# The tracing file system is mounted where nobody looks, if it is mounted nowhere yet.
with_uprobe()
{
	local dir=/sys/kernel/tracing event="p:vmview/probe $1"

	knobs_lock
	if [ ! -e "$dir/uprobe_events" ]; then
		dir=$KNOBS_TRACING
		mkdir -p "$dir"
		knobs_later "rmdir $dir"
		mount -t tracefs nodev "$dir" || knobs_skip "no tracefs"
		knobs_later "umount $dir"
	fi
	[ -w "$dir/uprobe_events" ] || knobs_skip "no uprobes"
	knobs_later "echo '-:vmview/probe' >>$dir/uprobe_events"
	echo "$event" >>"$dir/uprobe_events" || knobs_skip "no uprobe at $1"
	knobs_later "echo 0 >$dir/events/vmview/probe/enable"
	echo 1 >"$dir/events/vmview/probe/enable" || knobs_skip "the uprobe cannot be enabled"
}

knobs_main()
{
	local status=0

	trap knobs_restore EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	trap 'exit 129' HUP
	knobs_lock
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		if ! declare -F "with_${1%%=*}" >/dev/null; then
			echo "knobs: no knob is called ${1%%=*}" >&2
			exit 2
		fi
		if [ "$1" = "${1#*=}" ]; then
			"with_$1"
		else
			"with_${1%%=*}" "${1#*=}"
		fi
		shift
	done
	[ $# -gt 1 ] || { echo "usage: knobs.sh [KNOB[=VALUE]...] -- COMMAND [ARG...]" >&2; exit 2; }
	shift
	# Its children must not keep the lock.
	if [ -n "${knobs_fd-}" ]; then
		"$@" {knobs_fd}>&- || status=$?
	else
		"$@" || status=$?
	fi
	exit "$status"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -u
	knobs_main "$@"
elif declare -F at_exit >/dev/null; then
	at_exit knobs_restore
fi
