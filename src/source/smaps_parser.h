/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SMAPS_PARSER_H
#define VMVIEW_SOURCE_SMAPS_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/vma.h"

/* Takes one mapping; its texts are gone when it returns. Another value than 0 stops the reading. */
typedef int (*vma_sink)(void *ctx, struct vma *vma);

/* What a pass over maps or smaps met. */
struct smaps_pass {
	size_t mappings;
	size_t lines;
	bool too_long; /* the file goes on: SMAPS_BYTES_MAX */
	size_t malformed; /* records skipped, since no mapping could be read from them, and unfit */
	size_t first_malformed; /* line number of the first record, from 1 */
	size_t unfit; /* fields whose value is none or does not fit; their records are there */
	size_t first_unfit; /* line number of the first */
	unsigned unfit_slot; /* which field that is */
	size_t changed; /* mappings that overlapped the one before; their start was clamped */
	bool cut_off; /* the address space went away, or a recording ends, within it */
};

/*
 * A field line of a record, as learned from the first: "Rss:                   4 kB". Its place counts
 * from behind the header, as long as no number has more than eight digits.
 */
struct smaps_line {
	char prefix[16]; /* "Rss:            " */
	uint16_t offset;
	uint8_t slot;
	bool kb;
};

/* What a header has behind the offset, " fe:00 332835      /usr/lib/libc.so.6", and what that says. */
struct smaps_file {
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t id; /* how many were met */
	uint8_t at; /* in the line, which decides where the name begins */
	uint8_t name;
	uint8_t len; /* 0: nothing is kept */
	char text[192];
};

/*
 * Parses the text of maps, smaps or smaps_rollup piece by piece; pure. The records of all three are
 * alike: a header line, then "Key: number [kB]" lines (none in maps) and a VmFlags line. Any order
 * of keys is taken, but the places of the first record's lines are learned: of a record whose last
 * line begins at the same place only the wanted lines are read (keys->wanted), each checked by two
 * comparisons; all others are read line by line. Where mappings are many, most have the same figures
 * as the one before: such a record is told by one comparison (vma->same).
 */
enum { SMAPS_KEPT = 2048 };

struct smaps_parser {
	struct smaps_keys *keys;
	vma_sink sink;
	void *ctx;
	struct smaps_pass pass;
	bool pending; /* vma holds a record that is not yet handed on */
	bool learning;
	bool bare; /* the record before was handed on without a field */
	bool irregular; /* the record is not one to learn from */
	int stopped; /* what sink returned */
	uint64_t previous_end;
	uint64_t end;		/* of the record before, and its digits with the "-" behind a start */
	uint8_t end_len;
	char end_text[24];
	struct smaps_file file; /* the last that was met */
	struct vma vma;
	size_t learned; /* lines that are wanted */
	size_t learned_lines; /* all lines before the last */
	uint64_t learned_slots;
	uint16_t learned_end; /* where the last line, VmFlags, begins */
	bool size_first;	/* of the lines learned */
	const char *before;	/* the fields of the record before; NULL: not known */
	char kept[SMAPS_KEPT];	/* them, between two pieces of text */
	struct smaps_line line[SMAPS_SLOTS];
	bool long_name; /* the line that is longer than the caller's buffer is a header */
	size_t tail_len; /* of a name too long to be kept: its last bytes */
	char tail[VMA_TAIL_KEPT + 16]; /* and the " (deleted)" behind them */
	char path[VMA_PATH_KEPT]; /* of the record that goes on in the next piece of text */
	char vm_flags[256];
};

#endif
