/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/kind.h"

const char *const kind_names[KIND_COUNT] = {
	[KIND_UNKNOWN] = "unknown", [KIND_HEAP] = "heap",
	[KIND_STACK] = "stack",	    [KIND_THREAD_STACK] = "thread-stack",
	[KIND_ANON] = "anon",	    [KIND_RESERVED] = "reserved",
	[KIND_SHM] = "shm",	    [KIND_HUGETLB] = "hugetlb",
	[KIND_FILE] = "file",	    [KIND_ELF] = "elf",
	[KIND_DEVICE] = "device",   [KIND_SPECIAL] = "special",
	[KIND_HOLE] = "hole",
};

const char *const kind_help[KIND_COUNT] = {
	[KIND_UNKNOWN] = "not looked at",
	[KIND_HEAP] = "the brk area, grown by malloc",
	[KIND_STACK] = "stack of the main thread",
	[KIND_THREAD_STACK] = "stack of another thread",
	[KIND_ANON] = "private memory without a file",
	[KIND_RESERVED] = "address space without access rights",
	[KIND_SHM] = "shared memory: memfd, SysV, /dev/zero, tmpfs, secretmem",
	[KIND_HUGETLB] = "pages of the hugetlb pool",
	[KIND_FILE] = "a file that is no ELF file",
	[KIND_ELF] = "an ELF file: program or library",
	[KIND_DEVICE] = "a device or kernel object",
	[KIND_SPECIAL] = "provided by the kernel: vdso and the like",
	[KIND_HOLE] = "nothing is mapped",
};
