/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/picture.h"

#include "unit.h"

static const struct picture_use uses[] = {
	{ 'a', 32, "anonymous", 3 },
	{ '.', 0, "free", 5 },
	{ 'f', 33, "file", 0 },
	{ ' ', 0, "hole", 12 },
};

static struct picture picture_of(const char *cells)
{
	return (struct picture){
		.cells = cells,
		.count = strlen(cells),
		.cell_bytes = 2 << 20,
		.uses = uses,
		.use_count = COUNT(uses),
		.columns = 4,
	};
}

static void test_rows(void **state)
{
	struct picture picture = picture_of("aa..    "
					    "    . .a..");
	struct out out;

	(void)state;
	out_init_memory(&out);
	picture_write(&out, &picture);
	check_out("rows", &out,
		  "000000000000 aa..\n"
		  "             16M without memory\n"
		  "000001800000 . .a\n"
		  "000002000000 ..\n"
		  "\n"
		  "a cell is 2.0M by its greatest use:\n"
		  "  a anonymous         . free            \n");
	out_fini(&out);
}

static void test_color(void **state)
{
	struct picture picture = picture_of("a.aa");
	struct out out;

	(void)state;
	out_init_memory(&out);
	picture.color = true;
	picture_write(&out, &picture);
	check_out("color", &out,
		  "000000000000 \033[32ma\033[0m.\033[32maa\033[0m\n"
		  "\n"
		  "a cell is 2.0M by its greatest use:\n"
		  "  \033[32ma\033[0m anonymous         . free            \n");
	out_fini(&out);
}

static void test_columns(void **state)
{
	static const struct {
		size_t width, columns;
	} cases[] = { { 0, 64 },  { 20, 16 },  { 44, 16 },   { 45, 32 },
		      { 80, 64 }, { 140, 64 }, { 141, 128 }, { 4096, 2048 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(picture_columns(cases[i].width), cases[i].columns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
