/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/taskstat.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "model/process.h"

/* Numbers of proc_pid_stat(5), and behind them those of the layout. */
enum {
	FIELD_STATE = 3,
	FIELD_PPID = 4,
	FIELD_FLAGS = 9,
	FIELD_MINOR = 10,
	FIELD_MAJOR = 12,
	FIELD_THREADS = 20,
	FIELD_START_TIME = 22,
	FIELD_RSS = 24,
	FIELD_CODE_START = 26,
	FIELD_CODE_END = 27,
	FIELD_STACK = 28,
	FIELD_DATA_START = 45,
	FIELD_COUNT = 52,
};

enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD, in the flags since 2.6.27 */

struct fields {
	uint64_t number[FIELD_COUNT];
	uint64_t negative; /* bit of each that has a sign */
	unsigned count;
};

/* From field 4 on all are numbers, some signed. One that nothing follows may be cut, and is not taken. */
static void parse_numbers(const char *at, const char *end, struct fields *fields)
{
	unsigned n = FIELD_PPID;

	for (; n < FIELD_COUNT; n++) {
		while (at < end && *at == ' ')
			at++;
		if (at < end && *at == '-') {
			fields->negative |= 1ULL << n;
			at++;
		}
		if (!num_parse_dec(&at, end, &fields->number[n]) || at == end ||
		    (*at != ' ' && *at != '\n'))
			break;
	}
	fields->count = n;
}

static bool are_possible(const struct fields *fields)
{
	const uint64_t unsigned_ones = 1ULL << FIELD_PPID | 1ULL << FIELD_THREADS |
				       1ULL << FIELD_START_TIME | 1ULL << FIELD_RSS;

	return !(fields->negative & unsigned_ones) && fields->number[FIELD_PPID] <= INT32_MAX &&
	       fields->number[FIELD_THREADS] <= INT32_MAX;
}

static struct process_layout layout_of(const uint64_t field[FIELD_COUNT], unsigned count)
{
	const uint64_t *data = &field[FIELD_DATA_START];
	struct process_layout layout = {
		.code_start = field[FIELD_CODE_START],
		.code_end = field[FIELD_CODE_END],
		.stack_start = field[FIELD_STACK],
	};

	/* not permitted: the kernel shows an end of 1; no memory, or exec goes on: 0 */
	if (count < FIELD_COUNT || layout.code_end <= 1)
		return (struct process_layout){ .denied = layout.code_end == 1,
						.empty = !layout.code_end };
	layout.known = true;
	layout.data_start = data[0];
	layout.data_end = data[1];
	layout.brk_start = data[2];
	layout.args_start = data[3];
	layout.args_end = data[4];
	layout.env_start = data[5];
	layout.env_end = data[6];
	return layout;
}

int stat_parse(struct bytes text, struct process *process, struct error *err)
{
	const char *open, *at = text.data, *end, *close;
	struct fields fields = { 0 };
	const uint64_t *field = fields.number;
	uint64_t pid;

	if (!text.len)
		return error_set(err, EPROTO, "stat: no process status");
	open = memchr(text.data, '(', text.len);
	close = memrchr(text.data, ')', text.len);
	end = text.data + text.len;
	if (!num_parse_dec(&at, end, &pid) || pid > INT32_MAX || !open || !close || close < open ||
	    end - close < 4 || close[1] != ' ' || !isalpha((unsigned char)close[2]) ||
	    close[3] != ' ')
		return error_set(err, EPROTO, "stat: no process status");
	parse_numbers(close + 3, end, &fields);
	if (fields.count <= FIELD_RSS)
		return error_set(err, EPROTO, "stat: only %u fields", fields.count);
	if (!are_possible(&fields))
		return error_set(err, EPROTO, "stat: numbers that no process has");
	process->pid = (int32_t)pid;
	process->comm = (struct bytes){ open + 1, (size_t)(close - open - 1) };
	process->state = close[2];
	process->ppid = (int32_t)field[FIELD_PPID];
	process->kernel_thread = field[FIELD_FLAGS] & KERNEL_THREAD;
	process->threads = (uint32_t)field[FIELD_THREADS];
	process->start_time = field[FIELD_START_TIME];
	process->rss_pages = field[FIELD_RSS];
	process->minor_faults = field[FIELD_MINOR];
	process->major_faults = field[FIELD_MAJOR];
	process->layout = layout_of(field, fields.count);
	return 0;
}

bool status_find(struct bytes text, const char *key, struct bytes *value)
{
	size_t key_len = strlen(key), len;

	for (struct bytes line = text; line.len; line.data += len, line.len -= len) {
		const char *newline = memchr(line.data, '\n', line.len), *at, *end;

		end = newline ? newline : line.data + line.len;
		len = (size_t)(end - line.data) + !!newline;
		if ((size_t)(end - line.data) <= key_len || memcmp(line.data, key, key_len) != 0 ||
		    line.data[key_len] != ':')
			continue;
		at = line.data + key_len + 1;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		*value = (struct bytes){ at, (size_t)(end - at) };
		return true;
	}
	return false;
}

/* What may stand behind a number: nothing, another number, or the unit, which is taken into account. */
static bool take_unit(const char *at, const char *end, uint64_t *number)
{
	if (at < end && *at != ' ' && *at != '\t')
		return false;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (end - at == 2 && memcmp(at, "kB", 2) == 0)
		return !__builtin_mul_overflow(*number, 1024, number);
	return at == end || isdigit((unsigned char)*at);
}

bool status_nth(struct bytes text, const char *key, unsigned n, uint64_t *out)
{
	struct bytes value;
	const char *at, *end;
	uint64_t number;

	if (!status_find(text, key, &value))
		return false;
	at = value.data;
	end = at + value.len;
	for (unsigned i = 0; i <= n; i++) {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (!num_parse_dec(&at, end, &number))
			return false;
	}
	if (!take_unit(at, end, &number))
		return false;
	*out = number;
	return true;
}

bool status_u64(struct bytes text, const char *key, uint64_t *out)
{
	return status_nth(text, key, 0, out);
}
