/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_SYSTEM_OWNER_COLUMNS_H
#define VMVIEW_CMD_SYSTEM_OWNER_COLUMNS_H

#include "analysis/sharing.h"
#include "base/bytes.h"
#include "column/column.h"
#include "model/kind.h"

/* The frames that a process maps, each divided by the number of processes that do. */
struct owner_process_row {
	int pid;			/* 0: the sum over all */
	struct bytes comm;
	double share[SHARE_KINDS];	/* bytes */
	uint64_t only;			/* bytes in frames that no other process has */
	const char *reason;		/* why nothing is known; NULL: it is */
};

extern const struct column_set owner_process_columns;
extern const char owner_process_default[], owner_process_json[];

/* The frames of a file that processes map, each once. */
struct owner_file_row {
	uint64_t dev, inode;		/* dev: major << 32 | minor */
	struct bytes path;
	bool deleted, total;
	enum vma_kind kind;		/* shm, hugetlb, device; else file */
	uint64_t bytes;
	uint64_t unmapped;		/* in the page cache, and mapped by nobody; bytes */
	const char *unmapped_reason;	/* why that is not known; NULL: it is */
	uint64_t processes;		/* that have it mapped */
	uint64_t open;			/* that have it open */
};

extern const struct column_set owner_file_columns;
extern const char owner_file_default[], owner_file_json[];

/* How many of the frames of a kind have an owner. */
struct owner_kind_row {
	enum share_kind kind;
	uint64_t bytes;			/* by their flags, of frames that are mapped */
	uint64_t owned;			/* by the page tables that could be read */
	uint64_t unmapped;		/* by their flags, of frames that nobody maps */
	uint64_t named;			/* of these, in files that are named */
	bool names;			/* files are */
};

extern const struct column_set owner_kind_columns;
extern const char owner_kind_default[], owner_kind_named[];

#endif
