/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_MOMENT_H
#define VMVIEW_ENGINE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/process.h"
#include "model/value.h"
#include "model/vma_store.h"
#include "source/host.h"

struct context;
struct error;
struct smaps_keys;

/*
 * A process at a moment, kept: its facts and its mappings, to be compared with another moment. It is a living process,
 * one of a recording (a tree that --root reads, or one of a series of them), of a JSON document of map, or a
 * core.
 */
enum moment_from { MOMENT_PROCESS, MOMENT_RECORDING, MOMENT_CORE, MOMENT_DOCUMENT };

struct moment_source {
	enum moment_from from;
	const char *path; /* NULL: of a process */
	const char *label; /* for people: the path, or the pid */
	int pid; /* 0: the only one there is */
};

struct moment_sources {
	struct moment_source *list; /* in the run's arena */
	size_t count, cap;
};

/*
 * Add what an operand names: "PID", the path of a recording, a series (a directory with recordings "1", "2", ..),
 * a document or a core; and of several processes in it one by "PATH:PID". Returns 0 or -EINVAL.
 */
int moment_sources_add(struct context *ctx, struct moment_sources *sources, const char *operand,
		       struct error *err);

/* When it was, as far as it is known. */
struct moment_time {
	bool known;
	uint64_t real_ns; /* since 1970 */
	uint64_t boot_ns; /* since the machine started; 0: not known */
	struct bytes boot_id;
	struct bytes text; /* "2026-11-22T12:00:00Z" */
};

/* Of the cgroup that will be full first, of those that the process is in. */
struct moment_limit {
	const char *reason; /* why there is none; NULL: it is known */
	struct bytes cgroup;
	uint64_t current, max;
};

struct moment {
	struct arena arena; /* of its texts */
	const struct moment_source *source;
	struct process process; /* pid, comm, cmdline, cgroup, start_time, state */
	struct vma_store vmas;
	struct host host; /* of a recording, or as the document has it */
	struct moment_time time;
	struct moment_limit limit;
	const char *absent; /* why nothing, or not everything, of its memory is known; or NULL */
	bool read; /* anything of it is known */
	bool complete;
};

/* What is to be read. */
struct moment_wants {
	unsigned needs; /* enum need */
	struct smaps_keys *keys; /* of all moments that are compared */
	int hint; /* the process, where a recording has several and none was named; 0: none */
};

/*
 * Read one. What can not be read is told on stderr and sets the exit status; moment->read is then false. Returns 0,
 * -EINVAL where it is not clear which process is meant (in *err). To be ended by moment_fini() in any case.
 */
int moment_read(struct context *ctx, const struct moment_source *source,
		const struct moment_wants *wants, struct moment *moment, struct error *err);
void moment_fini(struct moment *moment);

/* Nanoseconds from one to the other; false where it is not known, or where the order is the other one. */
bool moment_between(const struct moment_time *a, const struct moment_time *b, uint64_t *ns);

/* Pure: "2026-11-22T12:00:00.123456Z" as nanoseconds since 1970. */
bool moment_time_parse(struct bytes text, uint64_t *ns);

#endif
