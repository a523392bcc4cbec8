/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PERF_PARSE_H
#define VMVIEW_SOURCE_PERF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

/*
 * The records that perf_event_open(2) puts into a ring; pure. All events of a ring are opened with one
 * sample_type, of the PERF_SAMPLE_ bits in PERF_PARSE_SAMPLE, and with sample_id_all.
 */
enum perf_record_kind {
	PERF_SKIPPED, /* a kind of record that nobody asked for */
	PERF_SAMPLED,
	PERF_MAPPED,
	PERF_FORKED,
	PERF_EXITED,
	PERF_NAMED,
	PERF_LOST,
};

struct perf_record {
	enum perf_record_kind kind;
	bool kernel; /* PERF_SAMPLED: in kernel mode */
	bool exec; /* PERF_NAMED: by exec */
	uint32_t pid, tid;
	uint32_t parent_pid, parent_tid; /* PERF_FORKED, PERF_EXITED */
	uint32_t cpu;
	uint64_t time;
	uint64_t ip, addr;
	uint64_t page_size; /* that addr is mapped with, 0: it is not */
	uint64_t start, end, offset, inode; /* PERF_MAPPED */
	uint32_t prot, flags; /* PROT_, MAP_ */
	struct bytes text; /* PERF_MAPPED: the file; PERF_NAMED: the name */
	struct bytes raw; /* of a tracepoint */
	const char *chain; /* chain_count words, PERF_CONTEXT_ marks among them; not aligned */
	size_t chain_count;
	uint64_t lost; /* PERF_LOST */
};

#define PERF_PARSE_SAMPLE \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | \
	 PERF_SAMPLE_CPU | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW | PERF_SAMPLE_DATA_PAGE_SIZE)

/*
 * The record that text begins with, which lives as long as text. Returns its length, 0 where text has
 * no whole record, or -EPROTO where it is none; *out is set in the first case alone.
 */
ssize_t perf_parse(struct bytes text, uint64_t sample_type, struct perf_record *out);

/* Word i of the call chain. */
uint64_t perf_chain_word(const struct perf_record *record, size_t i);

#endif
