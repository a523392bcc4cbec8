/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_KALLSYMS_H
#define VMVIEW_SOURCE_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct root;

struct kernel_symbol {
	uint64_t addr;
	struct bytes name;
};

/* The functions of the kernel by address: /proc/kallsyms. */
struct kallsyms {
	struct kernel_symbol *symbols; /* heap */
	size_t count;
	const char *reason; /* why there are none; NULL: there are */
};

/*
 * Parse its text; pure. Names point into text. Where the kernel hides the addresses, which then are all 0,
 * there are none.
 */
void kallsyms_parse(struct bytes text, struct kallsyms *out);

/* Read it; the text lives in arena. */
void kallsyms_read(const struct root *root, struct arena *arena, struct kallsyms *out);
void kallsyms_fini(struct kallsyms *kallsyms);

/* The function that addr is in, or NULL. */
const struct kernel_symbol *kallsyms_at(const struct kallsyms *kallsyms, uint64_t addr);

#endif
