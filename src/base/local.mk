# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/arena.c %D%/arena.h
libvmview_a_SOURCES += %D%/array.h
libvmview_a_SOURCES += %D%/bytes.h
libvmview_a_SOURCES += %D%/encode.c %D%/encode.h
libvmview_a_SOURCES += %D%/error.c %D%/error.h
libvmview_a_SOURCES += %D%/hash.h
libvmview_a_SOURCES += %D%/index.c %D%/index.h
libvmview_a_SOURCES += %D%/json.c %D%/json.h
libvmview_a_SOURCES += %D%/list.c %D%/list.h
libvmview_a_SOURCES += %D%/memory.c %D%/memory.h
libvmview_a_SOURCES += %D%/num.c %D%/num.h
libvmview_a_SOURCES += %D%/options.c %D%/options.h
libvmview_a_SOURCES += %D%/out.c %D%/out.h
libvmview_a_SOURCES += %D%/search.h
libvmview_a_SOURCES += %D%/similar.c %D%/similar.h
libvmview_a_SOURCES += %D%/wire.h
libvmview_a_SOURCES += %D%/workers.c %D%/workers.h
