/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_NEEDS_H
#define VMVIEW_MODEL_NEEDS_H

/*
 * What has to be read before a column can be shown. Columns ask, sources serve: the needs of all that
 * is shown, sorted and filtered by are OR-ed, and nothing else is read.
 */
enum need {
	NEED_SMAPS = 1 << 0, /* /proc/PID/smaps instead of maps */
	NEED_KIND = 1 << 1, /* look at mapped files and thread stacks, to tell the kind */
	NEED_PAGES = 1 << 2, /* the page walk: pagemap or PAGEMAP_SCAN */
	NEED_FLAGS = 1 << 3, /* /proc/kpageflags */
	NEED_COUNTS = 1 << 4, /* /proc/kpagecount */
	NEED_CGROUPS = 1 << 5, /* /proc/kpagecgroup */
	NEED_NUMA = 1 << 6, /* /proc/PID/numa_maps */
	NEED_ROLLUP = 1 << 7, /* /proc/PID/smaps_rollup */
	NEED_STATUS = 1 << 8, /* /proc/PID/status */
	NEED_ELF = 1 << 9, /* sections, build-ids: the mapped ELF files */
	NEED_CGROUP = 1 << 10, /* /proc/PID/cgroup */
	NEED_USER = 1 << 11, /* the name of a user */
	NEED_STAT = 1 << 12, /* /proc/PID/stat */
	NEED_CMDLINE = 1 << 13, /* /proc/PID/cmdline: waits for the target's mmap_lock */
	NEED_EXE = 1 << 14, /* the link /proc/PID/exe */
	NEED_OOM = 1 << 15, /* /proc/PID/oom_score */
	NEED_RELOCS = 1 << 16, /* of the mapped ELF files, where they are relocated */
	NEED_FRAMES = 1 << 17, /* frame numbers and swap slots in pagemap */
	NEED_NAME = 1 << 18, /* the name of a mapping for people; NEED_KIND has it, too */
	NEED_SECTION = 1 << 19, /* the mapped ELF files, for what a mapping is of them */
	NEED_GUESS =
		1
		<< 20, /* all mappings together, with NEED_KIND: what memory without a name may be */
	NEED_DELETED = 1 << 21, /* look at the files that are marked as deleted, alone */
	NEED_MAPS = 1 << 23, /* /proc/PID/maps, for how many there are: waits as cmdline does */
	NEED_GUESS_FEW = 1 << 22, /* NEED_GUESS where mappings are so few that it costs nothing */
};

#endif
