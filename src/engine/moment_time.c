/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <time.h>

#include "base/num.h"
#include "engine/moment.h"

static const uint64_t SECOND = 1000000000;

/* Two or four digits, then a character. */
static bool take_part(const char **at, const char *end, unsigned digits, char then, int *out)
{
	const char *from = *at;
	uint64_t number;

	if (!num_parse_dec(at, end, &number) || *at != from + digits || *at == end ||
	    (then && **at != then))
		return false;
	*at += then != 0;
	*out = (int)number;
	return true;
}

static uint64_t take_fraction(const char **at, const char *end)
{
	uint64_t ns = 0, unit = SECOND / 10;

	if (*at < end && **at == '.')
		for (++*at; *at < end && **at >= '0' && **at <= '9'; ++*at, unit /= 10)
			ns += unit * (uint64_t)(**at - '0');
	return ns;
}

bool moment_time_parse(struct bytes text, uint64_t *ns)
{
	const char *at = text.len ? text.data : "", *end = at + text.len;
	struct tm tm = { .tm_isdst = 0 };
	uint64_t fraction;
	time_t seconds;

	if (!take_part(&at, end, 4, '-', &tm.tm_year) || !take_part(&at, end, 2, '-', &tm.tm_mon) ||
	    !take_part(&at, end, 2, 'T', &tm.tm_mday) ||
	    !take_part(&at, end, 2, ':', &tm.tm_hour) || !take_part(&at, end, 2, ':', &tm.tm_min) ||
	    !take_part(&at, end, 2, '\0', &tm.tm_sec))
		return false;
	fraction = take_fraction(&at, end);
	if (at + 1 != end || *at != 'Z' || tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	/* years are four digits: it fits until 2554 */
	if (seconds < 0 || (uint64_t)seconds > UINT64_MAX / SECOND - 1)
		return false;
	*ns = (uint64_t)seconds * SECOND + fraction;
	return true;
}

bool moment_between(const struct moment_time *a, const struct moment_time *b, uint64_t *ns)
{
	bool same_boot = a->boot_ns && b->boot_ns && a->boot_id.len &&
			 bytes_equal(a->boot_id, b->boot_id);

	if (same_boot && b->boot_ns > a->boot_ns) {
		*ns = b->boot_ns - a->boot_ns;
		return true;
	}
	if (same_boot || !a->known || !b->known || b->real_ns <= a->real_ns)
		return false;
	*ns = b->real_ns - a->real_ns;
	return true;
}
