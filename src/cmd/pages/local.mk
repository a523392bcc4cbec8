# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/list.c
libvmview_a_SOURCES += %D%/pages.c %D%/pages.h
libvmview_a_SOURCES += %D%/run_columns.c %D%/run_columns.h
libvmview_a_SOURCES += %D%/shm.c
libvmview_a_SOURCES += %D%/summary.c
libvmview_a_SOURCES += %D%/summary_columns.c %D%/summary_columns.h
