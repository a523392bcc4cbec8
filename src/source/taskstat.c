/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/taskstat.h"

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
	FIELD_THREADS = 20,
	FIELD_START_TIME = 22,
	FIELD_RSS = 24,
	FIELD_CODE_START = 26,
	FIELD_CODE_END = 27,
	FIELD_STACK = 28,
	FIELD_DATA_START = 45,
	FIELD_COUNT = 52,
};

/* From field 4 on all are numbers, some signed. Returns how many fields there are. */
static unsigned parse_numbers(const char *at, const char *end, uint64_t field[FIELD_COUNT])
{
	unsigned n = FIELD_PPID;

	while (n < FIELD_COUNT) {
		bool negative;

		while (at < end && *at == ' ')
			at++;
		negative = at < end && *at == '-';
		at += negative;
		if (!num_parse_dec(&at, end, &field[n]))
			break;
		if (negative)
			field[n] = 0 - field[n];
		n++;
	}
	return n;
}

static struct process_layout layout_of(const uint64_t field[FIELD_COUNT], unsigned count)
{
	const uint64_t *data = &field[FIELD_DATA_START];
	struct process_layout layout = {
		.code_start = field[FIELD_CODE_START],
		.code_end = field[FIELD_CODE_END],
		.stack_start = field[FIELD_STACK],
	};

	/* not permitted: the kernel shows an end of 1; no memory: 0 */
	if (count < FIELD_COUNT || layout.code_end <= 1)
		return (struct process_layout){ .denied = layout.code_end == 1 };
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
	const char *open = memchr(text.data, '(', text.len), *at = text.data, *end, *close;
	uint64_t field[FIELD_COUNT] = { 0 }, pid;
	unsigned count;

	end = text.data + text.len;
	close = memrchr(text.data, ')', text.len);
	if (!num_parse_dec(&at, end, &pid) || pid > INT32_MAX || !open || !close || close < open ||
	    end - close < 4)
		return error_set(err, EPROTO, "stat: no process status");
	count = parse_numbers(close + 3, end, field);
	if (count <= FIELD_RSS)
		return error_set(err, EPROTO, "stat: only %u fields", count);
	process->pid = (int32_t)pid;
	process->comm = (struct bytes){ open + 1, (size_t)(close - open - 1) };
	process->state = close[2];
	process->ppid = (int32_t)field[FIELD_PPID];
	process->threads = (uint32_t)field[FIELD_THREADS];
	process->start_time = field[FIELD_START_TIME];
	process->rss_pages = field[FIELD_RSS];
	process->layout = layout_of(field, count);
	return 0;
}

bool status_find(struct bytes text, const char *key, struct bytes *value)
{
	size_t key_len = strlen(key);
	const char *at = text.data, *end = text.data + text.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if ((size_t)(stop - at) > key_len && memcmp(at, key, key_len) == 0 &&
		    at[key_len] == ':') {
			at += key_len + 1;
			while (at < stop && (*at == ' ' || *at == '\t'))
				at++;
			*value = (struct bytes){ at, (size_t)(stop - at) };
			return true;
		}
		at = stop + 1;
	}
	return false;
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
	for (unsigned i = 0;; i++) {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (!num_parse_dec(&at, end, &number))
			return false;
		if (i == n)
			break;
	}
	if (bytes_end_with(value, BYTES(" kB")) && __builtin_mul_overflow(number, 1024, &number))
		return false;
	*out = number;
	return true;
}

bool status_u64(struct bytes text, const char *key, uint64_t *out)
{
	return status_nth(text, key, 0, out);
}
