# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/caps.c %D%/caps.h
libvmview_a_SOURCES += %D%/cgroups.c %D%/cgroups.h
libvmview_a_SOURCES += %D%/facts.c %D%/facts.h
libvmview_a_SOURCES += %D%/filelook.c %D%/filelook.h
libvmview_a_SOURCES += %D%/filelook_child.c %D%/filelook_child.h
libvmview_a_SOURCES += %D%/frames.c %D%/frames.h
libvmview_a_SOURCES += %D%/host.c %D%/host.h
libvmview_a_SOURCES += %D%/memmap.c %D%/memmap.h
libvmview_a_SOURCES += %D%/meter.c %D%/meter.h
libvmview_a_SOURCES += %D%/mounts.c %D%/mounts.h
libvmview_a_SOURCES += %D%/pagescan.c %D%/pagescan.h
libvmview_a_SOURCES += %D%/pagewalk.c %D%/pagewalk.h
libvmview_a_SOURCES += %D%/pids.c %D%/pids.h
libvmview_a_SOURCES += %D%/procdir.c
libvmview_a_SOURCES += %D%/rcfile.c %D%/rcfile.h
libvmview_a_SOURCES += %D%/root.c %D%/root.h
libvmview_a_SOURCES += %D%/shm.c %D%/shm.h
libvmview_a_SOURCES += %D%/smaps.c %D%/smaps.h
libvmview_a_SOURCES += %D%/smaps_read.c
libvmview_a_SOURCES += %D%/taskstat.c %D%/taskstat.h
libvmview_a_SOURCES += %D%/threads.c %D%/threads.h
libvmview_a_SOURCES += %D%/words.c %D%/words.h
libvmview_a_SOURCES += %D%/zoneinfo.c
