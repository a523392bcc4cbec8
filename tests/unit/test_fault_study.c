/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of a process, summed up by mapping, code, thread; and their text in a recording. */
#include "analysis/fault_study.h"
#include "model/vma.h"
#include "source/fault_events.h"
#include "unit.h"

#define PAGE 4096ull
#define RW (VMA_READ | VMA_WRITE)
#define WRITE (FAULT_KNOWS_PRESENT | FAULT_KNOWS_WRITE | FAULT_WRITE)

static struct fault_event fault(int tid, uint64_t addr, uint64_t ip, unsigned bits)
{
	return (struct fault_event){ .kind = FAULT_EVENT_FAULT,
				     .tid = tid,
				     .addr = addr,
				     .ip = ip,
				     .bits = bits,
				     .time = 20,
				     .weight = 1 };
}

static struct fault_event change(uint64_t start, uint64_t end, uint8_t perm, const char *text)
{
	return (struct fault_event){ .kind = FAULT_EVENT_MAP,
				     .tid = 1,
				     .start = start,
				     .end = end,
				     .perm = perm,
				     .text = bytes_of(text),
				     .time = 15 };
}

static void add_vma(struct fault_study *study, uint64_t start, uint64_t end, uint8_t perm)
{
	const struct vma vma = { .start = start, .end = end, .perm = perm, .kind = KIND_ANON };

	fault_map_add(&study->map, &vma, true);
}

static void add(struct fault_study *study, struct fault_event event)
{
	fault_study_add(study, &event);
}

static void test_sums(void **state)
{
	struct fault_study study;

	(void)state;
	fault_study_init(&study, PAGE, 0);
	add_vma(&study, 0x10000, 0x20000, RW);
	add_vma(&study, 0x30000, 0x40000, VMA_READ);
	for (unsigned i = 0; i < 8; i++)
		add(&study, fault(i % 2 ? 7 : 8, 0x10000 + i * PAGE, 0x500 + i % 4, WRITE));
	add(&study, fault(7, 0x30000, 0x600, WRITE));
	add(&study, fault(7, 0x50000, 0x600, WRITE));
	assert_int_equal(study.tally.by[FAULT_FIRST_TOUCH], 8);
	assert_int_equal(study.tally.by[FAULT_FAILED], 2);
	assert_int_equal(study.map.list[0].tally.by[FAULT_FIRST_TOUCH], 8);
	assert_int_equal(study.map.list[1].tally.by[FAULT_FAILED], 1);
	assert_int_equal(study.nowhere.by[FAULT_FAILED], 1);
	assert_int_equal(study.code_count, 5);
	assert_int_equal(study.thread_count, 2);
	assert_int_equal(fault_tally_sum(&study.threads[0].tally), 4);
	assert_int_equal(fault_tally_sum(&study.threads[1].tally), 6);
	/* one failed by what the kernel counted: then none of the two is certain */
	fault_study_end(&study, true, 1);
	assert_int_equal(study.tally.by[FAULT_FAILED], 0);
	assert_int_equal(study.tally.by[FAULT_OTHER], 2);
	assert_int_equal(study.nowhere.by[FAULT_OTHER], 1);
	fault_study_fini(&study);
}

static void test_failed_is_certain(void **state)
{
	struct fault_study study;

	(void)state;
	fault_study_init(&study, PAGE, 0);
	add(&study, fault(7, 0x50000, 0x600, WRITE));
	fault_study_end(&study, true, 1);
	assert_int_equal(study.tally.by[FAULT_FAILED], 1);
	fault_study_end(&study, false, 0);
	assert_int_equal(study.tally.by[FAULT_OTHER], 1);
	fault_study_fini(&study);
}

