# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/draw.c
libvmview_a_SOURCES += %D%/facts.c
libvmview_a_SOURCES += %D%/grid.c %D%/grid.h
libvmview_a_SOURCES += %D%/keys.c
libvmview_a_SOURCES += %D%/list.c %D%/list.h
libvmview_a_SOURCES += %D%/live.h
libvmview_a_SOURCES += %D%/pages.c
libvmview_a_SOURCES += %D%/picture.c
libvmview_a_SOURCES += %D%/request.c %D%/request.h
libvmview_a_SOURCES += %D%/state.c
libvmview_a_SOURCES += %D%/table.c
libvmview_a_SOURCES += %D%/term.c %D%/term.h
libvmview_a_SOURCES += %D%/tree.c %D%/tree.h
libvmview_a_SOURCES += %D%/views.c
