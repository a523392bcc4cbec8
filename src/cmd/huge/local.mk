# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/columns.c %D%/columns.h
libvmview_a_SOURCES += %D%/huge.c
libvmview_a_SOURCES += %D%/machine.c %D%/machine.h
libvmview_a_SOURCES += %D%/read.c %D%/read.h
libvmview_a_SOURCES += %D%/scatter.c %D%/scatter.h
