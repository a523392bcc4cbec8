/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FAULTS_FAULTS_H
#define VMVIEW_CMD_FAULTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/fault_study.h"
#include "column/query.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "render/report.h"
#include "source/caps.h"
#include "source/fault_events.h"

struct naming;

struct faults_options {
	struct target_options targets; /* first: its rows are offsets in it */
	uint64_t interval, period;
	bool stack, folded;
	const char *without;
};

/* What a row is of; members that its table has no column of are not set. */
struct fault_row {
	uint64_t faults, major, interval_ns;
	enum fault_reason reason;
	const struct fault_mapping *mapping; /* NULL: no mapping */
	uint64_t address; /* of the function */
	struct bytes symbol, object;
	const char *symbol_reason, *object_reason; /* why it has none; NULL: it has */
	int tid;
	struct bytes name;
	const char *name_reason;
	int pid;
};

/* Functions that faulted, once their addresses have names. */
struct fault_symbol {
	uint64_t address;
	struct bytes name, object;
	const char *name_reason, *object_reason;
	struct fault_tally tally;
};

enum fault_table { TABLE_REASONS, TABLE_MAPPINGS, TABLE_SYMBOLS, TABLE_THREADS, FAULT_TABLES };

struct faults_run {
	struct context *ctx;
	struct faults_options options;
	struct visits visits;
	struct caps caps;
	struct column_set sets[FAULT_TABLES];
	struct query query; /* of mappings */
	struct selection selections[FAULT_TABLES];
	struct table tables[FAULT_TABLES];
	/* process */
	struct fault_study study;
	struct fault_source_facts source;
	struct fault_counts counts;
	uint64_t interval_ns;
	bool measured;
	const char *reason; /* why not */
	bool counted; /* but by the counters of stat */
	uint64_t minor, major; /* these */
	uint64_t size_before, size_after, mappings_before, mappings_after;
	bool ended; /* it ended before the interval did */
	int pid;
	struct bytes comm;
	struct procdir later; /* its directory, to read maps anew */
	struct naming *naming;
	struct fault_symbol *symbols;
	size_t symbol_count, symbol_cap;
};

/* read.c: as the visitor's read() and passes(). */
bool faults_passes(const struct vma *vma);
int faults_read(void *ctx, struct visit *visit, struct error *err);

/* symbols.c: names for the code that faulted. */
void faults_name(struct faults_run *run);

/* columns.c: the columns of a table, and its defaults. */
void faults_columns(enum fault_table table, struct column_set *set);
const char *faults_columns_default(enum fault_table table, bool json);

/* report.c: all that was found, and its end. */
void faults_write(struct faults_run *run);
void faults_fini(struct faults_run *run);

/* all.c: processes by faults per second; the query is of their table. */
int faults_all_query(struct context *ctx, struct query *query, struct error *err);
void faults_all(struct context *ctx, const struct targets *targets, const struct query *query,
		uint64_t interval);

/* stacks.c: call chains. */
void faults_write_stacks(struct faults_run *run);
void faults_write_folded(struct faults_run *run);

#endif
