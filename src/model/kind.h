/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_KIND_H
#define VMVIEW_MODEL_KIND_H

/* What a mapping is for; one word each, as in JSON. */
enum vma_kind {
	KIND_UNKNOWN, /* not asked */
	KIND_HEAP, /* [heap]: the brk area */
	KIND_STACK, /* [stack]: of the main thread */
	KIND_THREAD_STACK, /* holds the stack pointer of another thread, guard below */
	KIND_ANON, /* other private memory without a file */
	KIND_RESERVED, /* the same without any access right */
	KIND_SHM, /* shared memory: memfd, SysV, /dev/zero, tmpfs, secretmem */
	KIND_HUGETLB, /* pages of the hugetlb pool, whatever the name */
	KIND_FILE, /* a file that is no ELF file */
	KIND_ELF, /* an ELF file: executable, library, also its data */
	KIND_DEVICE, /* a device or kernel object: /dev/..., anon_inode, socket, dma-buf, aio */
	KIND_SPECIAL, /* provided by the kernel: [vdso], [vvar], [vsyscall], [uprobes] .. */
	KIND_HOLE, /* nothing is mapped: a row between mappings that was asked for */
	KIND_COUNT,
};

/* "thread-stack"; "unknown" for KIND_UNKNOWN. */
extern const char *const kind_names[KIND_COUNT];

/* What the kind is, in words. */
extern const char *const kind_help[KIND_COUNT];

#endif
