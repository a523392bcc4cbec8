/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_READ_H
#define VMVIEW_CMD_LIVE_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/live/budget.h"
#include "column/column.h"
#include "engine/context.h"
#include "model/smaps_key.h"
#include "source/caps.h"
#include "source/root.h"
#include "source/users.h"

struct live;
struct live_known;
struct mappings;
struct process;

/*
 * What fills the live view: reads what its current view shows. The directory of the process that is
 * shown stays open, so that its number can not become another's.
 */
struct live_reader {
	struct context *ctx;
	struct smaps_keys keys, ps_keys; /* of smaps; of smaps_rollup */
	struct mappings *mappings;
	struct column_set vma_set, tally_set, process_set, huge_set;
	bool whole; /* all rollups at every refresh: --batch, --screen, recordings */
	/* the process of all views but LIVE_PROCESSES and those of the machine */
	struct procdir dir;
	bool has_dir;
	uint64_t code_start, stack_start; /* change at exec */
	/* LIVE_PROCESSES: rollups by process, as old as they are */
	struct live_known *known;
	size_t known_count;
	struct users users;
	uint64_t refresh; /* number of the reading of the list */
	struct caps caps; /* live_caps() */
	bool has_caps;
	uint64_t cost_ns; /* CPU of the last whole reading */
	struct live_budget budget;
	bool partial; /* something of it could not be read */
	size_t unread; /* processes of the list, as last written; why is that of the first */
	char why[128];
};

void live_reader_init(struct live_reader *reader, struct context *ctx);
void live_reader_fini(struct live_reader *reader);

/* Give live its views' columns: before anything else is done with it. */
void live_reader_views(struct live_reader *reader, struct live *live);

/* Meet what smaps_rollup has here; live_reader_init() calls it. */
void live_reader_meet(struct live_reader *reader);

/*
 * Read what the current view shows into live, and note what that cost. Returns 0 or -errno where
 * there is nothing to show at all; a process that ended is no error, but live->facts.ended.
 */
int live_reader_read(struct live_reader *reader, struct live *live, struct error *err);

/* How far apart readings that cost as much as the last one have to be. */
uint64_t live_reader_least_ns(const struct live_reader *reader);

/* Read only what the cursor is on: the rollup of that process, that page; what else is shown stays. */
void live_reader_glance(struct live_reader *reader, struct live *live);

/* One view each; live_reader_glance() calls them. */
void live_glance_processes(struct live_reader *reader, struct live *live);
void live_glance_pages(struct live_reader *reader, struct live *live);

/* One view each; live_reader_read() calls them. */
int live_read_processes(struct live_reader *reader, struct live *live, struct error *err);
int live_read_pages(struct live_reader *reader, struct live *live, struct error *err);

int live_read_frame(struct live_reader *reader, struct live *live, struct error *err);
int live_read_huge(struct live_reader *reader, struct live *live, struct error *err);
int live_read_sharing(struct live_reader *reader, struct live *live, struct error *err);
int live_read_machine(struct live_reader *reader, struct live *live, struct error *err);
int live_read_orders(struct live_reader *reader, struct live *live, struct error *err);

/*
 * Open the process that is shown, read its facts for the title and hand them to read, which reads the
 * view. Where the process has ended, what was read before stays, and live->facts.ended is set.
 */
typedef int (*live_process_read)(struct live_reader *reader, struct live *live,
				 const struct process *process, struct error *err);
int live_read_process(struct live_reader *reader, struct live *live, live_process_read read,
		      struct error *err);

/* Why a process has no mappings at all. */
const char *live_no_memory(const struct process *process);

/* What the kernel allows, asked once. */
const struct caps *live_caps(struct live_reader *reader);

extern const struct column_set live_sharing_columns;
extern const char live_sharing_default[];

/* What the status line says of the reading. */
void live_status(struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The columns of the list of processes. */
void live_process_columns_make(struct arena *arena, const struct smaps_keys *keys,
			       struct column_set *set);
extern const char live_process_columns[], live_process_columns_narrow[];

/* CPU time of this process, all of its threads. */
uint64_t live_cpu_now(void);

#endif
