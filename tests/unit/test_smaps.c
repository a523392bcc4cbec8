/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/smaps.h"

#include <stdio.h>

#include "base/error.h"
#include "smaps_case.h"
#include "unit.h"

enum { WHOLE = 1 << 20 };

/* A record as Linux 6.18 prints it, in an order that is learned from the first. */
#define HEADER_1 "00001000-00003000 rw-p 00000000 00:00 0 \n"
#define HEADER_2 "00003000-00007000 r-xp 00001000 fe:01 4711                               /bin/x\n"
#define FIELDS_1                                     \
	"Size:                  8 kB\n"              \
	"KernelPageSize:        4 kB\n"              \
	"Rss:                   4 kB\n"              \
	"Pss:                   2 kB\n"              \
	"THPeligible:           1\n"                 \
	"VmFlags: rd wr mr mw me ac \n"
#define FIELDS_2                                     \
	"Size:                 16 kB\n"              \
	"KernelPageSize:        4 kB\n"              \
	"Rss:            12345678 kB\n"              \
	"Pss:                   0 kB\n"              \
	"THPeligible:           0\n"                 \
	"VmFlags: rd ex mr mw me \n"
#define DUMP_1                                                                                \
	"1000-3000 rw-p 0 0:0 0 [] size=8192 kernel_page_size=4096 rss=4096 pss=2048 "        \
	"thp_eligible=1 flags=rd wr mr mw me ac\n"
#define DUMP_2                                                                                \
	"3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=16384 kernel_page_size=4096 "            \
	"rss=12641974272 pss=0 thp_eligible=0 flags=rd ex mr mw me\n"

