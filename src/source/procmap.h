/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PROCMAP_H
#define VMVIEW_SOURCE_PROCMAP_H

#include <linux/fs.h>
#include <linux/types.h>

/*
 * ioctl PROCMAP_QUERY on /proc/PID/maps (6.11; include/uapi/linux/fs.h), for headers that are older.
 * It never blocks but where it is asked for a build-id: then it reads the mapped file.
 */
#ifndef PROCMAP_QUERY
#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)

enum procmap_query_flags {
	PROCMAP_QUERY_VMA_READABLE = 0x01,
	PROCMAP_QUERY_VMA_WRITABLE = 0x02,
	PROCMAP_QUERY_VMA_EXECUTABLE = 0x04,
	PROCMAP_QUERY_VMA_SHARED = 0x08,
	PROCMAP_QUERY_COVERING_OR_NEXT_VMA = 0x10,
	PROCMAP_QUERY_FILE_BACKED_VMA = 0x20,
};

struct procmap_query {
	__u64 size, query_flags, query_addr;
	__u64 vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	__u32 dev_major, dev_minor;
	__u32 vma_name_size, build_id_size;	/* in: room; out: used */
	__u64 vma_name_addr, build_id_addr;
};
#endif

#endif
