/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/task_status.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/num.h"

/* Lines that are not plain numbers, or none of ours. */
enum { LINE_NAME = STATUS_FIELDS, LINE_STATE, LINE_OTHER };

/*
 * The lines in the order of the kernel (fs/proc/array.c, fs/proc/task_mmu.c), those that nobody asked
 * for too: so the next line mostly is the next one here. nth: number in the line, from 0.
 */
static const struct status_key {
	const char *name;
	uint8_t len, nth, field;
} keys[] = {
#define KEY(name, nth, field)                              \
	{                                                  \
		name ":", sizeof(name ":") - 1, nth, field \
	}
	KEY("Name", 0, LINE_NAME),
	KEY("Umask", 0, LINE_OTHER),
	KEY("State", 0, LINE_STATE),
	KEY("Tgid", 0, LINE_OTHER),
	KEY("Ngid", 0, LINE_OTHER),
	KEY("Pid", 0, STATUS_PID),
	KEY("PPid", 0, STATUS_PPID),
	KEY("TracerPid", 0, LINE_OTHER),
	KEY("Uid", 1, STATUS_UID),
	KEY("Gid", 0, LINE_OTHER),
	KEY("FDSize", 0, LINE_OTHER),
	KEY("Groups", 0, LINE_OTHER),
	KEY("NStgid", 0, LINE_OTHER),
	KEY("NSpid", 0, LINE_OTHER),
	KEY("NSpgid", 0, LINE_OTHER),
	KEY("NSsid", 0, LINE_OTHER),
	KEY("Kthread", 0, STATUS_KTHREAD),
	KEY("VmPeak", 0, STATUS_VM_PEAK),
	KEY("VmSize", 0, STATUS_VM_SIZE),
	KEY("VmLck", 0, STATUS_VM_LOCKED),
	KEY("VmPin", 0, STATUS_VM_PINNED),
	KEY("VmHWM", 0, STATUS_VM_PEAK_RSS),
	KEY("VmRSS", 0, STATUS_VM_RSS),
	KEY("RssAnon", 0, STATUS_RSS_ANON),
	KEY("RssFile", 0, STATUS_RSS_FILE),
	KEY("RssShmem", 0, STATUS_RSS_SHMEM),
	KEY("VmData", 0, LINE_OTHER),
	KEY("VmStk", 0, LINE_OTHER),
	KEY("VmExe", 0, LINE_OTHER),
	KEY("VmLib", 0, LINE_OTHER),
	KEY("VmPTE", 0, STATUS_VM_PTE),
	KEY("VmSwap", 0, STATUS_VM_SWAP),
	KEY("HugetlbPages", 0, STATUS_HUGETLB),
	KEY("CoreDumping", 0, LINE_OTHER),
	KEY("THP_enabled", 0, LINE_OTHER),
	KEY("untag_mask", 0, LINE_OTHER),
	KEY("Threads", 0, STATUS_THREADS),
#undef KEY
};

enum { KEYS = ARRAY_SIZE(keys) };

/* Undo the two escapes of the Name line: \n and \\ (proc_task_name()). */
static void parse_name(const char *at, const char *end, struct task_status *out)
{
	size_t len = 0;

	if (at == end || *at++ != '\t')
		return;
	while (at < end && len < STATUS_COMM_MAX) {
		char c = *at++;

		if (c == '\\' && at < end && (*at == 'n' || *at == '\\'))
			c = *at++ == 'n' ? '\n' : '\\';
		out->comm[len++] = c;
	}
	out->comm_len = (uint8_t)len;
}

static void parse_number(const struct status_key *key, const char *at, const char *end,
			 struct task_status *out)
{
	uint64_t number;
	int rc = 0;

	for (unsigned i = 0; i <= key->nth; i++) {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		rc = num_take_dec(&at, end, &number);
		if (rc == -EPROTO)
			return;
	}
	if (rc || (end - at == 3 && memcmp(at, " kB", 3) == 0 &&
		   __builtin_mul_overflow(number, 1024, &number))) {
		out->over |= 1u << key->field;
		return;
	}
	out->field[key->field] = number;
	out->have |= 1u << key->field;
}

static void parse_value(const struct status_key *key, const char *at, const char *end,
			struct task_status *out)
{
	if (key->field < STATUS_FIELDS)
		parse_number(key, at, end, out);
	else if (key->field == LINE_NAME)
		parse_name(at, end, out);
	else if (key->field == LINE_STATE && end - at > 1 && *at == '\t')
		out->state = at[1];
}

/* The last character is looked at first: there it shows whether this can be the line at all. */
static inline bool begins(const char *at, const char *end, const struct status_key *key)
{
	size_t len = key->len;

	return (size_t)(end - at) >= len && at[len - 1] == ':' && *at == *key->name &&
	       memcmp(at, key->name, len) == 0;
}

/* Behind the number of threads come signals and rights: nothing for us. */
static bool is_complete(const struct task_status *out)
{
	return task_status_has(out, STATUS_THREADS) &&
	       (task_status_has(out, STATUS_VM_SIZE) || task_status_has(out, STATUS_KTHREAD));
}

/* The key of the line: most probably the one behind that of the line before. */
static void parse_line(const char *at, const char *end, unsigned *expected, struct task_status *out)
{
	unsigned k = *expected;

	for (unsigned i = 0; i < KEYS; i++, k++) {
		if (k == KEYS)
			k = 0;
		if (!begins(at, end, &keys[k]))
			continue;
		parse_value(&keys[k], at + keys[k].len, end, out);
		*expected = k + 1;
		return;
	}
}

void task_status_parse(struct bytes text, struct task_status *out)
{
	const char *at = text.data, *end = text.data + text.len;
	unsigned expected = 0;

	memset(out, 0, sizeof(*out));
	while (at < end && !is_complete(out)) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		parse_line(at, stop, &expected, out);
		at = stop + 1;
	}
}
