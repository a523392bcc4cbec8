# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/files.c
libvmview_a_SOURCES += %D%/map.c
libvmview_a_SOURCES += %D%/owner_columns.c %D%/owner_columns.h
libvmview_a_SOURCES += %D%/owners.c
libvmview_a_SOURCES += %D%/report.c
libvmview_a_SOURCES += %D%/system.c %D%/system.h
