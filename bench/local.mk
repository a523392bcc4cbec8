# SPDX-License-Identifier: GPL-2.0-or-later
#
# Built by `make bench` alone. make bench BENCH='map-60k stall-*' runs some of the cases.

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

EXTRA_DIST += bench/README.md bench/cases.py bench/measure.py bench/run

# In a build with sanitizers the figures would say nothing.
bench: all-am $(BENCH_TOOLS)
	@case "$(MODE_CFLAGS)" in *sanitize*) echo 'bench: not with sanitizers' >&2; exit 1 ;; esac
	@set -f; $(PYTHON3) $(srcdir)/bench/run --builddir=. $(BENCH)

.PHONY: bench
