/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths that are too long to be kept: what is left of them, through parser, store and pmap's output. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/vma.h"
#include "model/vma_store.h"
#include "source/smaps.h"

static const struct long_case {
	const char *name;
	size_t len;		/* of the path, without the suffix */
	bool deleted;
	size_t piece;		/* bytes of the line that come at a time; 0: all */
} long_cases[] = {
	{ "kept whole", VMA_PATH_KEPT, false, 0 },
	{ "kept whole, deleted", VMA_PATH_KEPT, true, 0 },
	{ "suffix alone is cut", VMA_PATH_KEPT - 3, true, 0 },
	{ "one byte too long", VMA_PATH_KEPT + 1, false, 0 },
	{ "one byte too long, deleted", VMA_PATH_KEPT + 1, true, 0 },
	{ "tail as long as it gets", VMA_PATH_KEPT + VMA_TAIL_KEPT, false, 0 },
	{ "one byte is lost", VMA_PATH_KEPT + VMA_TAIL_KEPT + 1, false, 0 },
	{ "one byte is lost, deleted", VMA_PATH_KEPT + VMA_TAIL_KEPT + 1, true, 0 },
	{ "long", 60000, true, 0 },
	{ "long, in pieces", 60000, true, 5000 },
	{ "long, in small pieces", 20000, true, 4100 },
	{ "last piece splits the suffix", 2 * 5000 + 4, true, 5000 },
	{ "pieces shorter than the tail", 9000, false, 900 },
};

struct seen {
	struct vma_store store;
	struct vma vma;
	char path[VMA_PATH_KEPT], tail[VMA_TAIL_KEPT];
	size_t count;
};

static int take(void *ctx, struct vma *vma)
{
	struct seen *seen = ctx;

	seen->count++;
	seen->vma = *vma;
	memcpy(seen->path, vma->path.data, vma->path.len);
	if (vma->tail.len)
		memcpy(seen->tail, vma->tail.data, vma->tail.len);
	vma_store_add(&seen->store, vma);
	return 0;
}

/* Every byte of the path tells where it stands. */
static char path_byte(size_t at)
{
	return at % 97 == 0 ? '/' : (char)('a' + at % 23);
}

static char *make_line(const struct long_case *c, size_t *len)
{
	static const char header[] =
		"7f0000000000-7f0000001000 r--p 00000000 fe:00 1                    ";
	char *line = malloc(sizeof(header) + 16 + c->len + 16), *at = line;

	assert_non_null(line);
	at += sprintf(at, "%-73s", header);
	for (size_t i = 0; i < c->len; i++)
		*at++ = path_byte(i);
	if (c->deleted)
		at += sprintf(at, " (deleted)");
	*len = (size_t)(at - line);
	*at = '\n';
	return line;
}

static void feed(struct smaps_parser *parser, const struct long_case *c, const char *line,
		 size_t len)
{
	if (!c->piece) {
		assert_int_equal(smaps_parser_feed(parser, line, len + 1), len + 1);
		return;
	}
	for (size_t at = 0; at < len; at += c->piece)
		smaps_parser_long(parser, line + at, len - at < c->piece ? len - at : c->piece,
				  at == 0);
	smaps_parser_long_end(parser);
}

static void check(const struct long_case *c, const struct vma *vma)
{
	size_t kept = c->len < VMA_PATH_KEPT ? c->len : VMA_PATH_KEPT;
	size_t tail = c->len - kept < VMA_TAIL_KEPT ? c->len - kept : VMA_TAIL_KEPT;

	if (c->piece && c->piece - 73 < kept)
		kept = c->piece - 73, tail = VMA_TAIL_KEPT;
	CHECK(c->name, vma->path_len == c->len);
	CHECK(c->name, vma->deleted == c->deleted);
	CHECK(c->name, vma->path.len == kept);
	CHECK(c->name, vma->tail.len == tail);
	for (size_t i = 0; i < kept; i++)
		CHECK(c->name, vma->path.data[i] == path_byte(i));
	for (size_t i = 0; i < tail; i++)
		CHECK(c->name, vma->tail.data[i] == path_byte(c->len - tail + i));
}

static void run_case(const struct long_case *c)
{
	static struct smaps_parser parser;
	struct smaps_keys keys;
	struct seen seen = { .count = 0 };
	struct vma stored;
	size_t len;
	char *line = make_line(c, &len);

	smaps_keys_init(&keys);
	vma_store_init(&seen.store);
	smaps_parser_init(&parser, &keys, take, &seen);
	feed(&parser, c, line, len);
	free(line);
	assert_int_equal(smaps_parser_finish(&parser), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(parser.pass.malformed, 0);
	seen.vma.path.data = seen.path;
	seen.vma.tail.data = seen.tail;
	check(c, &seen.vma);
	vma_store_get(&seen.store, 0, &stored);
	check(c, &stored);
	vma_store_fini(&seen.store);
}

static void names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(long_cases); i++)
		run_case(&long_cases[i]);
}

/* The end alone tells these two apart: the store must not take one for the other. */
static void ends_differ(void **state)
{
	static char path[VMA_PATH_KEPT];
	struct vma vma = { .start = 0x1000,
			   .end = 0x2000,
			   .path = { path, sizeof(path) },
			   .path_len = 9000,
			   .tail = BYTES_INIT("/one") };
	struct vma_store store;

	(void)state;
	vma_store_init(&store);
	vma_store_add(&store, &vma);
	vma.tail = BYTES("/two");
	vma_store_add(&store, &vma);
	vma_store_get(&store, 0, &vma);
	check_bytes("first", vma.tail, BYTES("/one"));
	vma_store_get(&store, 1, &vma);
	check_bytes("second", vma.tail, BYTES("/two"));
	vma_store_fini(&store);
}

static int nothing(void *ctx, struct vma *vma)
{
	(void)ctx;
	(void)vma;
	return 0;
}

/* Fields keep the order of the file, also one that a later kernel puts in the middle. */
static void order_of_fields(void **state)
{
	static const char text[] = "1000-2000 r--p 00000000 00:00 0 \n"
				   "Size:                  4 kB\n"
				   "Novelty:               8 kB\n"
				   "Rss:                   0 kB\n"
				   "2000-3000 r--p 00000000 00:00 0 \n"
				   "Rss:                   0 kB\n"
				   "Pss:                   0 kB\n"
				   "Size:                  4 kB\n";
	static const unsigned want[] = { SMAPS_SIZE, SMAPS_KNOWN, SMAPS_RSS, SMAPS_PSS };
	static struct smaps_parser parser;
	struct smaps_keys keys;

	(void)state;
	smaps_keys_init(&keys);
	assert_int_equal(keys.ordered, 0);
	smaps_parser_init(&parser, &keys, nothing, NULL);
	smaps_parser_feed(&parser, text, sizeof(text) - 1);
	assert_int_equal(smaps_parser_finish(&parser), 0);
	assert_int_equal(keys.ordered, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(keys.order[i], want[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(ends_differ),
		cmocka_unit_test(order_of_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