/* The fault that ends as a major one is the last of its thread. */
static void test_major(void **state)
{
	const struct fault_event major = { .kind = FAULT_EVENT_MAJOR, .tid = 7, .addr = 0x11000 };
	struct fault_study study;

	(void)state;
	fault_study_init(&study, PAGE, 0);
	add_vma(&study, 0x10000, 0x20000, RW);
	add(&study, fault(7, 0x11000, 0x600, WRITE));
	add(&study, fault(8, 0x12000, 0x600, WRITE));
	fault_study_add(&study, &major);
	assert_int_equal(study.tally.major, 1);
	assert_int_equal(study.tally.by[FAULT_SWAP], 1);
	assert_int_equal(study.tally.by[FAULT_FIRST_TOUCH], 1);
	assert_int_equal(study.codes[0].tally.major, 1);
	/* one that was not recorded counts as that alone */
	fault_study_add(&study, &major);
	assert_int_equal(study.tally.major, 2);
	assert_int_equal(fault_tally_sum(&study.tally), 2);
	fault_study_fini(&study);
}

static uint64_t end_at(const struct fault_study *study, uint64_t addr)
{
	uint32_t at = fault_map_find(&study->map, addr);

	return at == INDEX_NONE ? 0 : study->map.list[at].end;
}

/* The heap grows, a part is protected, something new lies over it. */
static void test_mappings_change(void **state)
{
	struct fault_study study;
	uint32_t heap, part;

	(void)state;
	fault_study_init(&study, PAGE, 0);
	add_vma(&study, 0x10000, 0x20000, RW);
	add_vma(&study, 0x40000, 0x50000, RW);
	add(&study, change(0x10000, 0x28000, RW, "//anon"));
	heap = fault_map_find(&study.map, 0x10000);
	assert_int_equal(fault_map_find(&study.map, 0x27fff), heap);
	assert_int_equal(end_at(&study, 0x10000), 0x28000);
	assert_int_equal(fault_map_find(&study.map, 0x28000), INDEX_NONE);
	assert_int_equal(study.map.born, 1);
	assert_int_equal(study.map.born_bytes, 0x8000);
	/* in the middle */
	add(&study, change(0x14000, 0x18000, VMA_READ, "//anon"));
	part = fault_map_find(&study.map, 0x14000);
	assert_int_not_equal(part, heap);
	assert_true(study.map.list[part].born);
	assert_int_equal(fault_map_find(&study.map, 0x13fff), heap);
	assert_int_equal(fault_map_find(&study.map, 0x18000), heap);
	/* and back: the row is the one that it was; to and fro again makes no further rows */
	for (unsigned i = 0; i < 5; i++) {
		add(&study, change(0x14000, 0x18000, RW, "//anon"));
		add(&study, change(0x14000, 0x18000, VMA_READ, "//anon"));
	}
	assert_int_equal(fault_map_find(&study.map, 0x14000), part);
	assert_int_equal(study.map.count, 4);
	/* over two and a hole */
	add(&study, change(0x1c000, 0x44000, RW | VMA_SHARED, "/dev/shm/x"));
	part = fault_map_find(&study.map, 0x30000);
	assert_int_equal(fault_map_find(&study.map, 0x1c000), part);
	assert_int_equal(fault_map_find(&study.map, 0x43fff), part);
	assert_int_not_equal(fault_map_find(&study.map, 0x44000), part);
	assert_int_equal(study.map.list[part].place.backing, FAULT_BACKING_SHARED_FILE);
	fault_study_fini(&study);
}

static void test_chains(void **state)
{
	static const uint64_t chain[] = { 0x700, 0x800 };
	struct fault_event event = fault(7, 0x11000, 0x600, WRITE);
	struct fault_study study;

	(void)state;
	fault_study_init(&study, PAGE, 0);
	add_vma(&study, 0x10000, 0x20000, RW);
	event.chain = chain;
	event.chain_count = 2;
	fault_study_add(&study, &event);
	event.addr += PAGE;
	fault_study_add(&study, &event);
	event.chain_count = 1;
	fault_study_add(&study, &event);
	assert_int_equal(study.stack_count, 2);
	assert_int_equal(study.stacks[0].faults, 2);
	assert_int_equal(study.stacks[0].count, 3);
	assert_int_equal(study.stacks[0].chain[0], 0x600);
	assert_int_equal(study.stacks[0].chain[2], 0x800);
	assert_int_equal(study.stacks[1].faults, 1);
	fault_study_fini(&study);
}

