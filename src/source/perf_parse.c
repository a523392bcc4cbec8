/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/perf_parse.h"

#include <assert.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

/* What of a record has not been taken; short: something was not there. */
struct cursor {
	const char *at, *end;
	bool is_short;
};

static void take(struct cursor *cursor, void *out, size_t size)
{
	if ((size_t)(cursor->end - cursor->at) < size) {
		cursor->is_short = true;
		return;
	}
	memcpy(out, cursor->at, size);
	cursor->at += size;
}

static uint32_t take_u32(struct cursor *cursor)
{
	uint32_t word = 0;

	take(cursor, &word, sizeof(word));
	return word;
}

static uint64_t take_u64(struct cursor *cursor)
{
	uint64_t word = 0;

	take(cursor, &word, sizeof(word));
	return word;
}

static const char *take_bytes(struct cursor *cursor, uint64_t size)
{
	const char *at = cursor->at;

	if (size > (uint64_t)(cursor->end - cursor->at)) {
		cursor->is_short = true;
		return NULL;
	}
	cursor->at += size;
	return at;
}

/* A text that ends with NUL, before what sample_id_all puts behind it. */
static struct bytes take_text(struct cursor *cursor)
{
	size_t room = (size_t)(cursor->end - cursor->at);
	const char *nul = room ? memchr(cursor->at, '\0', room) : NULL;

	if (!nul)
		cursor->is_short = true;
	return (struct bytes){ cursor->at, nul ? (size_t)(nul - cursor->at) : 0 };
}

static void parse_chain(struct cursor *cursor, struct perf_record *record)
{
	uint64_t count = take_u64(cursor);

	if (count > (uint64_t)(cursor->end - cursor->at) / sizeof(uint64_t)) {
		cursor->is_short = true;
		return;
	}
	record->chain = take_bytes(cursor, count * sizeof(uint64_t));
	record->chain_count = (size_t)count;
}

static void parse_sample(struct cursor *cursor, uint64_t type, struct perf_record *record)
{
	if (type & PERF_SAMPLE_IP)
		record->ip = take_u64(cursor);
	if (type & PERF_SAMPLE_TID) {
		record->pid = take_u32(cursor);
		record->tid = take_u32(cursor);
	}
	if (type & PERF_SAMPLE_TIME)
		record->time = take_u64(cursor);
	if (type & PERF_SAMPLE_ADDR)
		record->addr = take_u64(cursor);
	if (type & PERF_SAMPLE_CPU)
		record->cpu = (uint32_t)take_u64(cursor);
	if (type & PERF_SAMPLE_CALLCHAIN)
		parse_chain(cursor, record);
	if (type & PERF_SAMPLE_RAW) {
		record->raw.len = take_u32(cursor);
		record->raw.data = take_bytes(cursor, record->raw.len);
	}
	/* raw data ends where a word begins */
	if (type & PERF_SAMPLE_DATA_PAGE_SIZE)
		record->page_size = take_u64(cursor);
}

/* What sample_id_all puts at the end of all other records. */
static void parse_sample_id(struct cursor *cursor, uint64_t type, struct perf_record *record)
{
	const uint64_t words = type & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU);
	const size_t size = (size_t)__builtin_popcountll(words) * sizeof(uint64_t);
	struct cursor id;

	if ((size_t)(cursor->end - cursor->at) < size) {
		cursor->is_short = true;
		return;
	}
	id = (struct cursor){ cursor->end - size, cursor->end, false };
	if (type & PERF_SAMPLE_TID)
		take_u64(&id);
	if (type & PERF_SAMPLE_TIME)
		record->time = take_u64(&id);
	if (type & PERF_SAMPLE_CPU)
		record->cpu = (uint32_t)take_u64(&id);
	cursor->end -= size;
}

static void parse_mapped(struct cursor *cursor, uint16_t misc, struct perf_record *record)
{
	uint64_t len;

	record->pid = take_u32(cursor);
	record->tid = take_u32(cursor);
	record->start = take_u64(cursor);
	len = take_u64(cursor);
	record->end = record->start + len;
	record->offset = take_u64(cursor);
	take_u64(cursor);
	/* in place of the inode there may be a build-id */
	record->inode = take_u64(cursor);
	take_u64(cursor);
	if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID)
		record->inode = 0;
	record->prot = take_u32(cursor);
	record->flags = take_u32(cursor);
	record->text = take_text(cursor);
	if (record->end < record->start)
		cursor->is_short = true;
}

static void parse_task(struct cursor *cursor, struct perf_record *record)
{
	record->pid = take_u32(cursor);
	record->parent_pid = take_u32(cursor);
	record->tid = take_u32(cursor);
	record->parent_tid = take_u32(cursor);
}

static void parse_body(struct cursor *cursor, const struct perf_event_header *header,
		       uint64_t sample_type, struct perf_record *record)
{
	if (header->type == PERF_RECORD_SAMPLE) {
		record->kind = PERF_SAMPLED;
		record->kernel = (header->misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
				 PERF_RECORD_MISC_KERNEL;
		parse_sample(cursor, sample_type, record);
		return;
	}
	parse_sample_id(cursor, sample_type, record);
	switch (header->type) {
	case PERF_RECORD_MMAP2:
		record->kind = PERF_MAPPED;
		parse_mapped(cursor, header->misc, record);
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		record->kind = header->type == PERF_RECORD_FORK ? PERF_FORKED : PERF_EXITED;
		parse_task(cursor, record);
		break;
	case PERF_RECORD_COMM:
		record->kind = PERF_NAMED;
		record->exec = header->misc & PERF_RECORD_MISC_COMM_EXEC;
		record->pid = take_u32(cursor);
		record->tid = take_u32(cursor);
		record->text = take_text(cursor);
		break;
	case PERF_RECORD_LOST:
		record->kind = PERF_LOST;
		take_u64(cursor);
		record->lost = take_u64(cursor);
		break;
	default:
		break;
	}
}

ssize_t perf_parse(struct bytes text, uint64_t sample_type, struct perf_record *out)
{
	struct perf_record record = { .kind = PERF_SKIPPED };
	struct perf_event_header header;
	struct cursor cursor;

	assert(!(sample_type & ~(uint64_t)PERF_PARSE_SAMPLE));
	if (text.len < sizeof(header))
		return 0;
	memcpy(&header, text.data, sizeof(header));
	if (header.size < sizeof(header))
		return -EPROTO;
	if (header.size > text.len)
		return 0;
	cursor = (struct cursor){ text.data + sizeof(header), text.data + header.size, false };
	parse_body(&cursor, &header, sample_type, &record);
	if (cursor.is_short && record.kind != PERF_SKIPPED)
		return -EPROTO;
	*out = record;
	return header.size;
}

uint64_t perf_chain_word(const struct perf_record *record, size_t i)
{
	uint64_t word;

	memcpy(&word, record->chain + i * sizeof(word), sizeof(word));
	return word;
}
