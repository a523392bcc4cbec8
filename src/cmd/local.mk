# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/commands.h

include src/cmd/allocs/local.mk
include src/cmd/at/local.mk
include src/cmd/cache/local.mk
include src/cmd/cgroup/local.mk
include src/cmd/cow/local.mk
include src/cmd/diff/local.mk
include src/cmd/elf/local.mk
include src/cmd/faults/local.mk
include src/cmd/frag/local.mk
include src/cmd/huge/local.mk
include src/cmd/live/local.mk
include src/cmd/malloc/local.mk
include src/cmd/map/local.mk
include src/cmd/numa/local.mk
include src/cmd/pages/local.mk
include src/cmd/pmap/local.mk
include src/cmd/ps/local.mk
include src/cmd/record/local.mk
include src/cmd/share/local.mk
include src/cmd/swap/local.mk
include src/cmd/system/local.mk
include src/cmd/who/local.mk
include src/cmd/wss/local.mk
include src/cmd/why/local.mk
