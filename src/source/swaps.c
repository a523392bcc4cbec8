/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/swaps.h"

#include <errno.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "source/host.h"
#include "source/root.h"

const char *const swap_kind_names[SWAP_KINDS] = {
	[SWAP_PARTITION] = "partition",
	[SWAP_FILE] = "file",
	[SWAP_ZRAM] = "zram",
	[SWAP_OTHER] = "other",
};

static struct bytes next_word(const char **at, const char *end)
{
	const char *from;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	from = *at;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	return (struct bytes){ from, (size_t)(*at - from) };
}

static bool kilobytes(struct bytes word, uint64_t *out)
{
	const char *at = word.data, *end = word.data + word.len;

	return num_parse_dec(&at, end, out) && at == end &&
	       !__builtin_mul_overflow(*out, 1024, out);
}

static enum swap_kind kind_of(struct bytes name, struct bytes type)
{
	if (bytes_start_with(name, BYTES("/dev/zram")))
		return SWAP_ZRAM;
	return bytes_equal(type, BYTES("partition")) ? SWAP_PARTITION :
	       bytes_equal(type, BYTES("file"))	     ? SWAP_FILE :
						       SWAP_OTHER;
}

static bool parse_line(const char *at, const char *end, struct swap_device *device)
{
	struct bytes type, priority;
	uint64_t number;
	const char *digits;

	*device = (struct swap_device){ .name = next_word(&at, end) };
	type = next_word(&at, end);
	if (!device->name.len || !type.len || !kilobytes(next_word(&at, end), &device->size) ||
	    !kilobytes(next_word(&at, end), &device->used))
		return false;
	device->kind = kind_of(device->name, type);
	priority = next_word(&at, end);
	digits = priority.data + (priority.len && priority.data[0] == '-');
	if (!num_parse_dec(&digits, priority.data + priority.len, &number) || number > INT32_MAX)
		return false;
	device->priority = priority.data[0] == '-' ? -(int64_t)number : (int64_t)number;
	return true;
}

size_t swaps_parse(struct bytes text, struct swap_device devices[SWAPS_MAX], size_t *malformed)
{
	const char *at = text.data, *end = text.data + text.len;
	size_t count = 0;

	*malformed = 0;
	while (at < end && count < SWAPS_MAX) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		struct bytes line = { at, (size_t)(stop - at) };

		if (bytes_start_with(line, BYTES("Filename")))
			;
		else if (parse_line(at, stop, &devices[count]))
			count++;
		else
			++*malformed;
		at = stop + 1;
	}
	return count;
}

/* mm_stat: "DATA COMPRESSED MEMORY ..." in bytes. */
static void read_zram(const struct root *root, struct arena *arena, struct swap_device *device)
{
	struct bytes number = { device->name.data + 9, device->name.len - 9 }, text;
	uint64_t *const fields[] = { &device->zram_data, &device->zram_compressed,
				     &device->zram_memory };
	const char *digits = number.data, *at, *end;
	uint64_t index;

	if (!num_parse_dec(&digits, number.data + number.len, &index) ||
	    root_read(root, arena, &text, NULL, "sys/block/zram%lu/mm_stat", (unsigned long)index))
		return;
	at = text.data;
	end = text.data + text.len;
	for (size_t i = 0; i < 3; i++) {
		while (at < end && *at == ' ')
			at++;
		if (!num_parse_dec(&at, end, fields[i]))
			return;
	}
	device->has_zram = true;
}

int swaps_read(const struct root *root, struct arena *arena, struct swap_device devices[SWAPS_MAX])
{
	struct bytes text;
	size_t malformed, count;
	int rc = root_read(root, arena, &text, NULL, "proc/swaps");

	if (rc)
		return rc;
	count = swaps_parse(text, devices, &malformed);
	for (size_t i = 0; i < count; i++)
		if (devices[i].kind == SWAP_ZRAM)
			read_zram(root, arena, &devices[i]);
	return malformed ? -EPROTO : (int)count;
}

void swaps_load(const struct root *root, struct arena *arena, struct swaps *out)
{
	int count = swaps_read(root, arena, out->devices);

	out->count = count > 0 ? (size_t)count : 0;
	out->in_use = swaps_in_use(root, out->devices, out->count);
}

struct bytes swaps_name(const struct swaps *swaps, unsigned type)
{
	return type < swaps->count ? swaps->devices[type].name : (struct bytes){ NULL, 0 };
}

bool swaps_in_use(const struct root *root, const struct swap_device *devices, size_t count)
{
	struct sysinfo info;

	for (size_t i = 0; i < count; i++)
		if (devices[i].used)
			return true;
	if (root->recorded)
		return !host_has_line(root, "swap unused");
	return sysinfo(&info) || info.totalswap != info.freeswap;
}

const char *swaps_reason(const struct root *root, int rc)
{
	if (rc == -ENOENT && !root->recorded)
		return "unsupported: no /proc/swaps";
	return rc == -EPROTO ? "malformed: /proc/swaps" : root_reason(root, rc, NULL);
}