static const struct smaps_case field_cases[] = {
	{ "learned order", BYTES(HEADER_1 FIELDS_1 HEADER_2 FIELDS_2), DUMP_1 DUMP_2, 14, 0, 0, 0 },
	{ "other order",
	  BYTES(HEADER_1 FIELDS_1 HEADER_2
		"THPeligible:           0\nRss:            12345678 kB\n"
		"VmFlags: rd ex mr mw me \nPss:                   0 kB\n"
		"KernelPageSize:        4 kB\nSize:                 16 kB\n"),
	  DUMP_1 DUMP_2, 14, 0, 0, 0 },
	{ "keys missing in the middle",
	  BYTES(HEADER_1 FIELDS_1 HEADER_2
		"Size:                 16 kB\nPss:                   0 kB\n"),
	  DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=16384 pss=0\n", 10, 0, 0, 0 },
	{ "a record without fields",
	  BYTES(HEADER_1 FIELDS_1 HEADER_2 "00008000-00009000 r--p 00000000 00:00 0 \n" FIELDS_1),
	  DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n"
		 "8000-9000 r--p 0 0:0 0 [] size=8192 kernel_page_size=4096 rss=4096 pss=2048 "
		 "thp_eligible=1 flags=rd wr mr mw me ac\n",
	  15, 0, 0, 0 },
	{ "the first without fields",
	  BYTES(HEADER_1 HEADER_2 FIELDS_2 "00008000-00009000 r--p 00000000 00:00 0 \n" FIELDS_1),
	  "1000-3000 rw-p 0 0:0 0 []\n" DUMP_2
	  "8000-9000 r--p 0 0:0 0 [] size=8192 kernel_page_size=4096 rss=4096 pss=2048 "
	  "thp_eligible=1 flags=rd wr mr mw me ac\n",
	  15, 0, 0, 0 },
	{ "the last counts",
	  BYTES(HEADER_1 "Rss:                   4 kB\n"
			 "Rss:                   8 kB\n"),
	  "1000-3000 rw-p 0 0:0 0 [] rss=8192\n", 3, 0, 0, 0 },
	{ "nine digits and more",
	  BYTES(HEADER_1 "Size:           123456789 kB\nRss:            1234567890 kB\n"
			 "Pss:            18014398509481983 kB\n" HEADER_2
			 "Size:           999999999 kB\nRss:                   1 kB\n"
			 "Pss:            99999999 kB\n"),
	  "1000-3000 rw-p 0 0:0 0 [] size=126419751936 rss=1264197519360 "
	  "pss=18446744073709550592\n"
	  "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=1023999998976 rss=1024 "
	  "pss=102399998976\n",
	  8, 0, 0, 0 },
	{ "nine digits later",
	  BYTES(HEADER_1 FIELDS_1 HEADER_2
		"Size:           123456789 kB\nKernelPageSize:        4 kB\n"
		"Rss:           123456789 kB\nPss:           999999999 kB\n"
		"THPeligible:    123456789\n"),
	  DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=126419751936 "
		 "kernel_page_size=4096 rss=126419751936 pss=1023999998976 "
		 "thp_eligible=123456789\n",
	  13, 0, 0, 0 },
	{ "a key of a later kernel",
	  BYTES(HEADER_1 "Rss:                   4 kB\n"
			 "NewThing:              3 kB\nOther_Count:           7\n"),
	  "1000-3000 rw-p 0 0:0 0 [] rss=4096 new_thing=3072 other_count=7\n", 4, 0, 0, 0 },
	{ "a key of a later kernel, met later",
	  BYTES(HEADER_1 FIELDS_1 HEADER_2
		"Size:                 16 kB\nNewThing:              3 kB\n"
		"KernelPageSize:        4 kB\n"),
	  DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=16384 kernel_page_size=4096 "
		 "new_thing=3072\n",
	  11, 0, 0, 0 },
	{ "text of a later kernel",
	  BYTES(HEADER_1 "Policy: interleave:0-3\nNote: 3 of 4\n"
			 "Empty:\n"),
	  "1000-3000 rw-p 0 0:0 0 []\n", 4, 0, 0, 0 },
	{ "other columns", BYTES(HEADER_1 "Rss: 4 kB\nPss:\t5 kB\nSize:6 kB\n"),
	  "1000-3000 rw-p 0 0:0 0 [] size=6144 rss=4096\n", 4, 1, 3, 0 },
	{ "no fields in maps", BYTES(HEADER_1 HEADER_2),
	  "1000-3000 rw-p 0 0:0 0 []\n3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n", 2, 0, 0, 0 },
};

static void test_fields(void **state)
{
	(void)state;
	check_cases(field_cases, COUNT(field_cases));
}

/* A number that is not wholly there is absent, never another number; also in the learned order. */
static void test_malformed_fields(void **state)
{
	static const char *const lines[] = {
		"Rss:                     kB",
		"Rss:                   4",
		"Rss:                   4 k",
		"Rss:                   4 MB",
		"Rss:                   4 kB x",
		"Rss:                   4 kBx",
		"Rss:                   4x kB",
		"Rss:                  -4 kB",
		"Rss:                 4 4 kB",
		"Rss:                   ",
		"Rss:",
		"Rss:            18014398509481984 kB",
		"Rss:            18446744073709551616 kB",
		"Rss:            99999999999999999999999999 kB",
		"Rss:                 0x4 kB",
		"Rss:            1       kB",
		"Rss:                   4\tkB",
		"Rss:                   4 kB\r",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		int len = snprintf(text, sizeof(text), "%s%s%s\nPss:                   8 kB\n",
				   HEADER_1 FIELDS_1 HEADER_2,
				   "Size:                 16 kB\n"
				   "KernelPageSize:        4 kB\n",
				   lines[i]);
		struct smaps_case c = {
			lines[i],
			{ text, (size_t)len },
			DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=16384 "
			       "kernel_page_size=4096 pss=8192\n",
			12,
			1,
			11,
			0,
		};

		check_cases(&c, 1);
	}
}

/* A count that gets a unit, or a size that loses it, is not what it was. */
static void test_units(void **state)
{
	static const struct smaps_case cases[] = {
		{ "flag with a unit", BYTES(HEADER_1 "THPeligible:           1 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 []\n", 2, 1, 2, 0 },
		{ "new key, unit lost",
		  BYTES(HEADER_1 "New:                   1 kB\n" HEADER_2
				 "New:                   1\n"),
		  "1000-3000 rw-p 0 0:0 0 [] new=1024\n3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n", 4,
		  1, 4, 0 },
		{ "new key, unit found",
		  BYTES(HEADER_1 "New:                   1\n" HEADER_2
				 "New:                   1 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 [] new=1\n3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n", 4, 1,
		  4, 0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

/* A shape is learned only where it is that of all lines; else both ways of reading would differ. */
static void test_odd_shapes(void **state)
{
	static const struct smaps_case cases[] = {
		{ "numbers in the first columns",
		  BYTES(HEADER_1 "Odd:1 2 3 4 5 6 7 8 9 10\n" HEADER_2
				 "Odd:1 2 3 4 5 6 12345678\n"),
		  "1000-3000 rw-p 0 0:0 0 []\n3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n", 4, 0, 0,
		  0 },
		{ "a short number far left",
		  BYTES(HEADER_1 "Odd:  12       9 kB\n" HEADER_2 "Odd:  12        9999 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 []\n3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n", 4, 0, 0,
		  0 },
		{ "a long name",
		  BYTES(HEADER_1 "Quite_A_Long_Name:    5 kB\n" HEADER_2
				 "Quite_A_Long_Name:12345 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 [] quite_a_long_name=5120\n"
		  "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] quite_a_long_name=12641280\n",
		  4, 0, 0, 0 },
		{ "digits in a name",
		  BYTES(HEADER_1 "Rss2:                  5 kB\n" HEADER_2
				 "Rss2:                  6 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 [] rss2=5120\n"
		  "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] rss2=6144\n",
		  4, 0, 0, 0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

static void test_stray_lines(void **state)
{
	static const struct smaps_case cases[] = {
		{ "fields before any header",
		  BYTES("Rss:                   4 kB\n" HEADER_1 FIELDS_1), DUMP_1, 8, 1, 1, 0 },
		{ "no colon", BYTES(HEADER_1 "Rubbish\n" FIELDS_1), DUMP_1, 8, 1, 2, 0 },
		{ "an empty line", BYTES(HEADER_1 "\n" FIELDS_1), DUMP_1, 8, 1, 2, 0 },
		{ "only newlines", BYTES("\n\n\n"), "", 3, 3, 1, 0 },
		{ "only a colon", BYTES(HEADER_1 ":\n: 4 kB\n"), "1000-3000 rw-p 0 0:0 0 []\n", 3,
		  0, 0, 0 },
		{ "NUL bytes", BYTES("\0\0\0\n" HEADER_1 "R\0s: 4 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 []\n", 3, 1, 1, 0 },
		{ "a name that is none", BYTES(HEADER_1 "R-s:  4 kB\nR s:  4 kB\n9s:  4 kB\n"),
		  "1000-3000 rw-p 0 0:0 0 []\n", 4, 1, 4, 0 },
		{ "torn in a field", BYTES(HEADER_1 "Rss:                   4 kB\nPss:      "),
		  "1000-3000 rw-p 0 0:0 0 [] rss=4096\n", 2, 0, 0, 0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

/* Codes are kept verbatim; more than there is room for end at a whole code. */
static void test_vm_flags(void **state)
{
	static const struct smaps_case cases[] = {
		{ "none", BYTES(HEADER_1 "VmFlags: \n"), "1000-3000 rw-p 0 0:0 0 [] flags=\n", 2, 0,
		  0, 0 },
		{ "no blank", BYTES(HEADER_1 "VmFlags:\n"), "1000-3000 rw-p 0 0:0 0 [] flags=\n", 2,
		  0, 0, 0 },
		{ "many blanks", BYTES(HEADER_1 "VmFlags:   rd wr   \n"),
		  "1000-3000 rw-p 0 0:0 0 [] flags=rd wr\n", 2, 0, 0, 0 },
		{ "unnamed", BYTES(HEADER_1 "VmFlags: rd ?? \n"),
		  "1000-3000 rw-p 0 0:0 0 [] flags=rd ??\n", 2, 0, 0, 0 },
		{ "only in the first", BYTES(HEADER_1 "VmFlags: rd \n" HEADER_2),
		  "1000-3000 rw-p 0 0:0 0 [] flags=rd\n3000-7000 r-xp 1000 fe:1 4711 [/bin/x]\n", 3,
		  0, 0, 0 },
		{ "any byte", BYTES(HEADER_1 "VmFlags: \033[ r\xff \n"),
		  "1000-3000 rw-p 0 0:0 0 [] flags=\033[ r\xff\n", 2, 0, 0, 0 },
	};
	struct out text, want;

	(void)state;
	check_cases(cases, COUNT(cases));
	out_init_memory(&text);
	out_init_memory(&want);
	out_str(&text, HEADER_1 "VmFlags:");
	out_str(&want, "1000-3000 rw-p 0 0:0 0 [] flags=rd");
	for (unsigned i = 0; i < 200; i++)
		out_str(&text, " rd");
	out_str(&text, "\n");
	/* 85 codes and the blanks between them are 254 bytes of 256 */
	for (unsigned i = 1; i < 85; i++)
		out_str(&want, " rd");
	out_mem(&want, "\n", 2);
	check_cases(&(struct smaps_case){ "many", { text.buf, text.len }, want.buf, 2, 0, 0, 0 },
		    1);
	out_fini(&text);
	out_fini(&want);
}

/* More unknown keys than there are slots: counted as lost, the others hold their values. */
static void test_more_keys_than_slots(void **state)
{
	enum { MORE = 5, ALL = SMAPS_SLOTS - SMAPS_KNOWN + MORE };
	struct parsed parsed;
	struct out text;

	(void)state;
	out_init_memory(&text);
	for (int round = 0; round < 2; round++) {
		out_printf(&text, "%d000-%d000 r--p 0 0:0 0\n", round + 1, round + 2);
		for (int i = 0; i < ALL; i++)
			out_printf(&text, "%-16s%8d kB\n",
				   (char[]){ 'X', (char)('a' + i), ':', '\0' }, i);
		out_str(&text, "Rss:                   4 kB\n");
	}
	parsed_init(&parsed);
	parsed_feed(&parsed, (struct bytes){ text.buf, text.len }, WHOLE);
	assert_int_equal(parsed.keys.count, SMAPS_SLOTS);
	assert_int_equal(parsed.pass.malformed, 0);
	assert_true(parsed.keys.lost >= MORE);
	check_out("both", &parsed.out,
		  "1000-2000 r--p 0 0:0 0 [] rss=4096 xa=0 xb=1024 xc=2048 xd=3072 xe=4096 xf=5120 "
		  "xg=6144 xh=7168 xi=8192 xj=9216 xk=10240\n"
		  "2000-3000 r--p 0 0:0 0 [] rss=4096 xa=0 xb=1024 xc=2048 xd=3072 xe=4096 xf=5120 "
		  "xg=6144 xh=7168 xi=8192 xj=9216 xk=10240\n");
	parsed_fini(&parsed);
	out_fini(&text);
}

static int keep_first(void *ctx, struct vma *vma)
{
	struct vma *kept = ctx;

	if (!kept->end)
		*kept = *vma;
	return 0;
}

/* A value that does not fit, or is torn: the mapping is there, and its field has its place and a reason. */
static void test_unfit(void **state)
{
	static const char text[] = "1000-2000 r--p 0 00:00 0\n"
				   "Rss: 4 kB\nSwap: 18446744073709551615 kB\n"
				   "Pss: 18446744073709551616 kB\nLocked: 4 MB\nSwapPss: 4 kB\n";
	struct smaps_parser parser;
	struct smaps_keys keys;
	struct vma vma = { 0 };
	struct error err;

	(void)state;
	smaps_keys_init(&keys);
	smaps_parser_init(&parser, &keys, keep_first, &vma);
	smaps_parser_feed(&parser, text, sizeof(text) - 1);
	smaps_parser_finish(&parser);
	assert_int_equal(parser.pass.mappings, 1);
	assert_int_equal(parser.pass.malformed, 3);
	assert_int_equal(parser.pass.unfit, 3);
	assert_int_equal(parser.pass.first_unfit, 3);
	assert_int_equal(parser.pass.unfit_slot, SMAPS_SWAP);
	assert_int_equal(vma.have, 1ULL << SMAPS_RSS | 1ULL << SMAPS_SWAP_PSS);
	assert_string_equal(vma_absent(&vma, 1ULL << SMAPS_SWAP), value_overflow);
	assert_string_equal(vma_absent(&vma, 1ULL << SMAPS_PSS), value_overflow);
	assert_string_equal(vma_absent(&vma, 1ULL << SMAPS_LOCKED), "malformed");
	assert_int_equal(keys.ordered, 5);
	assert_int_equal(keys.order[1], SMAPS_SWAP);
	assert_int_equal(keys.order[3], SMAPS_LOCKED);
	smaps_malformed(&parser.pass, &keys, 5, "smaps", &err);
	assert_string_equal(err.text,
			    "5: smaps, line 3: Swap is torn or does not fit 64 bits (3 values "
			    "left out)");
	assert_string_equal(smaps_malformed_reason(&parser.pass), "malformed values were left out");
}

/* Only what is wanted is read of records that are laid out as the first: that, and nothing else. */
static void test_wanted(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_init(&parsed);
	parsed.keys.wanted = 1ULL << SMAPS_RSS | 1ULL << SMAPS_THP_ELIGIBLE;
	parsed_feed(&parsed, BYTES(HEADER_1 FIELDS_1 HEADER_2 FIELDS_2), WHOLE);
	check_out("wanted", &parsed.out,
		  DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] rss=12641974272 thp_eligible=0 "
			 "flags=rd ex mr mw me\n");
	assert_int_equal(parsed.pass.lines, 14);
	parsed_fini(&parsed);

	/* a line that is wanted and is not as it should be: the record is read line by line */
	parsed_init(&parsed);
	parsed.keys.wanted = 1ULL << SMAPS_RSS;
	parsed_feed(&parsed,
		    BYTES(HEADER_1 FIELDS_1 HEADER_2
			  "Size:                 16 kB\nKernelPageSize:        4 kB\n"
			  "Rss:            12345678 kX\nPss:                   0 kB\n"
			  "THPeligible:           0\nVmFlags: rd \n"),
		    WHOLE);
	check_out("torn", &parsed.out,
		  DUMP_1 "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] size=16384 kernel_page_size=4096 "
			 "pss=0 thp_eligible=0 flags=rd\n");
	assert_int_equal(parsed.pass.malformed, 1);
	assert_int_equal(first_bad(&parsed.pass), 11);
	parsed_fini(&parsed);
}

/*
 * A first record that is longer than any, of lines that are not wanted but one: nothing
 * beyond the end of the text may be read for the next one, where VmFlags stands 64 KiB before it.
 */
static void test_endless_first_record(void **state)
{
	enum { LINES = 65536 / 4 + 2 };
	struct parsed parsed;
	struct out text;

	(void)state;
	out_init_memory(&text);
	out_str(&text, HEADER_1);
	for (unsigned i = 0; i < LINES; i++)
		out_str(&text,
			i == 3 ? "Rss:                   4 kB\n" : "Pss:                   2 kB\n");
	out_str(&text, "VmFlags: rd \n" HEADER_2 "Rss:                   8 kB\n"
		       "Pss:                   6 kB\nVmFlags: wr \n");
	parsed_init(&parsed);
	parsed.keys.wanted = 1ULL << SMAPS_RSS;
	parsed_feed(&parsed, (struct bytes){ text.buf, text.len }, WHOLE);
	check_out("endless", &parsed.out,
		  "1000-3000 rw-p 0 0:0 0 [] rss=4096 pss=2048 flags=rd\n"
		  "3000-7000 r-xp 1000 fe:1 4711 [/bin/x] rss=8192 pss=6144 flags=wr\n");
	parsed_fini(&parsed);
	out_fini(&text);
}

/* The first record may be one that teaches nothing; the figures are the same. */
static void test_first_irregular(void **state)
{
	static const char *const firsts[] = {
		"Size:           123456789 kB\n",
		"Size: 8 kB\n",
		"Size:                  8\n",
		"Rubbish\n",
		"Note: text\n",
		"",
	};
	char text[2048], want[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(firsts); i++) {
		struct parsed parsed;
		int len = snprintf(text, sizeof(text), "500-600 r--p 0 0:0 0\n%s%s", firsts[i],
				   HEADER_1 FIELDS_1 HEADER_2 FIELDS_2);

		snprintf(want, sizeof(want), "500-600 r--p 0 0:0 0 []%s\n%s",
			 i == 0 ? " size=126419751936" :
			 i == 1 ? " size=8192" :
				  "",
			 DUMP_1 DUMP_2);
		parsed_init(&parsed);
		parsed_feed(&parsed, (struct bytes){ text, (size_t)len }, WHOLE);
		check_out(firsts[i], &parsed.out, want);
		parsed_fini(&parsed);
	}
}

/* What is said to be the same as the record before has to be the same, and everything has to be right. */
static void check_alike(const char *name, struct bytes text, size_t piece, struct out *want)
{
	struct parsed parsed;

	parsed_init(&parsed);
	parsed_feed(&parsed, text, piece);
	/* byte by byte no record is seen whole, so nothing is compared */
	if (piece == 1)
		out_mem(want, parsed.out.buf, parsed.out.len);
	check_bytes(name, (struct bytes){ parsed.out.buf, parsed.out.len },
		    (struct bytes){ want->buf, want->len });
	assert_int_equal(parsed.wrong_same, 0);
	parsed_fini(&parsed);
}

/*
 * Records whose figures are alike, with one among them that is not: its figures may not show up in
 * the next, wherever the text is cut and whatever makes the odd one odd.
 */
static void test_alike(void **state)
{
	static const char *const odd[] = {
		"Size:                  4 kB\nRss:                   8 kB\nPss:                   8 kB\n"
		"VmFlags: rd \n",
		"Size:                  4 kB\nRss:           123456789 kB\nPss:                   8 kB\n"
		"VmFlags: rd \n",
		"Size:                  4 kB\nPss:                   8 kB\nRss:                   8 kB\n"
		"VmFlags: rd \n",
		"Size:                  4 kB\nRss:                   8\nPss:                   8 kB\n"
		"VmFlags: rd \n",
		"Rss:                   8 kB\nVmFlags: rd \n",
		"Size:                  4 kB\nRss:                   4 kB\nPss:                   2 kB\n"
		"VmFlags: rd \nRss:                   8 kB\n",
		"VmFlags: rd \n",
		"",
	};
	static const char alike[] = "Size:                  4 kB\nRss:                   4 kB\n"
				    "Pss:                   2 kB\nVmFlags: rd \n";
	struct out text, want;

	(void)state;
	out_init_memory(&text);
	out_init_memory(&want);
	for (size_t i = 0; i < COUNT(odd); i++) {
		text.len = want.len = 0;
		for (unsigned k = 1; k <= 4; k++)
			out_printf(&text, "%x000-%x000 r--p 0 0:0 0 \n%s", k, k + 1,
				   k == 3 ? odd[i] : alike);
		for (size_t piece = 1; piece < text.len + 2; piece++)
			check_alike(odd[i], (struct bytes){ text.buf, text.len }, piece, &want);
	}
	out_fini(&text);
	out_fini(&want);
}

/* The first line is that of the size, which is not compared: any other first line is. */
static void test_alike_but_the_first(void **state)
{
	static const struct smaps_case c = {
		"first",
		BYTES_INIT("1000-2000 r--p 0 0:0 0 \nRss:                   4 kB\n"
			   "Size:                  4 kB\nVmFlags: rd \n"
			   "2000-3000 r--p 0 0:0 0 \nRss:                   8 kB\n"
			   "Size:                  4 kB\nVmFlags: rd \n"
			   "3000-4000 r--p 0 0:0 0 \nRss:                  12 kB\n"
			   "Size:                  4 kB\nVmFlags: rd \n"),
		"1000-2000 r--p 0 0:0 0 [] size=4096 rss=4096 flags=rd\n"
		"2000-3000 r--p 0 0:0 0 [] size=4096 rss=8192 flags=rd\n"
		"3000-4000 r--p 0 0:0 0 [] size=4096 rss=12288 flags=rd\n",
		12,
		0,
		0,
		0,
	};

	(void)state;
	check_cases(&c, 1);
}

/* The rollup of all mappings is a record like any other. */
static void test_rollup(void **state)
{
	static const struct smaps_case rollup = {
		"rollup",
		BYTES("55d0c0a00000-7ffd5e7d8000 ---p 00000000 00:00 0"
		      "                          [rollup]\n"
		      "Rss:                3456 kB\nPss_Anon:             12 kB\n"),
		"55d0c0a00000-7ffd5e7d8000 ---p 0 0:0 0 [[rollup]] rss=3538944 pss_anon=12288\n",
		3,
		0,
		0,
		0,
	};

	(void)state;
	check_cases(&rollup, 1);
}

static void test_stop(void **state)
{
	struct parsed parsed;

	(void)state;
	for (size_t piece = 1; piece < 300; piece++) {
		parsed_init(&parsed);
		parsed.stop_after = 1;
		parsed_feed(&parsed,
			    BYTES(HEADER_1 FIELDS_1 HEADER_2 FIELDS_2 "8000-9000 r--p 0 0:0 0\n"),
			    piece);
		check_out("stopped", &parsed.out, DUMP_1);
		assert_int_equal(parsed.rc, 17);
		assert_int_equal(parsed.pass.mappings, 1);
		parsed_fini(&parsed);
	}
}

/* Any path length up to what is kept and beyond: true length, the first bytes, deleted seen. */
static void test_path_lengths(void **state)
{
	static const size_t lengths[] = { 1, 4085, 4086, 4087, 4095, 4096, 4097, 4106, 4107, 50000 };
	struct parsed parsed;
	struct out text, want;

	(void)state;
	out_init_memory(&text);
	out_init_memory(&want);
	for (size_t i = 0; i < 2 * COUNT(lengths); i++) {
		size_t len = lengths[i / 2], kept = len < 4096 ? len : 4096;

		out_str(&text, "1000-2000 r--p 0 0:0 1 ");
		out_pad(&text, 'p', len);
		out_str(&text, i % 2 ? " (deleted)\n" : "\n");
		out_str(&want, "1000-2000 r--p 0 0:0 1 [");
		out_pad(&want, 'p', kept);
		out_str(&want, i % 2 ? "] deleted" : "]");
		if (kept < len)
			out_printf(&want, " len=%zu", len);
		out_mem(&want, "\n", 2);
		parsed_init(&parsed);
		parsed_feed(&parsed, (struct bytes){ text.buf, text.len }, 10007);
		check_out("path", &parsed.out, want.buf);
		parsed_fini(&parsed);
		text.len = want.len = 0;
	}
	out_fini(&text);
	out_fini(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_malformed_fields),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_odd_shapes),
		cmocka_unit_test(test_stray_lines),
		cmocka_unit_test(test_vm_flags),
		cmocka_unit_test(test_more_keys_than_slots),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_endless_first_record),
		cmocka_unit_test(test_first_irregular),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_alike_but_the_first),
		cmocka_unit_test(test_rollup),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_path_lengths),
	};

	return cmocka_run_group_tests_name("smaps", tests, NULL, NULL);
}
