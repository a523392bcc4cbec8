/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bigrss [-H] [-R] [-P] SIZE: SIZE (GiB by default) of touched anonymous memory in one mapping.
 *   -H  of huge pages (MADV_HUGEPAGE), else of 4 KiB pages
 *   -R  touched in random order, so that neighbours in the address space are no neighbours in
 *       memory: an aged heap
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void touch_in_order(char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		*(uint64_t *)(p + i * PAGE) = i | 1;
}

static void touch_at_random(char *p, size_t pages)
{
	uint32_t *order = malloc(pages * sizeof(*order));
	uint64_t random = 88172645463325252ull;

	if (!order)
		gen_die("out of memory");
	for (size_t i = 0; i < pages; i++)
		order[i] = (uint32_t)i;
	for (size_t i = pages; i-- > 1;) {
		uint32_t other = order[i];
		size_t j;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		j = random % (i + 1);
		order[i] = order[j];
		order[j] = other;
	}
	for (size_t i = 0; i < pages; i++)
		*(uint64_t *)(p + (size_t)order[i] * PAGE) = i | 1;
	free(order);
}

int main(int argc, char **argv)
{
	bool huge = false, random = false;
	struct gen gen;
	size_t bytes;
	char *p;
	int o;

	gen_init(&gen, "bigrss [-H] [-R] [-P [-u PAUSE_US]] SIZE[k|m|g|t]");
	while ((o = getopt(argc, argv, "HR" GEN_OPTIONS)) != -1) {
		if (o == 'H')
			huge = true;
		else if (o == 'R')
			random = true;
		else
			gen_option(&gen, o, optarg);
	}
	if (optind + 1 != argc)
		gen_usage(&gen);
	bytes = gen_size(argv[optind], GIB);
	p = gen_map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	madvise(p, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (random)
		touch_at_random(p, bytes / PAGE);
	else
		touch_in_order(p, bytes / PAGE);
	/* dropping pages of a huge one would split it */
	gen_probe(&gen, huge ? NULL : p, bytes);
	gen_ready("bytes=%zu start=%p huge=%d", bytes, (void *)p, huge);
	gen_wait(&gen);
	return 0;
}
