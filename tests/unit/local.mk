# SPDX-License-Identifier: GPL-2.0-or-later
#
# One program a line, sorted: UNIT_TESTS += %D%/test_NAME   (its source is test_NAME.c)
EXTRA_DIST += %D%/parse.h %D%/rows.h %D%/tree.h %D%/unit.h %D%/utf8.h
UNIT_TESTS += %D%/test_arena
UNIT_TESTS += %D%/test_elf
UNIT_TESTS += %D%/test_elf_worker
UNIT_TESTS += %D%/test_encode
UNIT_TESTS += %D%/test_error
UNIT_TESTS += %D%/test_frames
UNIT_TESTS += %D%/test_long_names
UNIT_TESTS += %D%/test_num
UNIT_TESTS += %D%/test_out
UNIT_TESTS += %D%/test_page
UNIT_TESTS += %D%/test_pagewalk
UNIT_TESTS += %D%/test_pmap
UNIT_TESTS += %D%/test_pmap_args
UNIT_TESTS += %D%/test_pmap_rc
UNIT_TESTS += %D%/test_sharing
UNIT_TESTS += %D%/test_smaps
UNIT_TESTS += %D%/test_smaps_read
UNIT_TESTS += %D%/test_words
UNIT_TESTS += %D%/test_model
UNIT_TESTS += %D%/test_column
UNIT_TESTS += %D%/test_filter
