# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/columns.c
libvmview_a_SOURCES += %D%/open.c
libvmview_a_SOURCES += %D%/read.c
libvmview_a_SOURCES += %D%/report.c
libvmview_a_SOURCES += %D%/since.c
libvmview_a_SOURCES += %D%/text.c
libvmview_a_SOURCES += %D%/why.c %D%/why.h
