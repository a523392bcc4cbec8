# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/absence.h
libvmview_a_SOURCES += %D%/alloc.h
libvmview_a_SOURCES += %D%/core.c %D%/core.h
libvmview_a_SOURCES += %D%/fault.c %D%/fault.h
libvmview_a_SOURCES += %D%/image.h
libvmview_a_SOURCES += %D%/kind.c %D%/kind.h
libvmview_a_SOURCES += %D%/look.h
libvmview_a_SOURCES += %D%/malloc.h
libvmview_a_SOURCES += %D%/memcg.c %D%/memcg.h
libvmview_a_SOURCES += %D%/meminfo.h
libvmview_a_SOURCES += %D%/missing.c %D%/missing.h
libvmview_a_SOURCES += %D%/needs.h
libvmview_a_SOURCES += %D%/object.c %D%/object.h
libvmview_a_SOURCES += %D%/page.c %D%/page.h
libvmview_a_SOURCES += %D%/page_run.h
libvmview_a_SOURCES += %D%/process.h
libvmview_a_SOURCES += %D%/smaps_key.c %D%/smaps_key.h
libvmview_a_SOURCES += %D%/task_status.h
libvmview_a_SOURCES += %D%/thp.h
libvmview_a_SOURCES += %D%/thread_stack.h
libvmview_a_SOURCES += %D%/value.c %D%/value.h
libvmview_a_SOURCES += %D%/vm_flags.c %D%/vm_flags.h
libvmview_a_SOURCES += %D%/vma.c %D%/vma.h
libvmview_a_SOURCES += %D%/vma_store.c %D%/vma_store.h
