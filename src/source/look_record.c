/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/look_record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/out.h"
#include "base/search.h"

enum { RECORDS_MAX = 1 << 20 };

static const char *const type_words[] = {
	[LOOK_UNKNOWN] = "unknown", [LOOK_ELF] = "elf",		[LOOK_REGULAR] = "regular",
	[LOOK_SHM] = "shm",	    [LOOK_HUGETLB] = "hugetlb", [LOOK_DEVICE] = "device",
};

static const char *const why_words[WHY_COUNT] = {
	[WHY_NONE] = "-",
	[WHY_DENIED] = "denied",
	[WHY_GONE] = "gone",
	[WHY_MISMATCH] = "mismatch",
	[WHY_FILE_SYSTEM] = "file-system",
	[WHY_FAILED] = "failed",
	[WHY_HANGS] = "hangs",
	[WHY_GIVEN_UP] = "given-up",
};

static const char *const place_words[] = {
	[LOOK_PLACE_UNKNOWN] = "unknown",
	[LOOK_PLACE_OWN] = "own",
	[LOOK_PLACE_EMPTY] = "empty",
	[LOOK_PLACE_OTHER] = "other",
};

static const char *const linked_words[] = { "-", "linked" };

static int compare_keys(const struct look_key *a, const struct look_key *b)
{
	const uint64_t left[] = { a->dev_major, a->dev_minor, a->inode, a->path_hash };
	const uint64_t right[] = { b->dev_major, b->dev_minor, b->inode, b->path_hash };

	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct look_record *a = left, *b = right;

	return compare_keys(&a->key, &b->key);
}

void look_records_sort(struct look_record *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), compare);
}

static struct bytes next_word(const char **at, const char *end)
{
	const char *begin;

	while (*at < end && **at == ' ')
		(*at)++;
	begin = *at;
	while (*at < end && **at != ' ')
		(*at)++;
	return (struct bytes){ begin, (size_t)(*at - begin) };
}

static bool take_word(const char **at, const char *end, const char *const *words, size_t count,
		      uint8_t *out)
{
	struct bytes word = next_word(at, end);

	for (size_t i = 0; i < count; i++) {
		if (bytes_equal(word, bytes_of(words[i]))) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool take_number(const char **at, const char *end, uint64_t most, uint64_t *out)
{
	struct bytes word = next_word(at, end);
	const char *digit = word.data, *stop = word.data + word.len;

	return word.len && num_parse_dec(&digit, stop, out) && digit == stop && *out <= most;
}

static bool take_key(const char **at, const char *end, struct look_key *key)
{
	struct bytes word = next_word(at, end);
	const char *digit = word.data, *stop = word.data + word.len;
	uint64_t major, minor;

	if (!num_parse_dec(&digit, stop, &major) || digit == stop || *digit++ != ':' ||
	    !num_parse_dec(&digit, stop, &minor) || digit != stop || major > UINT32_MAX ||
	    minor > UINT32_MAX || !take_number(at, end, UINT64_MAX, &key->inode))
		return false;
	key->dev_major = (uint32_t)major;
	key->dev_minor = (uint32_t)minor;
	word = next_word(at, end);
	digit = word.data;
	stop = word.data + word.len;
	return word.len && num_parse_hex(&digit, stop, &key->path_hash) && digit == stop;
}

/* What tells an ELF file, of which there is a copy; or nothing. */
static bool take_copy(const char **at, const char *end, struct look_record *record)
{
	struct look_reply *reply = &record->reply;
	uint64_t mtime, uid;

	while (*at < end && **at == ' ')
		(*at)++;
	if (*at == end)
		return true;
	if (reply->type != LOOK_ELF || !take_number(at, end, INT64_MAX, &reply->size) ||
	    !take_number(at, end, INT64_MAX, &mtime) || !take_number(at, end, UINT32_MAX, &uid) ||
	    next_word(at, end).len)
		return false;
	reply->opened = 1;
	reply->mtime_ns = (int64_t)mtime;
	reply->uid = (uint32_t)uid;
	reply->inode = record->key.inode;
	reply->dev = (uint64_t)record->key.dev_major << 32 | record->key.dev_minor;
	return true;
}

static bool take_line(const char *at, const char *end, struct look_record *record)
{
	struct look_reply *reply = &record->reply;

	*record = (struct look_record){ 0 };
	return take_key(&at, end, &record->key) &&
	       take_word(&at, end, type_words, ARRAY_SIZE(type_words), &reply->type) &&
	       take_word(&at, end, why_words, ARRAY_SIZE(why_words), &reply->why) &&
	       take_word(&at, end, place_words, ARRAY_SIZE(place_words), &reply->place) &&
	       take_word(&at, end, linked_words, ARRAY_SIZE(linked_words), &reply->linked) &&
	       (reply->type == LOOK_UNKNOWN) == (reply->why != WHY_NONE) &&
	       take_copy(&at, end, record);
}

int look_records_parse(struct bytes text, struct look_records *out, struct error *err)
{
	const char *at = text.data, *end = text.data + text.len;
	struct look_records records = { 0 };
	size_t cap = 0;

	for (size_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		records.list = mem_room(records.list, records.count, &cap, sizeof(*records.list));
		if (records.count == RECORDS_MAX ||
		    !take_line(at, stop, &records.list[records.count])) {
			free(records.list);
			return error_set(err, EPROTO, "line %zu: no file", line);
		}
		records.count++;
		at = stop + 1;
	}
	look_records_sort(records.list, records.count);
	*out = records;
	return 0;
}

void look_records_fini(struct look_records *records)
{
	free(records->list);
	*records = (struct look_records){ 0 };
}

const struct look_record *look_records_find(const struct look_records *records,
					    const struct look_key *key)
{
	size_t at = SEARCH(i, 0, records->count, compare_keys(&records->list[i].key, key) < 0);

	return at < records->count && look_key_equal(&records->list[at].key, key) ?
		       &records->list[at] :
		       NULL;
}

void look_record_write(struct out *out, const struct look_record *record)
{
	const struct look_reply *reply = &record->reply;

	out_printf(out, "%u:%u %llu %llx %s %s %s %s", record->key.dev_major, record->key.dev_minor,
		   (unsigned long long)record->key.inode, (unsigned long long)record->key.path_hash,
		   type_words[reply->type], why_words[reply->why], place_words[reply->place],
		   linked_words[reply->linked]);
	if (reply->opened)
		out_printf(out, " %llu %lld %u", (unsigned long long)reply->size,
			   (long long)(reply->mtime_ns > 0 ? reply->mtime_ns : 0), reply->uid);
	out_char(out, '\n');
}
