/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunks SIZE: SIZE (GiB by default) of the heap in chunks of 64 bytes, none of them freed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	enum { CHUNK = 64, USER = CHUNK - sizeof(size_t) };
	struct gen gen;
	size_t count;
	int o;

	gen_init(&gen, "chunks [-P [-u PAUSE_US]] SIZE[k|m|g|t]");
	while ((o = getopt(argc, argv, GEN_OPTIONS)) != -1)
		gen_option(&gen, o, optarg);
	if (optind + 1 != argc)
		gen_usage(&gen);
	count = gen_size(argv[optind], GIB) / CHUNK;
	/* they are what is measured: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	for (size_t i = 0; i < count; i++) {
		volatile char *chunk = malloc(USER);

		if (!chunk)
			gen_die("no memory");
		*chunk = 1;
	}
	gen_probe(&gen, NULL, 0);
	gen_ready("chunks=%zu", count);
	gen_wait(&gen);
	return 0;
}
