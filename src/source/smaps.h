/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SMAPS_H
#define VMVIEW_SOURCE_SMAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "source/smaps_parser.h"

struct error;
struct meter;
struct procdir;

void smaps_parser_init(struct smaps_parser *parser, struct smaps_keys *keys, vma_sink sink,
		       void *ctx);

/*
 * Take the whole lines of text; returns how many bytes were used up: the rest, a line without its
 * end, has to come again with more behind it.
 */
size_t smaps_parser_feed(struct smaps_parser *parser, const char *text, size_t len);

/*
 * Take text as the beginning (first) or a further piece of one line that is longer than the caller's
 * buffer, without its newline. smaps_parser_long_end() ends the line.
 */
void smaps_parser_long(struct smaps_parser *parser, const char *text, size_t len, bool first);
void smaps_parser_long_end(struct smaps_parser *parser);

/* No more text: hands on the last record. Returns what sink returned last. */
int smaps_parser_finish(struct smaps_parser *parser);

/* What was malformed, of FILE of a process, for people; "mappings" of its JSON: a few words. */
void smaps_malformed(const struct smaps_pass *pass, const struct smaps_keys *keys, int pid,
		     const char *file, struct error *err);
const char *smaps_malformed_reason(const struct smaps_pass *pass);

/* As much of one file is read, of a recording for 5 s; there may be more: pass->too_long. */
#define SMAPS_BYTES_MAX (256ull << 20)

/*
 * Read FILE ("maps", "smaps", "smaps_rollup") of a process and hand every mapping to sink, in one
 * pass with a fixed buffer. smaps is paced (meter.h). After the end it is proved that the address
 * space is still there: the kernel ends the file of one that went away like any other
 * (pass->cut_off). Where the caller opened maps before (dir->watch), it is that address space, and all
 * that was read of the process in between was of it too, or pass->cut_off is set. Kernel threads and
 * zombies have no mappings: 0 records, no error.
 * Returns 0, what sink returned where that is not 0, or -errno; *pass is valid in every case.
 */
int smaps_read(const struct procdir *dir, const char *file, struct smaps_keys *keys, vma_sink sink,
	       void *ctx, struct smaps_pass *pass, struct error *err);

/* Whether the memory went away that maps was opened of: then it is empty from the start. */
bool maps_are_gone(struct meter *meter, int fd);

#endif
