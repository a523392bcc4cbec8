/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CACHEPROBE_WIRE_H
#define VMVIEW_SOURCE_CACHEPROBE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "source/cachestat.h"

/* What the child of cacheprobe.h is asked, and what it answers. */
enum { PROBE_NO_START = UINT32_MAX };	/* a start that is below no other one */

enum probe_what {
	PROBE_START,		/* what the start is: PROBE_IS_START */
	PROBE_FILE,		/* the start itself, a regular file: PROBE_IS_FILE */
	PROBE_DIRECTORY,	/* PROBE_IS_FILE, PROBE_IS_DIRECTORY of what is in it; then PROBE_IS_END */
	PROBE_MAPPING,		/* a file that a process maps: PROBE_IS_FILE */
	PROBE_DESCRIPTOR,	/* a file that a process has open: PROBE_IS_FILE */
};

struct probe_item {
	enum probe_what what;
	uint32_t id;		/* the caller's: comes back */
	uint32_t start;		/* of files and directories */
	const char *path;	/* of a directory: from start, "" itself; of a mapping: by maps, or NULL */
	bool overlay;		/* on overlayfs: mincore has to tell */
	uint64_t dev;		/* major << 32 | minor; 0: not known */
	uint64_t inode;		/* mapping, descriptor: of no other inode anything is told */
	int pid;
	uint64_t from, to;	/* addresses of the mapping; from: the descriptor */
};

enum probe_why {
	PROBE_OK,
	PROBE_DENIED,
	PROBE_NOT_OURS,		/* it could be opened, but who neither owns nor may write it is told nothing */
	PROBE_GONE,
	PROBE_MISMATCH,
	PROBE_NO_FILE,
	PROBE_UNSUPPORTED,
	PROBE_OTHER_MOUNT,
	PROBE_STUCK,
	PROBE_BAD_DEVICE,	/* something else of its device was stuck */
	PROBE_LOST,
	PROBE_FAILED,
	PROBE_WHYS,
};

enum probe_is { PROBE_IS_START, PROBE_IS_FILE, PROBE_IS_DIRECTORY, PROBE_IS_END };

/* An answer; name: of a file or directory in a directory; of a start, its path without links. */
struct probe_reply {
	uint32_t id;
	uint8_t is;		/* enum probe_is */
	uint8_t why;		/* enum probe_why */
	uint8_t source;		/* enum cache_source */
	uint8_t directory;	/* a start: it is one */
	uint8_t overlay;	/* a start: on overlayfs */
	uint32_t links, name_len;
	uint64_t dev, inode, size;	/* of stat */
	uint64_t mount;		/* a start: id of its mount; 0: not known */
	/* END: files with nothing in the cache and one name, of which nothing else was told */
	uint64_t files, bytes;
	struct cache_counts counts;
};

#endif
