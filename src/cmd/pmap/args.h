/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_ARGS_H
#define VMVIEW_CMD_PMAP_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "cmd/pmap/print.h"

struct error;

/* pmap's options as they were given; options_parse() fills it by pmap_option_rows. */
struct pmap_given {
	bool extended, device, quiet, path, kernel_names, ignored;
	bool read_rc, create_rc;
	uint64_t fields; /* how often -X */
	const char *range, *rc_from, *rc_to;
};

extern const struct option_row pmap_option_rows[];
extern const size_t pmap_option_count;

/* Whether one of them was given, so that pmap's output is wanted. */
bool pmap_is_given(const struct pmap_given *given);

/*
 * The style that the options ask for, without the fields of an rc file, for that many PIDs. Returns 0,
 * or -EINVAL where they do not go together.
 */
int pmap_style_from(const struct pmap_given *given, int pids, struct pmap_style *style,
		    struct error *err);

/* A PID, or "/proc/PID", with numbers as in C. False: neither. *pid 0: another name below /proc/. */
bool pmap_parse_pid(const char *text, int *pid);

#endif
