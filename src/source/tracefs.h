/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_TRACEFS_H
#define VMVIEW_SOURCE_TRACEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct error;
struct root;

/*
 * The kernel's tracepoints: their numbers and where their fields are. They are read from tracefs, where
 * it is mounted or else from one of our own that is mounted nowhere: it goes with its descriptor, however
 * we end. Nothing is switched on there: that is perf_open()'s, for as long as its descriptor is open.
 */
struct tracefs {
	const struct root *root;
	int fd;
};

/* Returns 0 or -errno (-EACCES, -EPERM: needs CAP_SYS_ADMIN). */
int tracefs_open(struct tracefs *tracefs, const struct root *root, struct error *err);
void tracefs_close(struct tracefs *tracefs);

enum { TRACE_FIELDS_MAX = 8 };

struct trace_field {
	uint16_t offset, size; /* in the raw data; size 0: this kernel has no such field */
	bool is_signed;
};

struct trace_event {
	uint64_t id; /* attr.config of PERF_TYPE_TRACEPOINT */
	struct trace_field fields[TRACE_FIELDS_MAX];
};

/*
 * Parse the text of events/SYSTEM/NAME/format: the fields of these names, which end with NULL; pure.
 * Returns 0, or -EPROTO where it has no ID.
 */
int trace_format_parse(struct bytes text, const char *const *fields, struct trace_event *out);

/* "kmem/mm_page_alloc". Returns 0 or -errno: -ENOENT where this kernel has no such event. */
int tracefs_event(const struct tracefs *tracefs, const char *name, const char *const *fields,
		  struct trace_event *out);

/* A field of 1, 2, 4 or 8 bytes in the raw data of a record; false where it is not there. */
bool trace_field_get(const struct trace_field *field, struct bytes raw, uint64_t *out);

/* The number of the event that raw data is of. */
bool trace_raw_id(struct bytes raw, uint64_t *id);

#endif