static void test_exec(void **state)
{
	struct fault_study study;

	(void)state;
	fault_study_init(&study, PAGE, 0);
	add_vma(&study, 0x10000, 0x20000, RW);
	add(&study, (struct fault_event){ .kind = FAULT_EVENT_EXEC, .tid = 7, .time = 18 });
	add(&study, fault(7, 0x11000, 0x600, WRITE));
	assert_int_equal(study.exec_time, 18);
	assert_int_equal(fault_tally_sum(&study.tally), 0);
	fault_study_fini(&study);
}

static void test_text(void **state)
{
	static const char text[] = "# comment\n"
				   "fault 10 7 7f001000 400123 f 400200 400300\n"
				   "fault 11 7 xyz 400123 f\n"
				   "fault 11 7 7f001000 400123 40\n"
				   "fault 11 0 7f001000 400123 f\n"
				   "major 12 7 7f001000\n"
				   "map 13 1000 3000 0 2a b /srv/a b\n"
				   "map 13 3000 3000 0 2a b /srv/a\n"
				   "name 14 7 a name\n"
				   "fork 15 7\n"
				   "nonsense\n"
				   "\n"
				   "end 3b9aca00 12 10 1 0\n"
				   "end 1 2\n"
				   "exec 16 7";
	const char *at = text, *end = text + sizeof(text) - 1;
	uint64_t chain[FAULT_CHAIN_MAX], malformed = 0;
	struct fault_counts counts = { 0 };
	struct fault_event event;

	(void)state;
	assert_true(fault_text_next(&at, end, &event, chain, &counts, &malformed));
	assert_int_equal(event.kind, FAULT_EVENT_FAULT);
	assert_int_equal(event.time, 0x10);
	assert_int_equal(event.addr, 0x7f001000);
	assert_int_equal(event.ip, 0x400123);
	assert_int_equal(event.bits, 15);
	assert_int_equal(event.chain_count, 2);
	assert_int_equal(event.chain[1], 0x400300);
	assert_true(fault_text_next(&at, end, &event, chain, &counts, &malformed));
	assert_int_equal(event.kind, FAULT_EVENT_MAJOR);
	assert_int_equal(malformed, 3);
	assert_true(fault_text_next(&at, end, &event, chain, &counts, &malformed));
	assert_int_equal(event.kind, FAULT_EVENT_MAP);
	assert_int_equal(event.inode, 0x2a);
	assert_int_equal(event.perm, VMA_READ | VMA_WRITE | VMA_SHARED);
	check_bytes("file", event.text, BYTES("/srv/a b"));
	assert_true(fault_text_next(&at, end, &event, chain, &counts, &malformed));
	check_bytes("name", event.text, BYTES("a name"));
	assert_true(fault_text_next(&at, end, &event, chain, &counts, &malformed));
	assert_int_equal(event.kind, FAULT_EVENT_FORK);
	assert_true(fault_text_next(&at, end, &event, chain, &counts, &malformed));
	assert_int_equal(event.kind, FAULT_EVENT_EXEC);
	assert_int_equal(counts.end, 1000000000);
	assert_int_equal(counts.faults, 12);
	assert_int_equal(counts.minor, 10);
	assert_int_equal(counts.major, 1);
	assert_int_equal(malformed, 6);
	assert_false(fault_text_next(&at, end, &event, chain, &counts, &malformed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),   cmocka_unit_test(test_failed_is_certain),
		cmocka_unit_test(test_major),  cmocka_unit_test(test_mappings_change),
		cmocka_unit_test(test_chains), cmocka_unit_test(test_exec),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
