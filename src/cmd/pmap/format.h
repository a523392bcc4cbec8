/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_FORMAT_H
#define VMVIEW_CMD_PMAP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

struct out;
struct smaps_keys;

/*
 * The output of pmap of procps 4.0.2, to the byte wherever that one is right: doc/pmap.md has the
 * formats and the differences. Sizes are shown in KiB; names go through encode_text().
 */
enum pmap_format {
	PMAP_PLAIN, /* no option: address, size, mode, name */
	PMAP_EXTENDED, /* -x: and what is resident and dirty; needs smaps */
	PMAP_DEVICE, /* -d: and offset and device */
	PMAP_FIELDS, /* -X, -XX, -c, -C: fields of smaps; needs smaps */
};

enum pmap_choice {
	PMAP_MAIN, /* -X: all but those that pmap calls unimportant */
	PMAP_ALL, /* -XX */
	PMAP_LISTED, /* -c, -C: those in fields */
};

struct pmap_style {
	enum pmap_format format;
	enum pmap_choice choice; /* of PMAP_FIELDS */
	const struct bytes *fields; /* as in smaps; and Perm Offset Device Inode VmFlags Mapping */
	size_t field_count;
	bool quiet; /* -q: no header, no footer */
	bool path; /* -p: whole paths */
	bool kernel_names; /* -k: the kernel's own names for what is no file */
	uint64_t low, high; /* -A: mappings that hold a byte of low..high, high included */
};

/*
 * One run of pmap: processes one after the other. Rows are written as they come, but for PMAP_FIELDS:
 * its columns are as wide as their widest cell, so that the mappings of a process are kept, about
 * 100 bytes each, until pmap_end().
 */
struct pmap {
	const struct pmap_style *style;
	const struct smaps_keys *keys;
	struct out *out;
	struct pmap_fields *fields; /* of PMAP_FIELDS */
	bool shm_known; /* shm_minor is known */
	uint32_t shm_minor; /* minor device of the kernel's tmpfs, which holds SysV segments */

	/* the process at hand; totals in bytes */
	bool stack_known;
	uint64_t stack_start;
	struct number mapped, writable, shared, rss, dirty;
};

#endif
