# SPDX-License-Identifier: GPL-2.0-or-later
#
# The zoo's memory has to be exactly what the zoo made of it: no sanitizer, no library.
check_PROGRAMS += tests/zoo/zoo
tests_zoo_zoo_CFLAGS = -std=gnu17 $(WARN_CFLAGS) -fPIE
tests_zoo_zoo_LDFLAGS = -pie
tests_zoo_zoo_LDADD =
tests_zoo_zoo_SOURCES = \
	%D%/advice.c \
	%D%/anon.c \
	%D%/bare.c \
	%D%/child.c \
	%D%/den.c \
	%D%/family.c \
	%D%/faults.c \
	%D%/files.c \
	%D%/hugetlb.c \
	%D%/names.c \
	%D%/process.c \
	%D%/say.c \
	%D%/share.c \
	%D%/shm.c \
	%D%/space.c \
	%D%/special.c \
	%D%/swap.c \
	%D%/thp.c \
	%D%/threads.c \
	%D%/working.c \
	%D%/zoo.c \
	%D%/zoo.h

# Two programs of one source that cannot be mistaken for each other: code and heap apart, the size
# of the heap, names. Static, so that they execute each other fast and map nothing else.
check_PROGRAMS += tests/zoo/heron tests/zoo/otter tests/zoo/held
OF_TWO_COMPILE = -std=gnu17 $(WARN_CFLAGS) -fno-pie -pthread
OF_TWO_LINK = -static -pthread
tests_zoo_heron_CFLAGS = $(OF_TWO_COMPILE)
tests_zoo_heron_LDFLAGS = $(OF_TWO_LINK) -Wl,-Ttext-segment=0x10000000
tests_zoo_heron_LDADD =
tests_zoo_heron_SOURCES = %D%/creature.c %D%/creature.h %D%/heron.c
tests_zoo_otter_CFLAGS = $(OF_TWO_COMPILE)
tests_zoo_otter_LDFLAGS = $(OF_TWO_LINK) -Wl,-Ttext-segment=0x70000000
tests_zoo_otter_LDADD =
tests_zoo_otter_SOURCES = %D%/creature.c %D%/creature.h %D%/otter.c

tests_zoo_held_CFLAGS = -std=gnu17 $(WARN_CFLAGS) -pthread
tests_zoo_held_LDFLAGS = -pthread
tests_zoo_held_LDADD =
tests_zoo_held_SOURCES = %D%/held.c
