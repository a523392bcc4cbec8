# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/context.c %D%/context.h
libvmview_a_SOURCES += %D%/context_open.c
libvmview_a_SOURCES += %D%/cores.c %D%/cores.h
libvmview_a_SOURCES += %D%/counters.c %D%/counters.h
libvmview_a_SOURCES += %D%/crew.c %D%/crew.h
libvmview_a_SOURCES += %D%/figures.c %D%/figures.h
libvmview_a_SOURCES += %D%/frame_info.c %D%/frame_info.h
libvmview_a_SOURCES += %D%/frame_join.c %D%/frame_join.h
libvmview_a_SOURCES += %D%/machine.c %D%/machine.h
libvmview_a_SOURCES += %D%/mappings.c %D%/mappings.h
libvmview_a_SOURCES += %D%/naming.c %D%/naming.h
libvmview_a_SOURCES += %D%/pace.c %D%/pace.h
libvmview_a_SOURCES += %D%/page_elements.c %D%/page_elements.h
libvmview_a_SOURCES += %D%/page_join.c
libvmview_a_SOURCES += %D%/page_reader.c %D%/page_reader.h
libvmview_a_SOURCES += %D%/privileges.c %D%/privileges.h
libvmview_a_SOURCES += %D%/process_facts.c %D%/process_facts.h
libvmview_a_SOURCES += %D%/progress.c %D%/progress.h
libvmview_a_SOURCES += %D%/reason.c %D%/reason.h
libvmview_a_SOURCES += %D%/same_mm.c %D%/same_mm.h
libvmview_a_SOURCES += %D%/stuck.c %D%/stuck.h
libvmview_a_SOURCES += %D%/targets.c %D%/targets.h
libvmview_a_SOURCES += %D%/visit.c %D%/visit.h
libvmview_a_SOURCES += %D%/vma_sections.c %D%/vma_sections.h
libvmview_a_SOURCES += %D%/who_search.c %D%/who_search.h
