# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/file.c %D%/file.h
libvmview_a_SOURCES += %D%/frames.c %D%/frames.h
libvmview_a_SOURCES += %D%/rows.c
libvmview_a_SOURCES += %D%/run.h
libvmview_a_SOURCES += %D%/target.c %D%/target.h
libvmview_a_SOURCES += %D%/who.c
libvmview_a_SOURCES += %D%/write.c
