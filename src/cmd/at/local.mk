# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/at.c
libvmview_a_SOURCES += %D%/columns.c %D%/columns.h
libvmview_a_SOURCES += %D%/object.c
libvmview_a_SOURCES += %D%/space.c %D%/space.h
libvmview_a_SOURCES += %D%/text.c %D%/text.h
libvmview_a_SOURCES += %D%/view.c %D%/view.h
