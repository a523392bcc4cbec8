# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/cgroup.c %D%/cgroup.h
libvmview_a_SOURCES += %D%/group.c %D%/group.h
libvmview_a_SOURCES += %D%/group_columns.c %D%/group_columns.h
libvmview_a_SOURCES += %D%/group_report.c
libvmview_a_SOURCES += %D%/group_text.c %D%/group_text.h
libvmview_a_SOURCES += %D%/target.c
libvmview_a_SOURCES += %D%/tree.c
libvmview_a_SOURCES += %D%/tree_columns.c %D%/tree_columns.h
