/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_NAMING_H
#define VMVIEW_ENGINE_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

struct context;
struct error;
struct image;
struct naming;
struct object_symbol;
struct procdir;

/*
 * Names for addresses of a process: which file, section and symbol they lie in, and the addresses of
 * symbols. Only the files that are asked about are opened and parsed, each once in a run.
 */
struct naming *naming_new(struct context *ctx);
void naming_free(struct naming *naming);

/*
 * The process that is named from now on; dir has to stay open until the next one. Reads its maps.
 * Returns 0 or -errno.
 */
int naming_process(struct naming *naming, const struct procdir *dir, struct error *err);

/* What an address is called. All of it lives until the next process. */
struct named {
	const struct image *image;	/* NULL: see reason */
	const char *reason;		/* why there is no image */
	uint64_t addr;			/* in the file's own terms; where the image is loaded */
	struct value section;		/* its name, or why that is not known */
	const struct object_symbol *symbol;	/* NULL: see symbol_reason */
	const char *symbol_reason;
	uint64_t offset;		/* from the symbol */
	bool copied;			/* the memory there is not the file's: a program copied its code */
};

void naming_at(struct naming *naming, uint64_t addr, struct named *named);

/* An address that has a name. */
struct naming_match {
	const struct image *image;
	const struct object_symbol *symbol;
	uint64_t addr;			/* in memory, offset included */
};

/*
 * The addresses of "[OBJECT:]SYMBOL[+OFFSET]", in the order of the address space, but those of the
 * executable first; each address once, at most max. OBJECT is a path or the last part of one. Parses
 * all files of the process. Returns how many there are, or -EINVAL where the offset is no number.
 */
int naming_find(struct naming *naming, const char *text, struct naming_match *matches, int max,
		struct error *err);

/* Whether a file that the last naming_find() looked into has more symbols than were read. */
bool naming_is_cut(const struct naming *naming);

/* How the symbol table is called that names come from: ".symtab", ".dynsym", "debug file". */
const char *naming_table(const struct image *image);

#endif
