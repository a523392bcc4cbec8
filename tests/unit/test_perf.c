/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of perf_event_open(2), and the format files of tracepoints. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>

#include "base/index.h"
#include "source/perf_parse.h"
#include "source/tracefs.h"
#include "unit.h"

enum { ROOM = 512 };

/* A record that is being made. */
struct maker {
	char data[ROOM];
	size_t len;
};

static void put(struct maker *maker, const void *bytes, size_t size)
{
	memcpy(maker->data + maker->len, bytes, size);
	maker->len += size;
}

static void put32(struct maker *maker, uint32_t word)
{
	put(maker, &word, sizeof(word));
}

static void put64(struct maker *maker, uint64_t word)
{
	put(maker, &word, sizeof(word));
}

static void begin(struct maker *maker, uint32_t type, uint16_t misc)
{
	struct perf_event_header header = { .type = type, .misc = misc };

	maker->len = 0;
	put(maker, &header, sizeof(header));
}

/* The length is in the header; parsed is a copy of just that size, so that no byte behind it is read. */
static ssize_t parse(struct maker *maker, uint64_t type, struct perf_record *record)
{
	struct perf_event_header *header = (struct perf_event_header *)(void *)maker->data;
	struct bytes text;

	header->size = (uint16_t)maker->len;
	text = (struct bytes){ maker->data, maker->len };
	return perf_parse(text, type, record);
}

static void test_sample(void **state)
{
	const uint64_t type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			      PERF_SAMPLE_ADDR | PERF_SAMPLE_CPU | PERF_SAMPLE_CALLCHAIN |
			      PERF_SAMPLE_RAW | PERF_SAMPLE_DATA_PAGE_SIZE;
	struct perf_record record;
	struct maker maker;

	(void)state;
	begin(&maker, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL);
	put64(&maker, 0x1111);
	put32(&maker, 4711);
	put32(&maker, 4712);
	put64(&maker, 99);
	put64(&maker, 0x2222);
	put64(&maker, 3);
	put64(&maker, 2);
	put64(&maker, PERF_CONTEXT_USER);
	put64(&maker, 0x3333);
	put32(&maker, 12);
	put(&maker, "\276\0hello world", 12);
	put64(&maker, 4096);
	assert_int_equal(parse(&maker, type, &record), maker.len);
	assert_int_equal(record.kind, PERF_SAMPLED);
	assert_true(record.kernel);
	assert_int_equal(record.ip, 0x1111);
	assert_int_equal(record.pid, 4711);
	assert_int_equal(record.tid, 4712);
	assert_int_equal(record.time, 99);
	assert_int_equal(record.addr, 0x2222);
	assert_int_equal(record.cpu, 3);
	assert_int_equal(record.chain_count, 2);
	assert_int_equal(perf_chain_word(&record, 1), 0x3333);
	assert_int_equal(record.raw.len, 12);
	assert_int_equal(record.page_size, 4096);
	/* cut anywhere it is no record */
	for (size_t len = sizeof(struct perf_event_header); len < maker.len; len++) {
		struct perf_event_header *header = (struct perf_event_header *)(void *)maker.data;

		header->size = (uint16_t)len;
		assert_int_equal(perf_parse((struct bytes){ maker.data, len }, type, &record),
				 -EPROTO);
		header->size = (uint16_t)maker.len;
		assert_int_equal(perf_parse((struct bytes){ maker.data, len }, type, &record), 0);
	}
}

static void test_sample_lies(void **state)
{
	struct perf_record record = { .pid = 7 };
	struct maker maker;

	(void)state;
	begin(&maker, PERF_RECORD_SAMPLE, 0);
	put64(&maker, UINT64_MAX / 8 + 2); /* whose bytes would wrap round */
	put64(&maker, 0);
	assert_int_equal(parse(&maker, PERF_SAMPLE_CALLCHAIN, &record), -EPROTO);
	begin(&maker, PERF_RECORD_SAMPLE, 0);
	put32(&maker, UINT32_MAX);
	put32(&maker, 0);
	assert_int_equal(parse(&maker, PERF_SAMPLE_RAW, &record), -EPROTO);
	assert_int_equal(record.pid, 7);
	begin(&maker, PERF_RECORD_SAMPLE, 0);
	assert_int_equal(perf_parse((struct bytes){ maker.data, maker.len }, 0, &record), -EPROTO);
	assert_int_equal(perf_parse((struct bytes){ maker.data, 3 }, 0, &record), 0);
}

static void test_mapped(void **state)
{
	const uint64_t type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
	struct perf_record record;
	struct maker maker;

	(void)state;
	begin(&maker, PERF_RECORD_MMAP2, 0);
	put32(&maker, 10);
	put32(&maker, 11);
	put64(&maker, 0x10000);
	put64(&maker, 0x4000);
	put64(&maker, 0x1000);
	put32(&maker, 8);
	put32(&maker, 1);
	put64(&maker, 1234);
	put64(&maker, 1);
	put32(&maker, 5);
	put32(&maker, 2);
	put(&maker, "/lib/x\0\0", 8);
	put64(&maker, 0);
	put64(&maker, 77);
	assert_int_equal(parse(&maker, type, &record), maker.len);
	assert_int_equal(record.kind, PERF_MAPPED);
	assert_int_equal(record.start, 0x10000);
	assert_int_equal(record.end, 0x14000);
	assert_int_equal(record.offset, 0x1000);
	assert_int_equal(record.inode, 1234);
	assert_int_equal(record.prot, 5);
	assert_int_equal(record.flags, 2);
	assert_int_equal(record.time, 77);
	check_bytes("file", record.text, BYTES("/lib/x"));
	/* a name without an end would run into the time */
	memset(maker.data + maker.len - 24, 'x', 8);
	assert_int_equal(parse(&maker, type, &record), -EPROTO);
}

