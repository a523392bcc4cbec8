# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/allocs.c %D%/allocs.h
libvmview_a_SOURCES += %D%/columns.c
libvmview_a_SOURCES += %D%/report.c
