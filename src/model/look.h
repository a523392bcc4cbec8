/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_LOOK_H
#define VMVIEW_MODEL_LOOK_H

#include <stdbool.h>
#include <stdint.h>

/* What looking at a mapped file gave. */
enum look_type {
	LOOK_UNKNOWN, /* it could not be looked at; see reason */
	LOOK_ELF,
	LOOK_REGULAR, /* any other regular file */
	LOOK_SHM, /* not ELF, on tmpfs or kernel-internal shared memory */
	LOOK_HUGETLB, /* on hugetlbfs */
	LOOK_DEVICE, /* a character or block device, or a kernel object */
};

/* What is in the place of a file whose name the kernel marks as deleted. */
enum look_place {
	LOOK_PLACE_UNKNOWN,
	LOOK_PLACE_OWN,		/* the file itself */
	LOOK_PLACE_EMPTY,	/* nothing: it was unlinked */
	LOOK_PLACE_OTHER,	/* another file: it was replaced */
};

struct look {
	enum look_type type;
	const char *reason; /* why it is unknown; a literal */
	bool linked; /* a file of this very name is there, also if it ends in " (deleted)" */
};

#endif
