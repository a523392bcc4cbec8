/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "creature.h"

static char reserved[512 << 10];

const struct species species = {
	.name = "otter",
	.other = "heron",
	.heap = sizeof(reserved),
	.reserved = reserved,
};
