/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CREATURE_H
#define CREATURE_H

#include <stddef.h>

/* What makes a program of creature.c, and tells it from the other one: heron.c, otter.c. */
struct species {
	const char *name, *other;
	size_t heap; /* bytes to write to */
	char *reserved; /* as many, touched by nobody: what is mapped at all differs, too */
};

extern const struct species species;

#endif
