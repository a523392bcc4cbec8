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
	%D%/zoo.c \
	%D%/zoo.h
