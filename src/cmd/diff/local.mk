# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/answer.c
libvmview_a_SOURCES += %D%/columns.c
libvmview_a_SOURCES += %D%/diff.c %D%/diff.h
libvmview_a_SOURCES += %D%/match.c
libvmview_a_SOURCES += %D%/read.c
libvmview_a_SOURCES += %D%/report.c
libvmview_a_SOURCES += %D%/rows.c
