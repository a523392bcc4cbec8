# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/budget.c %D%/budget.h
libvmview_a_SOURCES += %D%/changes.c %D%/changes.h
libvmview_a_SOURCES += %D%/columns.c
libvmview_a_SOURCES += %D%/frame.c
libvmview_a_SOURCES += %D%/huge.c
libvmview_a_SOURCES += %D%/live.c
libvmview_a_SOURCES += %D%/machine.c
libvmview_a_SOURCES += %D%/map.c
libvmview_a_SOURCES += %D%/pages.c
libvmview_a_SOURCES += %D%/processes.c
libvmview_a_SOURCES += %D%/read.c %D%/read.h
libvmview_a_SOURCES += %D%/refresh.c %D%/refresh.h
libvmview_a_SOURCES += %D%/rollups.c %D%/rollups.h
libvmview_a_SOURCES += %D%/rows.c %D%/rows.h
libvmview_a_SOURCES += %D%/sharing.c
libvmview_a_SOURCES += %D%/write.c %D%/write.h
