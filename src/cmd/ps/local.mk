# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/frames.c %D%/frames.h
libvmview_a_SOURCES += %D%/groups.c %D%/groups.h
libvmview_a_SOURCES += %D%/ps.c
libvmview_a_SOURCES += %D%/read.c %D%/read.h
