/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sparse [-n PAGES] [-P] SIZE: SIZE (TiB by default) of reserved memory in one mapping, with PAGES
 * (default 4096) touched pages spread evenly over it. 20t is what AddressSanitizer reserves.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t bytes, step, touched = 4096;
	struct gen gen;
	char *p;
	int o;

	gen_init(&gen, "sparse [-n PAGES] [-P [-u PAUSE_US]] SIZE[k|m|g|t]");
	while ((o = getopt(argc, argv, "n:" GEN_OPTIONS)) != -1) {
		if (o == 'n')
			touched = gen_count(optarg);
		else
			gen_option(&gen, o, optarg);
	}
	if (optind + 1 != argc)
		gen_usage(&gen);
	bytes = gen_size(argv[optind], TIB);
	step = bytes / touched & ~(PAGE - 1);
	if (!step)
		gen_die("more pages than memory");
	p = gen_map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	madvise(p, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < touched; i++)
		p[i * step] = 1;
	gen_probe(&gen, NULL, 0);
	gen_ready("bytes=%zu start=%p touched=%zu", bytes, (void *)p, touched);
	gen_wait(&gen);
	return 0;
}
