/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readloop MODE[,MODE...] [PID... | all]: nothing but the reads that a question needs, in a loop, as
 * the measure for a program that answers it. Modes with a process, "all" being every one there is:
 *
 *   maps smaps smaps_rollup statm   the file, to its end
 *   pagemap  maps, and the pagemap words of its mappings (joined over small gaps; in a mapping over
 *            32 MiB that is mostly empty, only of what PAGEMAP_SCAN finds there)
 *   elf      pagemap, and the headers, section headers and section names of all ELF files in maps
 *   flags    pagemap, and the kpageflags words of the frames, in runs joined over small gaps
 *   frames   flags, and the kpagecount words likewise
 *   huge     as flags, but PAGEMAP_SCAN first, and then one word of each for a huge page
 *   every    all pagemap words, and one read of kpageflags for each page: what page-types -p does
 *
 * and without one: kpageflags kpagecount, the whole file.
 *
 * Prints what was read in one line, as proof that it was. A process that cannot be read is counted
 * as refused; when nothing at all could be read the exit status is 1.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readpages.h"

struct readloop {
	struct frameset frames;
	struct tally tally;
	bool flags, counts; /* read those words of the frames at the end */
};

struct mode {
	const char *name;
	void (*read)(struct readloop *loop, const struct mode *mode, const char *pid);
	bool per_process;
};

static void read_text(struct readloop *loop, const struct mode *mode, const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, mode->name);
	if (!file_read(path, &loop->tally))
		loop->tally.refused++;
}

static void read_pagemap(struct readloop *loop, const struct mode *mode, const char *pid)
{
	(void)mode;
	pagemap_walk(pid, WALK_SPANS, NULL, &loop->tally);
}

static void read_elf(struct readloop *loop, const struct mode *mode, const char *pid)
{
	(void)mode;
	pagemap_walk(pid, WALK_ELF, NULL, &loop->tally);
}

static void read_flags(struct readloop *loop, const struct mode *mode, const char *pid)
{
	(void)mode;
	loop->flags = true;
	pagemap_walk(pid, WALK_SPANS, &loop->frames, &loop->tally);
}

static void read_frames(struct readloop *loop, const struct mode *mode, const char *pid)
{
	loop->counts = true;
	read_flags(loop, mode, pid);
}

static void read_huge(struct readloop *loop, const struct mode *mode, const char *pid)
{
	(void)mode;
	loop->flags = true;
	pagemap_walk(pid, WALK_HUGE, &loop->frames, &loop->tally);
}

static void read_every(struct readloop *loop, const struct mode *mode, const char *pid)
{
	(void)mode;
	pagemap_walk(pid, WALK_EVERY, NULL, &loop->tally);
}

static void read_whole(struct readloop *loop, const struct mode *mode, const char *pid)
{
	char path[64];

	(void)pid;
	snprintf(path, sizeof(path), "/proc/%s", mode->name);
	if (!file_read(path, &loop->tally))
		err(2, "%s", path);
}

static const struct mode modes[] = {
	{ "maps", read_text, true },	     { "smaps", read_text, true },
	{ "smaps_rollup", read_text, true }, { "statm", read_text, true },
	{ "pagemap", read_pagemap, true },   { "flags", read_flags, true },
	{ "frames", read_frames, true },     { "huge", read_huge, true },
	{ "every", read_every, true },	     { "kpageflags", read_whole, false },
	{ "kpagecount", read_whole, false }, { "elf", read_elf, true },
};

static const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	errx(2, "unknown mode: %s", name);
}

static void read_all(struct readloop *loop, const struct mode *mode)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		err(2, "/proc");
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			mode->read(loop, mode, entry->d_name);
	closedir(proc);
}

static void read_mode(struct readloop *loop, const struct mode *mode, char **pids)
{
	if (!mode->per_process)
		mode->read(loop, mode, NULL);
	else if (!*pids)
		errx(2, "%s: of which process?", mode->name);
	for (; mode->per_process && *pids; pids++) {
		if (strcmp(*pids, "all") == 0)
			read_all(loop, mode);
		else
			mode->read(loop, mode, *pids);
	}
}

static void tally_print(const struct tally *tally)
{
	printf("files=%" PRIu64 " refused=%" PRIu64 " reads=%" PRIu64 " bytes=%" PRIu64
	       " mappings=%" PRIu64 " spans=%" PRIu64 " words=%" PRIu64 " present=%" PRIu64
	       " swapped=%" PRIu64 " frames=%" PRIu64 " objects=%" PRIu64 "\n",
	       tally->files, tally->refused, tally->reads, tally->bytes, tally->mappings,
	       tally->spans, tally->words, tally->present, tally->swapped, tally->frames,
	       tally->objects);
}

int main(int argc, char **argv)
{
	struct readloop loop = { 0 };
	char *name, *rest;

	if (argc < 2)
		errx(2, "usage: readloop MODE[,MODE...] [PID... | all]");
	for (name = strtok_r(argv[1], ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		read_mode(&loop, mode_find(name), argv + 2);
	if (loop.flags)
		frameset_read(&loop.frames, "/proc/kpageflags", &loop.tally);
	if (loop.counts)
		frameset_read(&loop.frames, "/proc/kpagecount", &loop.tally);
	frameset_fini(&loop.frames);
	tally_print(&loop.tally);
	return loop.tally.bytes ? 0 : 1;
}