static void test_others(void **state)
{
	const uint64_t type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU;
	struct perf_record record;
	struct maker maker;

	(void)state;
	begin(&maker, PERF_RECORD_FORK, 0);
	for (uint32_t i = 1; i <= 4; i++)
		put32(&maker, i);
	put64(&maker, 0);
	put64(&maker, 0);
	put64(&maker, 55);
	put64(&maker, 6);
	assert_int_equal(parse(&maker, type, &record), maker.len);
	assert_int_equal(record.kind, PERF_FORKED);
	assert_int_equal(record.pid, 1);
	assert_int_equal(record.parent_pid, 2);
	assert_int_equal(record.tid, 3);
	assert_int_equal(record.parent_tid, 4);
	assert_int_equal(record.time, 55);
	assert_int_equal(record.cpu, 6);

	begin(&maker, PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
	put32(&maker, 1);
	put32(&maker, 2);
	put(&maker, "name\0\0\0", 8);
	put64(&maker, 0);
	put64(&maker, 5);
	put64(&maker, 0);
	assert_int_equal(parse(&maker, type, &record), maker.len);
	assert_int_equal(record.kind, PERF_NAMED);
	assert_true(record.exec);
	check_bytes("name", record.text, BYTES("name"));

	begin(&maker, PERF_RECORD_LOST, 0);
	put64(&maker, 1);
	put64(&maker, 321);
	put64(&maker, 0);
	put64(&maker, 0);
	put64(&maker, 0);
	assert_int_equal(parse(&maker, type, &record), maker.len);
	assert_int_equal(record.kind, PERF_LOST);
	assert_int_equal(record.lost, 321);

	/* of another kind: passed over, whatever is in it */
	begin(&maker, PERF_RECORD_THROTTLE, 0);
	assert_int_equal(parse(&maker, type, &record), maker.len);
	assert_int_equal(record.kind, PERF_SKIPPED);
}

static const char format[] = "name: page_fault_user\nID: 190\nformat:\n"
			     "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
			     "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
			     "\tfield:unsigned long address;\toffset:8;\tsize:8;\tsigned:0;\n"
			     "\tfield:char name[16];\toffset:16;\tsize:16;\tsigned:0;\n"
			     "\tfield:int order;\toffset:32;\tsize:4;\tsigned:1;\n\n"
			     "print fmt: \"address=%ps field:int order; offset:1; size:1;\"\n";

static void test_format(void **state)
{
	static const char *const fields[] = { "address", "order", "name", "absent", NULL };
	static const char raw[] = "\276\0\0\0\0\0\0\0"
				  "\1\2\3\4\5\6\7\10"
				  "0123456789abcdef"
				  "\376\377\377\377";
	struct bytes data = { raw, 36 };
	struct trace_event event;
	uint64_t value;

	(void)state;
	assert_int_equal(trace_format_parse(bytes_of(format), fields, &event), 0);
	assert_int_equal(event.id, 190);
	assert_int_equal(event.fields[0].offset, 8);
	assert_int_equal(event.fields[1].offset, 32);
	assert_int_equal(event.fields[2].size, 16);
	assert_int_equal(event.fields[3].size, 0);
	assert_true(trace_raw_id(data, &value));
	assert_int_equal(value, 190);
	assert_true(trace_field_get(&event.fields[0], data, &value));
	assert_int_equal(value, 0x0807060504030201);
	assert_true(trace_field_get(&event.fields[1], data, &value));
	assert_int_equal((int64_t)value, -2);
	assert_false(trace_field_get(&event.fields[2], data, &value));
	assert_false(trace_field_get(&event.fields[3], data, &value));
	data.len = 35;
	assert_false(trace_field_get(&event.fields[1], data, &value));
	assert_int_equal(trace_format_parse(BYTES("name: x\n"), fields, &event), -EPROTO);
	assert_int_equal(trace_format_parse(BYTES(""), fields, &event), -EPROTO);
}

static void test_index(void **state)
{
	struct index index = { 0 };

	(void)state;
	assert_int_equal(index_find(&index, 0), INDEX_NONE);
	for (uint32_t i = 0; i < 10000; i++)
		index_add(&index, (uint64_t)i << 20, i);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(index_find(&index, (uint64_t)i << 20), i);
	assert_int_equal(index_find(&index, 1), INDEX_NONE);
	assert_int_equal(index.count, 10000);
	index_fini(&index);
	assert_int_equal(index_find(&index, 0), INDEX_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample), cmocka_unit_test(test_sample_lies),
		cmocka_unit_test(test_mapped), cmocka_unit_test(test_others),
		cmocka_unit_test(test_format), cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
