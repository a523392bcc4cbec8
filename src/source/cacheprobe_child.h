/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CACHEPROBE_CHILD_H
#define VMVIEW_SOURCE_CACHEPROBE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/cacheprobe_wire.h"

enum { PROBE_TEXT = 1 << 20, PROBE_NAME = 256 };

/* What the child writes on the socket: the answers are to be taken, or all has been asked. */
enum { PROBE_SAYS_FULL = 'f', PROBE_SAYS_DONE = 'd', PROBE_GOES_ON = 'g' };

/* Memory of parent and child: answers (struct probe_reply, name, padding), and where the child is. */
struct probe_shared {
	_Atomic uint64_t steps; /* grows with each file: the child is alive */
	_Atomic uint32_t len; /* of text: whole answers */
	uint32_t item; /* index of the question */
	char name[PROBE_NAME]; /* in its directory */
	char text[PROBE_TEXT];
};

/* A path that files are found from: cacheprobe_start(). */
struct probe_start {
	uint32_t below;
	const char *path;
	int fd; /* O_PATH, of the child; -1: not opened yet */
};

/* What the child was born with. */
struct probe_batch {
	struct probe_start *starts;
	size_t start_count;
	const struct probe_item *items;
	size_t first, count;
	struct probe_shared *shared;
	int socket;
	enum cache_source way;
};

/* Answer items from first on. May block for ever: for the child alone. */
void cacheprobe_serve(const struct probe_batch *batch);

#endif
