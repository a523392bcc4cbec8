/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pmap/args.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/options.h"

#define AT(member) offsetof(struct pmap_given, member)

const struct option_row pmap_option_rows[] = {
	/* clang-format off */
	{ 'x', "extended", NULL, OPTION_FLAG, AT(extended), "with RSS and dirty" },
	{ 'X', NULL, NULL, OPTION_TIMES, AT(fields), "the fields of smaps; -XX: all of them" },
	{ 'd', "device", NULL, OPTION_FLAG, AT(device), "with offset and device" },
	{ 'q', "quiet", NULL, OPTION_FLAG, AT(quiet), "no header, no footer" },
	{ 'p', "show-path", NULL, OPTION_FLAG, AT(path), "whole paths" },
	{ 'k', "use-kernel-name", NULL, OPTION_FLAG, AT(kernel_names),
	  "the kernel's own names" },
	{ 'A', "range", "LOW[,HIGH]", OPTION_TEXT, AT(range), "mappings in this range" },
	{ 'c', "read-rc", NULL, OPTION_FLAG, AT(read_rc), "the fields of ~/.pmaprc" },
	{ 'C', "read-rc-from", "FILE", OPTION_TEXT, AT(rc_from), "the fields of FILE" },
	{ 'n', "create-rc", NULL, OPTION_FLAG, AT(create_rc), "write a ~/.pmaprc" },
	{ 'N', "create-rc-to", "FILE", OPTION_TEXT, AT(rc_to), "write an rc file" },
	{ 'r', NULL, NULL, OPTION_FLAG, AT(ignored), "does nothing" },
	/* clang-format on */
};

const size_t pmap_option_count = ARRAY_SIZE(pmap_option_rows);

bool pmap_is_given(const struct pmap_given *given)
{
	return given->extended || given->device || given->quiet || given->path ||
	       given->kernel_names || given->ignored || given->read_rc || given->create_rc ||
	       given->fields || given->range || given->rc_from || given->rc_to;
}

static int bad_range(const char *range, struct error *err)
{
	return error_set(err, EINVAL, "failed to parse argument: '%.100s'", range);
}

/* "LO", "LO,HI", "LO,", ",HI": a bound that is not given is left as it is. */
static int parse_range(const char *range, struct pmap_style *style, struct error *err)
{
	const char *comma = strchr(range, ','), *high = comma ? comma + 1 : range;
	size_t len = comma ? (size_t)(comma - range) : strlen(range);
	char low[32];

	if (len >= sizeof(low))
		return bad_range(range, err);
	memcpy(low, range, len);
	low[len] = '\0';
	if ((*low && !num_user_addr(low, &style->low)) ||
	    (*high && !num_user_addr(high, &style->high)))
		return bad_range(range, err);
	return 0;
}

static int check(const struct pmap_given *given, int pids, struct error *err)
{
	bool create = given->create_rc || given->rc_to;
	int kinds = given->read_rc + !!given->rc_from + given->device + given->create_rc +
		    !!given->rc_to + given->extended + !!given->fields;

	if (kinds > 1)
		return error_set(err, EINVAL,
				 "options -c, -C, -d, -n, -N, -x, -X are mutually exclusive");
	if (create && (given->quiet || given->path))
		return error_set(err, EINVAL, "options -p, -q are mutually exclusive with -n, -N");
	if (create && pids)
		return error_set(err, EINVAL, "too many arguments");
	if (!create && !pids)
		return error_set(err, EINVAL, "argument missing");
	return 0;
}

int pmap_style_from(const struct pmap_given *given, int pids, struct pmap_style *style,
		    struct error *err)
{
	bool listed = given->read_rc || given->rc_from;

	*style = (struct pmap_style){ .quiet = given->quiet,
				      .path = given->path,
				      .kernel_names = given->kernel_names,
				      .high = UINT64_MAX };
	if (given->range && parse_range(given->range, style, err))
		return -EINVAL;
	if (given->extended)
		style->format = PMAP_EXTENDED;
	if (given->device)
		style->format = PMAP_DEVICE;
	if (given->fields || listed)
		style->format = PMAP_FIELDS;
	if (given->fields > 1)
		style->choice = PMAP_ALL;
	if (listed)
		style->choice = PMAP_LISTED;
	return check(given, pids, err);
}

bool pmap_parse_pid(const char *text, int *pid)
{
	unsigned long number;
	char *end;

	*pid = 0;
	if (strncmp(text, "/proc/", 6) == 0) {
		text += 6;
		if (!isdigit((unsigned char)*text))
			return true;
	}
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoul(text, &end, 0);
	if (*end || errno || number < 1 || number > INT_MAX)
		return false;
	*pid = (int)number;
	return true;
}
