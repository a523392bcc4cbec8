/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_ROLLUPS_H
#define VMVIEW_CMD_LIVE_ROLLUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/smaps_key.h"

struct live_id;
struct live_reader;
struct live_request;

/*
 * The sums over the mappings of a process and when they were read: rows show them until there are newer
 * ones. From smaps_rollup; of a process that would have to wait for that too long, from the page walk, where
 * frames may be read.
 */
struct live_known {
	int pid;
	uint64_t start_time; /* identity with the pid */
	uint64_t rss; /* by status: the biggest are read first */
	bool has_memory;
	uint64_t faults, faults_at; /* that it had when stat was read last; 0: never */
	uint64_t read_at; /* number of the refresh, 0: never */
	const char *absent; /* why there is none; for ever */
	bool stuck; /* since it does not answer */
	bool by_frames;
	uint64_t have, estimated, start, end; /* as in struct vma */
	uint64_t field[SMAPS_SLOTS];
};

/* What is known of the process from earlier refreshes. */
struct live_known live_known_of(const struct live_reader *reader, int pid, uint64_t start_time);

/*
 * Read as many as the budget of the request allows of reader->known: the one under the cursor, those never
 * read, the biggest first, then the oldest.
 */
void live_rollups_read(struct live_reader *reader, const struct live_request *request);

/* That of the process of this row; NULL: there is none any more. */
const struct live_known *live_rollup_read(struct live_reader *reader, const struct live_id *id);

#endif
