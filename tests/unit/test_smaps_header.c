/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/smaps_header.h"

#include <stdio.h>

#include "smaps_case.h"
#include "unit.h"

#define HEADER_1 "00001000-00003000 rw-p 00000000 00:00 0 \n"

#define BLANKS_32 "                                "
#define NAME_73   "00400000-00401000 r--p 00000000 00:00 7" BLANKS_32 "  "

static void test_headers(void **state)
{
	static const struct smaps_case cases[] = {
		{ "nothing", BYTES(""), "", 0, 0, 0, 0 },
		{ "one", BYTES("1000-2000 rwxs 10 08:0f 18446744073709551615\n"),
		  "1000-2000 rwxs 10 8:f 18446744073709551615 []\n", 1, 0, 0, 0 },
		{ "no name, a blank", BYTES(HEADER_1), "1000-3000 rw-p 0 0:0 0 []\n", 1, 0, 0, 0 },
		{ "vsyscall",
		  BYTES("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0"
			"                  [vsyscall]\n"),
		  "ffffffffff600000-ffffffffff601000 --xp 0 0:0 0 [[vsyscall]]\n", 1, 0, 0, 0 },
		{ "up to the top", BYTES("fffffffffffff000-ffffffffffffffff ---p 0 0:0 0\n"),
		  "fffffffffffff000-ffffffffffffffff ---p 0 0:0 0 []\n", 1, 0, 0, 0 },
		{ "greatest numbers", BYTES("1-2 -w-p ffffffffffffffff ffffffff:ffffffff 1 x\n"),
		  "1-2 -w-p ffffffffffffffff ffffffff:ffffffff 1 [x]\n", 1, 0, 0, 0 },
		{ "name at its column", BYTES(NAME_73 "a\n"), "400000-401000 r--p 0 0:0 7 [a]\n", 1,
		  0, 0, 0 },
		{ "a name's own blanks", BYTES(NAME_73 "  a  b  \n"),
		  "400000-401000 r--p 0 0:0 7 [  a  b  ]\n", 1, 0, 0, 0 },
		{ "header longer than the column",
		  BYTES("ffffffffff600000-ffffffffff601000 r--p ffffffff00000000 00:00 "
			"12345678901234567  b\n"),
		  "ffffffffff600000-ffffffffff601000 r--p ffffffff00000000 0:0 12345678901234567 [ b]\n",
		  1, 0, 0, 0 },
		{ "deleted", BYTES("1-2 r--p 0 0:0 1 /a (deleted)\n"),
		  "1-2 r--p 0 0:0 1 [/a] deleted\n", 1, 0, 0, 0 },
		{ "deleted twice", BYTES("1-2 r--p 0 0:0 1 /a (deleted) (deleted)\n"),
		  "1-2 r--p 0 0:0 1 [/a (deleted)] deleted\n", 1, 0, 0, 0 },
		{ "not quite deleted", BYTES("1-2 r--p 0 0:0 1 /a(deleted)\n"),
		  "1-2 r--p 0 0:0 1 [/a(deleted)]\n", 1, 0, 0, 0 },
		{ "only deleted", BYTES(NAME_73 " (deleted)\n"),
		  "400000-401000 r--p 0 0:0 7 [ (deleted)]\n", 1, 0, 0, 0 },
		{ "deleted inside", BYTES("1-2 r--p 0 0:0 1 /a (deleted) b\n"),
		  "1-2 r--p 0 0:0 1 [/a (deleted) b]\n", 1, 0, 0, 0 },
		{ "no newline at the end is no line", BYTES("1-2 r--p 0 0:0 1 /a"), "", 0, 0, 0,
		  0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

#define MANY "7ffff0000000-7ffff0001000 rw-p 00000000 00:00 0 \n"
#define MANY_DUMP "7ffff0000000-7ffff0001000 rw-p 0 0:0 0 []\n"
#define NONE " 00000000 00:00 0 \n"

/* Headers without a file are read in one step where their addresses have twelve digits. */
static void test_quick_headers(void **state)
{
	static const struct smaps_case cases[] = {
		{ "behind and apart from each other",
		  BYTES(MANY "7ffff0001000-7ffff0002000 r--p" NONE
			     "7ffff000a000-7ffff000b000 -wxs" NONE
			     "7ffffffff000-800000000000 ---s" NONE
			     "a00000000000-afedcba98000 rwxp" NONE),
		  MANY_DUMP "7ffff0001000-7ffff0002000 r--p 0 0:0 0 []\n"
			    "7ffff000a000-7ffff000b000 -wxs 0 0:0 0 []\n"
			    "7ffffffff000-800000000000 ---s 0 0:0 0 []\n"
			    "a00000000000-afedcba98000 rwxp 0 0:0 0 []\n",
		  5, 0, 0, 0 },
		{ "fewer and more digits",
		  BYTES("00001000-00003000 rw-p" NONE MANY
			"ffffffffff600000-ffffffffff601000 --xp" NONE),
		  "1000-3000 rw-p 0 0:0 0 []\n" MANY_DUMP
		  "ffffffffff600000-ffffffffff601000 --xp 0 0:0 0 []\n",
		  3, 0, 0, 0 },
		{ "other forms",
		  BYTES(MANY "7ffff0001000-7ffff0002000 rw-p 00000000 00:00 0\n"
			     "7ffff0002000-7ffff0003000 rw-p 00000000 00:00 0 x\n"
			     "7ffff0003000-7ffff0004000 rw-p 00000000 00:00 0  \n"
			     "7ffff0004000-7ffff0005000 rw-p 00000001 00:00 0 \n"
			     "7ffff0005000-7ffff0006000 rw-p 00000000 00:01 0 \n"
			     "7ffff0006000-7ffff0007000 rw-p 00000000 00:00 1 \n"),
		  MANY_DUMP "7ffff0001000-7ffff0002000 rw-p 0 0:0 0 []\n"
			    "7ffff0002000-7ffff0003000 rw-p 0 0:0 0 [x]\n"
			    "7ffff0003000-7ffff0004000 rw-p 0 0:0 0 []\n"
			    "7ffff0004000-7ffff0005000 rw-p 1 0:0 0 []\n"
			    "7ffff0005000-7ffff0006000 rw-p 0 0:1 0 []\n"
			    "7ffff0006000-7ffff0007000 rw-p 0 0:0 1 []\n",
		  7, 0, 0, 0 },
		{ "no mapping",
		  BYTES(MANY
			"7ffff0002000-7ffff0002000 rw-p" NONE "7ffff0003000-7ffff0002000 rw-p" NONE
			"7ffff000200g-7ffff0003000 rw-p" NONE "7ffff0002000-7ffff000300: rw-p" NONE
			"7ffff0002000 7ffff0003000 rw-p" NONE "7ffff0002000-7ffff0003000-rw-p" NONE
			"7ffff0002000-7ffff0003000 rx-p" NONE "7ffff0002000-7ffff0003000 rw-q" NONE
			"7ffff0002000-7ffff0003000 qw-p" NONE "7ffff0002000-7ffff0003000 rwXp" NONE
			"7ffff0002000-7ffff0003000 rw-p 00000000 00:00 q\n"),
		  MANY_DUMP, 12, 11, 2, 0 },
		{ "the same and overlapping",
		  BYTES(MANY MANY "7ffff0000800-7ffff0002000 rw-p" NONE),
		  MANY_DUMP "7ffff0001000-7ffff0002000 rw-p 0 0:0 0 [] changed\n", 3, 0, 0, 2 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

/* So are those of the file that the header before had. */
static void test_quick_files(void **state)
{
	static const struct smaps_case cases[] = {
		{ "the file before, and others",
		  BYTES("7fffe0000000-7fffe0001000 r--p 00001000 08:01 1                  /a\n"
			"7fffe0001000-7fffe0002000 rw-s 89abcdef 08:01 1                  /a\n"
			"7fffe0002000-7fffe0003000 r--p 1abcdef00 08:01 1                  /a\n"
			"7fffe0003000-7fffe0004000 r--p 00001000 08:01 1                  /a \n"
			"7fffe0004000-7fffe0005000 r--p 00001000 08:01 1                  /b\n"
			"7fffe0005000-7fffe0006000 r--p 00001000 08:01 1                  /\n"
			"7fffe0006000-7fffe0007000 r--p 00001000 08:01 2                  /\n"
			"7fffe0007000-7fffe0008000 r--p 00001000 08:02 2                  /\n"
			"7fffe0008000-7fffe0009000 r--p 0000100g 08:02 2                  /\n"
			"7fffe0008000-7fffe0009000 r--p-00001000 08:02 2                  /\n"
			"7fffe0009000-7fffe000a000 r--p 00001000 08:02 2                  /\n"),
		  "7fffe0000000-7fffe0001000 r--p 1000 8:1 1 [/a]\n"
		  "7fffe0001000-7fffe0002000 rw-s 89abcdef 8:1 1 [/a]\n"
		  "7fffe0002000-7fffe0003000 r--p 1abcdef00 8:1 1 [/a]\n"
		  "7fffe0003000-7fffe0004000 r--p 1000 8:1 1 [/a ]\n"
		  "7fffe0004000-7fffe0005000 r--p 1000 8:1 1 [/b]\n"
		  "7fffe0005000-7fffe0006000 r--p 1000 8:1 1 [/]\n"
		  "7fffe0006000-7fffe0007000 r--p 1000 8:1 2 [/]\n"
		  "7fffe0007000-7fffe0008000 r--p 1000 8:2 2 [/]\n"
		  "7fffe0009000-7fffe000a000 r--p 1000 8:2 2 [/]\n",
		  11, 2, 9, 0 },
		{ "between those of files",
		  BYTES("7fffe0000000-7fffe0001000 r--p 00001000 08:01 1      /a (deleted)\n" MANY
			"7ffff0001000-7ffff0002000 r--p 00001000 08:01 1      /a (deleted)\n"),
		  "7fffe0000000-7fffe0001000 r--p 1000 8:1 1 [/a] deleted\n" MANY_DUMP
		  "7ffff0001000-7ffff0002000 r--p 1000 8:1 1 [/a] deleted\n",
		  3, 0, 0, 0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

static void test_any_byte(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_init(&parsed);
	parsed_feed(&parsed, BYTES(NAME_73 "\033\0\xff\t\r\\012\n"), 5);
	check_bytes("bytes", (struct bytes){ parsed.out.buf, parsed.out.len },
		    BYTES("400000-401000 r--p 0 0:0 7 [\033\0\xff\t\r\\012]\n"));
	parsed_fini(&parsed);
}

#define LONG \
	"/a name that is longer than what is kept of one, which is less than two hundred bytes, "
#define ZEROES "00000000000000000000000000000000000000000000000000000000000000000000000000000000"

/* What a header says of its file is kept for the next one, and taken only where nothing differs. */
static void test_same_file(void **state)
{
	static const struct smaps_case cases[] = {
		{ "again, also behind another",
		  BYTES("1-2 r--p 0 8:1 1 /a\n2-3 r--p 1 8:1 1 /a\n"
			"3-4 rw-p 00000000 00:00 0 \n4-5 rw-p 2 8:1 1 /a\n"),
		  "1-2 r--p 0 8:1 1 [/a]\n2-3 r--p 1 8:1 1 [/a]\n"
		  "3-4 rw-p 0 0:0 0 []\n4-5 rw-p 2 8:1 1 [/a]\n",
		  4, 0, 0, 0 },
		{ "another inode, name, device",
		  BYTES("1-2 r--p 0 8:1 1 /a\n2-3 r--p 0 8:1 2 /a\n"
			"3-4 r--p 0 8:1 2 /b\n4-5 r--p 0 8:2 2 /b\n"),
		  "1-2 r--p 0 8:1 1 [/a]\n2-3 r--p 0 8:1 2 [/a]\n"
		  "3-4 r--p 0 8:1 2 [/b]\n4-5 r--p 0 8:2 2 [/b]\n",
		  4, 0, 0, 0 },
		{ "deleted",
		  BYTES("1-2 r--p 0 8:1 1 /a (deleted)\n2-3 r--p 0 8:1 1 /a (deleted)\n"
			"3-4 r--p 0 8:1 1 /a\n"),
		  "1-2 r--p 0 8:1 1 [/a] deleted\n2-3 r--p 0 8:1 1 [/a] deleted\n"
		  "3-4 r--p 0 8:1 1 [/a]\n",
		  3, 0, 0, 0 },
		/* the same text further right: fewer of its blanks are in front of the name */
		{ "elsewhere in the line",
		  BYTES("00001000-00002000 r--p 00000000 00:00 7" BLANKS_32 "   a\n"
			"100000000-100001000 r--p 00000000 00:00 7" BLANKS_32 "   a\n"),
		  "1000-2000 r--p 0 0:0 7 [ a]\n100000000-100001000 r--p 0 0:0 7 [   a]\n", 2, 0, 0,
		  0 },
		{ "256 digits further left",
		  BYTES(ZEROES ZEROES ZEROES "00000000000000001-2 r--p 0 0:0 7      a\n"
					     "2-3 r--p 0 0:0 7      a\n"),
		  "1-2 r--p 0 0:0 7 [     a]\n2-3 r--p 0 0:0 7 [a]\n", 2, 0, 0, 0 },
		{ "too long to be kept",
		  BYTES("1-2 r--p 0 8:1 1 " LONG LONG LONG "\n2-3 r--p 0 8:1 1 " LONG LONG LONG
			"\n"),
		  "1-2 r--p 0 8:1 1 [" LONG LONG LONG "]\n2-3 r--p 0 8:1 1 [" LONG LONG LONG "]\n",
		  2, 0, 0, 0 },
		{ "what was no mapping is not kept",
		  BYTES("1-2 r--p 0 8:1 x /a\n2-3 r--p 0 8:1 x /a\n"
			"3-4 r--p 0 100000000:1 1 /a\n4-5 r--p 0 100000000:1 1 /a\n"),
		  "", 4, 4, 1, 0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

/* What cannot be a mapping is counted and skipped, and what follows is read. */
static void test_malformed_headers(void **state)
{
	static const char *const lines[] = {
		"1000",
		"1000-",
		"1000-2000",
		"1000-2000 ",
		"1000-2000 r--",
		"1000-2000 r--p",
		"1000-2000 r--p 0",
		"1000-2000 r--p 0 0:0",
		"1000-2000 r--p 0 0:0 ",
		"1000-2000 r--p 0 0:0 x",
		"1000-2000 r--p 0 00 0",
		"1000-2000 R--p 0 0:0 0",
		"1000-2000 r--x 0 0:0 0",
		"1000-2000 r--- 0 0:0 0",
		"1000-2000 wr-p 0 0:0 0",
		"1000 2000 r--p 0 0:0 0",
		"1000-2000\tr--p 0 0:0 0",
		"2000-1000 r--p 0 0:0 0",
		"1000-1000 r--p 0 0:0 0",
		"0-0 r--p 0 0:0 0",
		"10000000000000000-20000000000000000 r--p 0 0:0 0",
		"1000-20000000000000000 r--p 0 0:0 0",
		"1000-2000 r--p 10000000000000000 0:0 0",
		"1000-2000 r--p 0 100000000:0 0",
		"1000-2000 r--p 0 0:100000000 0",
		"1000-2000 r--p 0 0:0 18446744073709551616",
		"f",
		"0",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		int len = snprintf(text, sizeof(text),
				   "100-200 r--p 0 0:0 0 a\n%s\n3000-4000 r--p 0 0:0 0 b\n",
				   lines[i]);
		struct smaps_case c = {
			lines[i],
			{ text, (size_t)len },
			"100-200 r--p 0 0:0 0 [a]\n3000-4000 r--p 0 0:0 0 [b]\n",
			3,
			1,
			2,
			0,
		};

		check_cases(&c, 1);
	}
}

static void test_overlaps(void **state)
{
	static const struct smaps_case cases[] = {
		{ "repeated", BYTES("1000-2000 r--p 0 0:0 0\n1000-2000 r--p 0 0:0 0\n"),
		  "1000-2000 r--p 0 0:0 0 []\n", 2, 0, 0, 1 },
		{ "inside", BYTES("1000-4000 r--p 0 0:0 0\n2000-3000 r--p 0 0:0 0\n"),
		  "1000-4000 r--p 0 0:0 0 []\n", 2, 0, 0, 1 },
		{ "backwards", BYTES("3000-4000 r--p 0 0:0 0\n1000-2000 r--p 0 0:0 0\n"),
		  "3000-4000 r--p 0 0:0 0 []\n", 2, 0, 0, 1 },
		{ "over the end",
		  BYTES("1000-3000 r--p 0 0:0 0\n2000-5000 rw-p 0 0:0 0\n"
			"5000-6000 r--p 0 0:0 0\n"),
		  "1000-3000 r--p 0 0:0 0 []\n3000-5000 rw-p 0 0:0 0 [] changed\n"
		  "5000-6000 r--p 0 0:0 0 []\n",
		  3, 0, 0, 1 },
		/* the file's offset moves with the start; memory without a file has none */
		{ "of a file", BYTES("1000-3000 r--p 0 0:0 0\n2000-5000 rw-p 7000 8:1 42 f\n"),
		  "1000-3000 r--p 0 0:0 0 []\n3000-5000 rw-p 8000 8:1 42 [f] changed\n", 2, 0, 0,
		  1 },
		{ "twice",
		  BYTES("1000-3000 r--p 0 0:0 0\n1000-4000 r--p 0 0:0 0\n"
			"1000-5000 r--p 0 0:0 0\n"),
		  "1000-3000 r--p 0 0:0 0 []\n3000-4000 r--p 0 0:0 0 [] changed\n"
		  "4000-5000 r--p 0 0:0 0 [] changed\n",
		  3, 0, 0, 2 },
		{ "to the top and again",
		  BYTES("1000-ffffffffffffffff r--p 0 0:0 0\n0-ffffffffffffffff r--p 0 0:0 0\n"),
		  "1000-ffffffffffffffff r--p 0 0:0 0 []\n", 2, 0, 0, 1 },
		{ "touching", BYTES("1000-2000 r--p 0 0:0 0\n2000-3000 r--p 0 0:0 0\n"),
		  "1000-2000 r--p 0 0:0 0 []\n2000-3000 r--p 0 0:0 0 []\n", 2, 0, 0, 0 },
		{ "malformed is not before",
		  BYTES("9000-8000 r--p 0 0:0 0\n2000-3000 r--p 0 0:0 0\n"),
		  "2000-3000 r--p 0 0:0 0 []\n", 2, 1, 1, 0 },
	};

	(void)state;
	check_cases(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),	    cmocka_unit_test(test_quick_headers),
		cmocka_unit_test(test_quick_files), cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_same_file),   cmocka_unit_test(test_malformed_headers),
		cmocka_unit_test(test_overlaps),
	};

	return cmocka_run_group_tests_name("smaps_header", tests, NULL, NULL);
}
