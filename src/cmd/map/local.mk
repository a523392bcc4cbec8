# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/by.c %D%/by.h
libvmview_a_SOURCES += %D%/check.c %D%/check.h
libvmview_a_SOURCES += %D%/columns.c %D%/columns.h
libvmview_a_SOURCES += %D%/diff_columns.c %D%/diff_columns.h
libvmview_a_SOURCES += %D%/groups.c %D%/groups.h
libvmview_a_SOURCES += %D%/kinds.c %D%/kinds.h
libvmview_a_SOURCES += %D%/map.c
libvmview_a_SOURCES += %D%/places.c %D%/places.h
libvmview_a_SOURCES += %D%/total.c %D%/total.h
