/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_READ_H
#define VMVIEW_CMD_LIVE_READ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "column/column.h"
#include "engine/context.h"
#include "engine/visit.h"
#include "model/smaps_key.h"
#include "render/live/request.h"
#include "source/caps.h"
#include "source/users.h"

struct live;
struct live_known;
struct process;

/* The columns of the views, made once; nothing changes in them while others read. */
struct live_columns {
	struct smaps_keys keys, ps_keys; /* of smaps; of smaps_rollup */
	struct column_set vma, tally, process, huge;
};

/*
 * What reads for the live view, what its current view shows. It belongs to the thread that reads, but for
 * columns, which all may look at.
 */
struct live_reader {
	struct context *ctx; /* of its own; the arena is that of one reading */
	struct arena arena; /* of the reader */
	struct live_columns columns;
	struct smaps_keys keys, rollup_keys; /* as met */
	const char **words; /* live_words() */
	size_t word_count, word_cap;
	struct guide *map_guide, *huge_guide, *rollup_guide; /* visitor.guide */
	bool parses; /* map_guide parses files */
	atomic_bool hurry; /* what is being read will not be shown: what is read in turns can end */
	/* the process of all views but LIVE_PROCESSES and those of the machine */
	int pid;
	uint64_t start_time; /* with pid its identity */
	uint64_t code_start, stack_start; /* change at exec */
	/* LIVE_PROCESSES: rollups by process, as old as they are */
	struct live_known *known;
	size_t known_count;
	struct users users;
	uint64_t refresh; /* number of the reading of the list */
	struct caps caps; /* live_caps() */
	bool has_caps;
	clockid_t screen_clock; /* CPU time of the thread that made the reader: it draws */
};

/* options, root and host of ctx are taken over; it has to outlive the reader. */
void live_reader_init(struct live_reader *reader, const struct context *ctx);

/*
 * What the reading cost is added to the meter of ctx. False, and nothing is freed, where a thread still waits for a
 * process that does not answer.
 */
bool live_reader_fini(struct live_reader *reader, struct context *ctx);

/* Give live its views' columns: before anything else is done with it. */
void live_reader_views(const struct live_columns *columns, struct live *live);

/* Answer a request. What went wrong is in the result. */
struct live_result *live_read(struct live_reader *reader, const struct live_request *request);

/* One view each, or, of a request for a glance, what the cursor is on; live_read() calls them. */
void live_read_processes(struct live_reader *reader, struct live_result *result);
void live_read_map(struct live_reader *reader, struct live_result *result);
void live_read_pages(struct live_reader *reader, struct live_result *result);
void live_read_frame(struct live_reader *reader, struct live_result *result);
void live_read_huge(struct live_reader *reader, struct live_result *result);
void live_read_sharing(struct live_reader *reader, struct live_result *result);
void live_read_machine(struct live_reader *reader, struct live_result *result);
void live_read_orders(struct live_reader *reader, struct live_result *result);

/*
 * Visit the process that is asked for, for a view of it; done() of the visitor calls live_met() first.
 * Where it has ended, result says so.
 */
void live_visit(struct live_reader *reader, struct live_result *result,
		const struct visitor *visitor, void *ctx);

/*
 * The visit of the process that is shown: the title, whether it executed another program, what could not be read. False
 * where its number is another one's by now, or it is a zombie of which something was read: nothing is to be shown.
 */
bool live_met(struct live_reader *reader, struct live_result *result, const struct visit *visit);

/* What the kernel allows, asked once. */
const struct caps *live_caps(struct live_reader *reader);

/* The text, for ever: reasons outlive what they were found with. NULL: NULL. */
const char *live_words(struct live_reader *reader, const char *text);

/* What the status line says of the reading. */
void live_status(struct live_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

extern const struct column_set live_sharing_columns;
extern const char live_sharing_default[];

/* Meet what smaps_rollup has here, and make the columns of the list of processes. */
void live_processes_init(struct live_reader *reader);
void live_processes_fini(struct live_reader *reader);
extern const char live_process_columns[], live_process_columns_narrow[];

/* CPU time of all threads but the one that draws. */
uint64_t live_cpu_now(const struct live_reader *reader);

#endif
