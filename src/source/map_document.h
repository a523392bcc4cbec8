/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MAP_DOCUMENT_H
#define VMVIEW_SOURCE_MAP_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct error;
struct json;
struct smaps_keys;
struct vma_store;

/*
 * A JSON document that `vmview map --json` wrote, or somebody else: one process of it. Texts live in the arena
 * that was given; those that the document does not have are empty.
 */
struct map_document {
	struct bytes kernel; /* release */
	struct bytes time; /* when it was read: "2026-11-22T12:00:00Z" */
	int32_t pid;
	uint64_t start_time; /* clock ticks after boot; 0: not told */
	struct bytes comm, cmdline, cgroup;
	size_t processes; /* in the document */
	size_t malformed; /* mappings that can not be, and are left out */
	bool complete; /* as the document says of the process */
};

enum { MAP_DOCUMENT_MAPPINGS_MAX = 1 << 21 };

/* Why a figure that a document lacks is absent. */
extern const char map_document_lacks[];

/* What is wanted of it, and where it goes. */
struct map_document_request {
	int pid; /* 0: the last one in it */
	const struct smaps_keys *keys; /* fields that are not among them are passed over */
	struct arena *arena; /* of the texts */
	struct vma_store *store; /* of the mappings: empty */
};

/*
 * Read it. Returns 0, or -EPROTO where it is no such document, -ESRCH where it has no such process, -EFBIG or
 * -errno.
 */
int map_document_read(struct json *json, const struct map_document_request *request,
		      struct map_document *out, struct error *err);

/* The same of an open file; name is for messages. */
int map_document_read_fd(int fd, const char *name, const struct map_document_request *request,
			 struct map_document *out, struct error *err);

#endif
