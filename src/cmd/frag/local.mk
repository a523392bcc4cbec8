# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/allocs.c
libvmview_a_SOURCES += %D%/blockers.c %D%/blockers.h
libvmview_a_SOURCES += %D%/blocks.c
libvmview_a_SOURCES += %D%/density.c %D%/density.h
libvmview_a_SOURCES += %D%/frag.c %D%/frag.h
libvmview_a_SOURCES += %D%/orders.h
libvmview_a_SOURCES += %D%/owners.c
libvmview_a_SOURCES += %D%/space.c
libvmview_a_SOURCES += %D%/space_text.c
libvmview_a_SOURCES += %D%/types.c
libvmview_a_SOURCES += %D%/verdict.c
