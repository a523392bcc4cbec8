/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "creature.h"

static char reserved[4096 << 10];

const struct species species = {
	.name = "heron",
	.other = "otter",
	.heap = sizeof(reserved),
	.reserved = reserved,
};
