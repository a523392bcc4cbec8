# SPDX-License-Identifier: GPL-2.0-or-later
#
# make bench BENCH='map-60k stall-*' runs some of the cases. `make check` tries the instruments.

BENCH_TOOLS = \
	bench/bigrss \
	bench/chunks \
	bench/faulter \
	bench/forktree \
	bench/manylibs \
	bench/manyprocs \
	bench/manyvmas \
	bench/pairs \
	bench/readloop \
	bench/sample.so \
	bench/sparse
check_PROGRAMS += $(BENCH_TOOLS)
check_LIBRARIES += bench/libgen.a

# Never with sanitizers, which reserve 20 TiB: targets hold what they say and nothing else, and the
# peak memory of what pairs starts begins with its own.
BENCH_PLAIN = -std=gnu17 $(WARN_CFLAGS)

bench_libgen_a_SOURCES = bench/gen.c bench/gen.h bench/probe.c bench/probe.h
bench_libgen_a_CFLAGS = $(BENCH_PLAIN)

bench_bigrss_SOURCES = bench/bigrss.c
bench_bigrss_CFLAGS = $(BENCH_PLAIN)
bench_bigrss_LDFLAGS =
bench_bigrss_LDADD = bench/libgen.a
bench_chunks_SOURCES = bench/chunks.c
bench_chunks_CFLAGS = $(BENCH_PLAIN)
bench_chunks_LDFLAGS =
bench_chunks_LDADD = bench/libgen.a
bench_faulter_SOURCES = bench/faulter.c
bench_faulter_CFLAGS = $(BENCH_PLAIN)
bench_faulter_LDFLAGS =
bench_faulter_LDADD = bench/libgen.a
bench_forktree_SOURCES = bench/forktree.c
bench_forktree_CFLAGS = $(BENCH_PLAIN)
bench_forktree_LDFLAGS =
bench_forktree_LDADD = bench/libgen.a
bench_manylibs_SOURCES = bench/manylibs.c
bench_manylibs_CFLAGS = $(BENCH_PLAIN)
bench_manylibs_LDFLAGS =
bench_manylibs_LDADD = bench/libgen.a
bench_manyprocs_SOURCES = bench/manyprocs.c
bench_manyprocs_CFLAGS = $(BENCH_PLAIN)
bench_manyprocs_LDFLAGS =
bench_manyprocs_LDADD = bench/libgen.a
bench_manyvmas_SOURCES = bench/manyvmas.c
bench_manyvmas_CFLAGS = $(BENCH_PLAIN)
bench_manyvmas_LDFLAGS =
bench_manyvmas_LDADD = bench/libgen.a
bench_pairs_SOURCES = bench/pairs.c
bench_pairs_CFLAGS = $(BENCH_PLAIN)
bench_pairs_LDFLAGS =
bench_pairs_LDADD =
bench_readloop_SOURCES = bench/readloop.c bench/readelf.c bench/readelf.h bench/readpages.c \
	bench/readpages.h
bench_readloop_LDADD =
# Not a program, but a library that manylibs copies.
bench_sample_so_SOURCES = bench/sample.c bench/sample.h
bench_sample_so_CFLAGS = $(BENCH_PLAIN) -fPIC
bench_sample_so_LDFLAGS = -shared
bench_sample_so_LDADD =
bench_sparse_SOURCES = bench/sparse.c
bench_sparse_CFLAGS = $(BENCH_PLAIN)
bench_sparse_LDFLAGS =
bench_sparse_LDADD = bench/libgen.a

EXTRA_DIST += bench/README.md bench/cases.py bench/measure.py bench/run

# Of a vmview with sanitizers the figures would say nothing.
bench: all-am $(BENCH_TOOLS)
	@case "$(MODE_CFLAGS)" in *sanitize*) echo 'bench: not with sanitizers' >&2; exit 1 ;; esac
	@set -f; $(PYTHON3) $(srcdir)/bench/run --builddir=. $(BENCH)

.PHONY: bench
