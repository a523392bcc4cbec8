# SPDX-License-Identifier: GPL-2.0-or-later
#
# Not built by `make`.

BENCH_TOOLS = \
	bench/bigrss \
	bench/forktree \
	bench/manyprocs \
	bench/manyvmas \
	bench/pairs \
	bench/readloop \
	bench/sparse
EXTRA_PROGRAMS += $(BENCH_TOOLS)
CLEANFILES += $(BENCH_TOOLS)

BENCH_GENERATOR = bench/gen.c bench/gen.h bench/probe.c bench/probe.h
bench_bigrss_SOURCES = bench/bigrss.c $(BENCH_GENERATOR)
bench_bigrss_LDADD =
bench_forktree_SOURCES = bench/forktree.c $(BENCH_GENERATOR)
bench_forktree_LDADD =
bench_manyprocs_SOURCES = bench/manyprocs.c $(BENCH_GENERATOR)
bench_manyprocs_LDADD =
bench_manyvmas_SOURCES = bench/manyvmas.c $(BENCH_GENERATOR)
bench_manyvmas_LDADD =
bench_pairs_SOURCES = bench/pairs.c
bench_pairs_LDADD =
bench_readloop_SOURCES = bench/readloop.c bench/readpages.c bench/readpages.h
bench_readloop_LDADD =
bench_sparse_SOURCES = bench/sparse.c $(BENCH_GENERATOR)
bench_sparse_LDADD =
