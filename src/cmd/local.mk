# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/at.c
libvmview_a_SOURCES += %D%/at_columns.c %D%/at_columns.h
libvmview_a_SOURCES += %D%/at_text.c %D%/at_text.h
libvmview_a_SOURCES += %D%/at_view.c %D%/at_view.h
libvmview_a_SOURCES += %D%/commands.h
libvmview_a_SOURCES += %D%/context.c %D%/context.h
libvmview_a_SOURCES += %D%/frame_info.c %D%/frame_info.h
libvmview_a_SOURCES += %D%/map.c
libvmview_a_SOURCES += %D%/map_columns.c %D%/map_columns.h
libvmview_a_SOURCES += %D%/map_total.c %D%/map_total.h
libvmview_a_SOURCES += %D%/mappings.c %D%/mappings.h
libvmview_a_SOURCES += %D%/pmap.c %D%/pmap.h
libvmview_a_SOURCES += %D%/pmap_args.c %D%/pmap_args.h
libvmview_a_SOURCES += %D%/pmap_rc.c %D%/pmap_rc.h
libvmview_a_SOURCES += %D%/privileges.c %D%/privileges.h
libvmview_a_SOURCES += %D%/process_facts.c %D%/process_facts.h
libvmview_a_SOURCES += %D%/progress.c %D%/progress.h
libvmview_a_SOURCES += %D%/ps.c
libvmview_a_SOURCES += %D%/ps_groups.c %D%/ps_groups.h
libvmview_a_SOURCES += %D%/ps_read.c %D%/ps_read.h
libvmview_a_SOURCES += %D%/same_mm.c %D%/same_mm.h
libvmview_a_SOURCES += %D%/targets.c %D%/targets.h
