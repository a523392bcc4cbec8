/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/who/target.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"

/* Hex with or without 0x at *text; false where there is none. */
static bool parse_addr(const char **text, const char *end, uint64_t *out)
{
	if (end - *text > 2 && (*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X'))
		*text += 2;
	return num_parse_hex(text, end, out);
}

/* "4711:7f00" or "4711:7f00-7fff". -ENOENT where it does not begin like that: then it is a path. */
static int parse_range(const char *text, struct who_target *out, struct error *err)
{
	const char *at = text, *end = text + strlen(text);
	uint64_t pid;

	if (!num_parse_dec(&at, end, &pid) || at == end || *at++ != ':')
		return -ENOENT;
	if (!pid || pid > INT_MAX)
		return error_set(err, EINVAL, "'%.40s': no such PID", text);
	out->kind = WHO_RANGE;
	out->pid = (int)pid;
	if (!parse_addr(&at, end, &out->start))
		return error_set(err, EINVAL, "'%.40s': hex digits are wanted behind the colon",
				 text);
	out->end = out->start + 1;
	if (at < end && *at == '-') {
		at++;
		if (!parse_addr(&at, end, &out->end))
			return error_set(err, EINVAL, "'%.40s': no address behind the -", text);
	}
	if (at != end || out->end <= out->start)
		return error_set(err, EINVAL, "'%.40s': no range of addresses", text);
	return 0;
}

int who_target_parse(const char *text, struct who_target *out, struct error *err)
{
	struct who_target target = { .kind = WHO_FILE, .path = text };
	int rc = -ENOENT;

	if (!*text)
		return error_set(err, EINVAL, "an empty path");
	if (strncmp(text, "pfn:", 4) == 0) {
		target.kind = WHO_PFN;
		if (!num_user_u64(text + 4, &target.start))
			return error_set(err, EINVAL, "'%.40s': no frame number", text);
	} else if (strncmp(text, "phys:", 5) == 0) {
		target.kind = WHO_PHYS;
		if (!num_user_addr(text + 5, &target.start))
			return error_set(err, EINVAL, "'%.40s': no physical address", text);
	} else if (!strchr(text, '/')) {
		rc = parse_range(text, &target, err);
		if (rc && rc != -ENOENT)
			return rc;
	}
	*out = target;
	return 0;
}
