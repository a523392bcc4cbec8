# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/column.c %D%/column.h
libvmview_a_SOURCES += %D%/filter.c %D%/filter.h
libvmview_a_SOURCES += %D%/ps_columns.c %D%/ps_columns.h
libvmview_a_SOURCES += %D%/query.h
libvmview_a_SOURCES += %D%/sort.c %D%/sort.h
libvmview_a_SOURCES += %D%/system_columns.c %D%/system_columns.h
libvmview_a_SOURCES += %D%/vma_columns.c %D%/vma_columns.h
