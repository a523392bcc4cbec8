# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/columns.c %D%/columns.h
libvmview_a_SOURCES += %D%/elf.c
libvmview_a_SOURCES += %D%/process.c %D%/process.h
libvmview_a_SOURCES += %D%/rows.c
libvmview_a_SOURCES += %D%/stale.c %D%/stale.h
libvmview_a_SOURCES += %D%/stale_columns.c %D%/stale_columns.h
libvmview_a_SOURCES += %D%/symbols.c
libvmview_a_SOURCES += %D%/view.c %D%/view.h
