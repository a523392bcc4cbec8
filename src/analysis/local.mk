# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/address_space.c %D%/address_space.h
libvmview_a_SOURCES += %D%/cow.c %D%/cow.h
libvmview_a_SOURCES += %D%/folio.c %D%/folio.h
libvmview_a_SOURCES += %D%/fragmentation.c %D%/fragmentation.h
libvmview_a_SOURCES += %D%/image_sections.c
libvmview_a_SOURCES += %D%/images.c %D%/images.h
libvmview_a_SOURCES += %D%/contiguity.c %D%/contiguity.h
libvmview_a_SOURCES += %D%/flag_match.c %D%/flag_match.h
libvmview_a_SOURCES += %D%/flag_sets.c %D%/flag_sets.h
libvmview_a_SOURCES += %D%/kinds.c %D%/kinds.h
libvmview_a_SOURCES += %D%/paging.c %D%/paging.h
libvmview_a_SOURCES += %D%/process_tree.c %D%/process_tree.h
libvmview_a_SOURCES += %D%/residency.c %D%/residency.h
libvmview_a_SOURCES += %D%/unit.c %D%/unit.h
libvmview_a_SOURCES += %D%/sharing.c %D%/sharing.h
libvmview_a_SOURCES += %D%/sharing_pairs.c %D%/sharing_pairs.h
libvmview_a_SOURCES += %D%/slots.c %D%/slots.h
libvmview_a_SOURCES += %D%/swap_slots.c %D%/swap_slots.h
libvmview_a_SOURCES += %D%/page_runs.c %D%/page_runs.h
libvmview_a_SOURCES += %D%/page_summary.c %D%/page_summary.h
libvmview_a_SOURCES += %D%/range.c %D%/range.h
