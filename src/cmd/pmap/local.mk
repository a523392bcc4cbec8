# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/args.c %D%/args.h
libvmview_a_SOURCES += %D%/fields.c %D%/fields.h
libvmview_a_SOURCES += %D%/format.h
libvmview_a_SOURCES += %D%/pmap.c %D%/pmap.h
libvmview_a_SOURCES += %D%/print.c %D%/print.h
libvmview_a_SOURCES += %D%/rc.c %D%/rc.h
libvmview_a_SOURCES += %D%/text.c %D%/text.h
