# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/files.c
libvmview_a_SOURCES += %D%/machine.c
libvmview_a_SOURCES += %D%/manifest.c
libvmview_a_SOURCES += %D%/pages.c
libvmview_a_SOURCES += %D%/process.c
libvmview_a_SOURCES += %D%/record.c %D%/record.h
libvmview_a_SOURCES += %D%/smaps.c
