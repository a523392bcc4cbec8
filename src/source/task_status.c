/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/task_status.h"

#include <string.h>

#include "base/array.h"
#include "base/num.h"

/* In the order of the kernel (fs/proc/array.c, fs/proc/task_mmu.c). nth: number of the line, from 0. */
static const struct status_key {
	const char *name;
	uint8_t len, nth, field;
} keys[] = {
#define KEY(name, nth, field)                             \
	{                                                 \
		name ":", sizeof(name ":") - 1, nth, field \
	}
	KEY("Pid", 0, STATUS_PID),
	KEY("PPid", 0, STATUS_PPID),
	KEY("Uid", 1, STATUS_UID),
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
	KEY("VmPTE", 0, STATUS_VM_PTE),
	KEY("VmSwap", 0, STATUS_VM_SWAP),
	KEY("HugetlbPages", 0, STATUS_HUGETLB),
	KEY("Threads", 0, STATUS_THREADS),
#undef KEY
};

enum { KEYS = ARRAY_SIZE(keys) };

/* Undo the two escapes of the Name line: \n and \\ (proc_task_name()). */
static void parse_name(const char *at, const char *end, struct task_status *out)
{
	size_t len = 0;

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

	for (unsigned i = 0; i <= key->nth; i++) {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (!num_parse_dec(&at, end, &number))
			return;
	}
	if (end - at == 3 && memcmp(at, " kB", 3) == 0 &&
	    __builtin_mul_overflow(number, 1024, &number))
		return;
	out->field[key->field] = number;
	out->have |= 1u << key->field;
}

/* The last character is looked at first: there it shows whether this can be the line at all. */
static inline bool begins(const char *at, const char *end, const char *with, size_t len)
{
	return (size_t)(end - at) >= len && at[len - 1] == with[len - 1] && *at == *with &&
	       memcmp(at, with, len) == 0;
}

/* Behind the number of threads come signals and rights: nothing for us. */
static bool is_complete(const struct task_status *out)
{
	return task_status_has(out, STATUS_THREADS) &&
	       (task_status_has(out, STATUS_VM_SIZE) || task_status_has(out, STATUS_KTHREAD));
}

/* The key of the line: most probably the one behind that of the last line that had one. */
static void parse_line(const char *at, const char *end, unsigned *expected, struct task_status *out)
{
	if (begins(at, end, "Name:\t", 6)) {
		parse_name(at + 6, end, out);
		return;
	}
	if (begins(at, end, "State:\t", 7) && end - at > 7) {
		out->state = at[7];
		return;
	}
	for (unsigned i = 0; i < KEYS; i++) {
		const struct status_key *key = &keys[(*expected + i) % KEYS];

		if (!begins(at, end, key->name, key->len))
			continue;
		parse_number(key, at + key->len, end, out);
		*expected = (*expected + i + 1) % KEYS;
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
