/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_RECORD_RECORD_H
#define VMVIEW_CMD_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/out.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "source/caps.h"
#include "source/frames.h"
#include "source/look_record.h"
#include "source/tree.h"

struct context;

struct record_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool elf;
	uint64_t interval, count, keep;
	const char *until;
	bool frames; /* --pages, which all commands have */
};

/* A process of the recording, for the manifest. Texts live in the recording's arena. */
struct recorded {
	int pid;
	struct bytes comm, cgroup;
	uint64_t start_time;
	uint32_t uid;
	bool uid_known, complete;
	struct missing missing;
};

/* One recording. */
struct record_run {
	struct context *ctx;
	struct record_options options;
	struct arena arena;
	struct caps caps;
	struct tree tree;
	struct visits visits;
	struct timespec real, monotonic, boottime; /* when it began */
	struct missing missing;
	struct recorded *list; /* heap */
	size_t count, cap;
	struct frame_bits mapped, wanted[FRAME_FILES]; /* frames */
	struct bytes *groups; /* heap: cgroups that were recorded */
	size_t group_count, group_cap;
	bool frames_lost; /* not all of them */
	bool average; /* kpagecount has averages of big folios */
};

/* For visit_targets(): writes each process into run->tree. */
struct visitor record_visitor(const struct record_run *run);

/*
 * smaps as it is, and maps, which are the first lines of its records: one pass for both. maps is what was found of it.
 * Returns 0 or the -errno of reading; *changed counts mappings that overlap the one before.
 */
int record_smaps(struct tree *tree, const struct procdir *dir, const char *to, struct out *maps,
		 size_t *changed);

/* Of each file in the text of maps what it is: the recording cannot look any more. */
void record_files(struct record_run *run, struct visit *visit, struct bytes maps, const char *to);
void *record_kit_new(void *run);
void record_kit_free(void *kit);

/* The pages of the mappings in the text of maps. Returns 0, or -ESRCH where the memory went away. */
int record_pages(struct record_run *run, struct visit *visit, struct recorded *recorded,
		 struct bytes maps, const char *to);

/* What the kernel tells of the frames of these pages. */
void record_frames(struct record_run *run);

/* The files of the machine, and those that vmview has of it. */
void record_machine(struct record_run *run);

/* manifest.json, at last. */
void record_manifest(struct record_run *run);

#endif
