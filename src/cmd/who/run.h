/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WHO_RUN_H
#define VMVIEW_CMD_WHO_RUN_H

#include "column/query.h"
#include "engine/who_search.h"
#include "model/vma.h"

struct context;
struct out;

/* A row of the table: pages one behind the other that a process maps. */
struct who_row {
	const struct who_process *process;
	uint64_t addr, pages, copied;	/* copied: of a file's pages, those that are its own by now */
	struct vma vma;
};

/* What both kinds of target share. */
struct who_run {
	struct context *ctx;
	const char *target;		/* as the user gave it */
	struct who_search search;
	struct query query;	/* of rows */
	struct who_row *rows;
	size_t row_count, row_cap;
};

extern const struct column_set who_columns;
extern const char who_columns_default[];

/* The next row, zeroed. */
struct who_row *who_add_row(struct who_run *run);

/* The table of rows, for people and CSV. */
void who_write_rows(struct who_run *run);

/* pid, comm, address, mapping and kind of a row as facts of the current object of JSON. */
void who_owner_facts(struct who_run *run, const struct who_row *row);

/* How the pass went: facts of JSON, and a note where processes could not be searched. */
void who_write_pass(struct who_run *run);

/* How long the pass took, which matters where owners can change meanwhile: not in a recording. */
struct value who_span(const struct who_run *run);
void who_put_span(const struct who_run *run, struct out *out);

/* Why owners are missing, by what the pass met; lives in the arena of the run. */
const char *who_why_missing(struct who_run *run, uint64_t missing);

#endif
