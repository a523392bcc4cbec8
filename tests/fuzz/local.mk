# SPDX-License-Identifier: GPL-2.0-or-later

EXTRA_DIST += %D%/elf_frames.h
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = %D%/replay.c

# One target a line, sorted: FUZZ_TARGETS += %D%/fuzz_NAME   (its source is fuzz_NAME.c,
# its inputs are in corpus/NAME/)
FUZZ_TARGETS += %D%/fuzz_allocs
FUZZ_TARGETS += %D%/fuzz_arguments
FUZZ_TARGETS += %D%/fuzz_census
FUZZ_TARGETS += %D%/fuzz_cgroup
FUZZ_TARGETS += %D%/fuzz_core
FUZZ_TARGETS += %D%/fuzz_elf
FUZZ_TARGETS += %D%/fuzz_elf_reply
FUZZ_TARGETS += %D%/fuzz_encode
FUZZ_TARGETS += %D%/fuzz_faults
FUZZ_TARGETS += %D%/fuzz_filter
FUZZ_TARGETS += %D%/fuzz_flag_match
FUZZ_TARGETS += %D%/fuzz_free_lists
FUZZ_TARGETS += %D%/fuzz_look_records
FUZZ_TARGETS += %D%/fuzz_malloc
FUZZ_TARGETS += %D%/fuzz_map_document
FUZZ_TARGETS += %D%/fuzz_mapping_match
FUZZ_TARGETS += %D%/fuzz_numa_maps
FUZZ_TARGETS += %D%/fuzz_perf
FUZZ_TARGETS += %D%/fuzz_pmap_rc
FUZZ_TARGETS += %D%/fuzz_render
FUZZ_TARGETS += %D%/fuzz_rollup
FUZZ_TARGETS += %D%/fuzz_smaps
FUZZ_TARGETS += %D%/fuzz_stat
FUZZ_TARGETS += %D%/fuzz_status
FUZZ_TARGETS += %D%/fuzz_target
FUZZ_TARGETS += %D%/fuzz_trace_format
FUZZ_TARGETS += %D%/fuzz_words
