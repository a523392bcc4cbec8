/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_LOOK_RECORD_H
#define VMVIEW_SOURCE_LOOK_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "source/filelook_child.h"
#include "source/look_key.h"

struct error;
struct out;

/*
 * proc/PID/vmview.files of a recording: what was found when the files that the process maps were looked at, a line for
 * each:
 *
 *	MAJOR:MINOR INODE NAME TYPE WHY PLACE LINKED [SIZE MTIME UID]
 *
 * NAME is a hash, in hex, of the name of a file that is marked as deleted, else 0; the words are those of the tables in
 * look_record.c. The last three are there where vmview/elf/MAJOR:MINOR:INODE has a copy of what tells sections and symbols.
 */
struct look_record {
	struct look_key key;
	struct look_reply reply;
};

struct look_records {
	struct look_record *list; /* heap, sorted by key */
	size_t count;
};

/* Pure. Returns 0, or -EPROTO with the line; *out is then untouched. */
int look_records_parse(struct bytes text, struct look_records *out, struct error *err);
void look_records_fini(struct look_records *records);

/* NULL where it is not among them. */
const struct look_record *look_records_find(const struct look_records *records,
					    const struct look_key *key);

/* In the order of their keys. */
void look_records_sort(struct look_record *list, size_t count);

void look_record_write(struct out *out, const struct look_record *record);

#endif
