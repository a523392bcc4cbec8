/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_ELF_PROCESS_H
#define VMVIEW_CMD_ELF_PROCESS_H

#include <regex.h>
#include <stdbool.h>

#include "analysis/images.h"
#include "analysis/residency.h"
#include "cmd/elf/columns.h"

struct visit;

/* The images of a process, and which of their pages are where: what vmview elf makes its rows of. */
struct elf_process {
	unsigned needs;			/* enum need: PAGES, RELOCS */
	const regex_t *only;		/* which paths; NULL: all */
	uint64_t page_size;
	/* of one process */
	struct visit *visit;
	struct images images;
	struct residency residency;
	const char *absent;		/* why figures are not known; NULL: they are */
	size_t other_deleted;		/* mappings of deleted files that are no ELF files */
	size_t sections_left;		/* how many sections may still be cut into pieces */
	bool sections_cut;
};

/* Whether the path is one of those asked for; only: NULL for all. */
bool elf_is_wanted(const regex_t *only, struct bytes path);

void elf_process_fini(struct elf_process *process);

/* Take the mappings and files of a visit; absent is why its pages are not known. */
void elf_process_take(struct elf_process *process, struct visit *visit, const char *absent);

/* The same, and walk its pages where needs say so. Returns 0 or -errno: -ESRCH where the memory went away. */
int elf_process_read(struct elf_process *process, struct visit *visit);

/* Say that something of the objects could not be read: in "missing", on stderr (what), by the status. */
void elf_process_tell(struct elf_process *process, const char *what, const char *reason);

/* Rows that live until the next process is read. */
struct elf_rows {
	struct elf_row *list;
	size_t count, cap;
};

void elf_rows_fini(struct elf_rows *rows);
struct elf_row *elf_rows_add(struct elf_rows *rows);

/* The figures of start .. end of an image. */
void elf_row_measure(struct elf_process *process, struct elf_row *row, uint64_t start,
		     uint64_t end);

/* Append: one row of the image, its segments, its sections, or its symbols that are in memory. */
void elf_rows_object(struct elf_process *process, const struct image *image, struct elf_rows *rows);
void elf_rows_segments(struct elf_process *process, const struct image *image,
		       struct elf_rows *rows);
void elf_rows_sections(struct elf_process *process, const struct image *image,
		       struct elf_rows *rows);
void elf_rows_symbols(struct elf_process *process, const struct image *image,
		      struct elf_rows *rows);

#endif
