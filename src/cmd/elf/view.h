/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_ELF_VIEW_H
#define VMVIEW_CMD_ELF_VIEW_H

#include "cmd/elf/process.h"
#include "column/column.h"
#include "column/filter.h"
#include "column/sort.h"
#include "render/report.h"

struct context;

/* What vmview elf shows of a process. main is the table that -o, --sort and --filter are about. */
struct elf_view {
	struct context *ctx;
	enum elf_table main;
	struct selection selections[ELF_TABLES];
	struct table tables[ELF_TABLES];
	struct selection total;
	struct filter *filter;
	struct sort sort;
	unsigned needs; /* of all that is shown, sorted and filtered by */
	uint64_t top; /* rows for people; FOLD_UNSET: those that carry most */
	struct elf_rows *processes; /* one row a process instead of its tables; NULL: tables */
	struct selection process_selection;
};

/* Returns 0 or -EINVAL. */
int elf_view_init(struct elf_view *view, struct context *ctx, enum elf_table main,
		  struct error *err);
void elf_view_fini(struct elf_view *view);

/* --columns=help: print and return true. */
bool elf_view_help(struct elf_view *view);

/*
 * The process that reader read last. JSON: "objects" with their segments and sections (and symbols where
 * that is the main table), "sections" added up by name, "total". For people the main table, and for
 * objects the sums by section.
 */
void elf_view_process(struct elf_view *view, struct elf_process *process);

/* The rows of processes, where view->processes has them. */
void elf_view_processes(struct elf_view *view);

#endif
