/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_WHO_SEARCH_H
#define VMVIEW_ENGINE_WHO_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/vma_store.h"
#include "source/caps.h"

struct context;
struct error;
struct page_span;
struct vma;

enum { WHO_BASE_MAX = 256 };

/* Which mappings can hold what is searched for; nothing is read of the others. */
struct who_rule {
	bool privates;			/* anonymous memory: any private mapping */
	bool files;			/* memory of files, shared memory, vdso and the like */
	bool known;			/* of files: only this one */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	/*
	 * The last part of its path: mappings of a file of that name, or inode, on another device may be
	 * of it where either has no block device: overlays of one file share its pages, each under a device
	 * of its own. Their frames tell. base_len 0: they are passed over.
	 */
	char base[WHO_BASE_MAX];
	size_t base_len;
	uint64_t low, high;		/* only this part of it, bytes; high 0: all */
};

/* The file is called so, its path ends in that. */
void who_rule_name(struct who_rule *rule, struct bytes path);

/* Whether the mapping is of the very file, by device and inode; one that the rule takes may be of another. */
bool who_rule_is_file(const struct who_rule *rule, const struct vma *vma);

bool who_rule_takes(const struct who_rule *rule, const struct vma *vma);

/* The part of the mapping that can hold the part of the file that is searched for. */
void who_rule_narrow(const struct who_rule *rule, const struct vma *vma, uint64_t *start,
		     uint64_t *end);

struct who_search;

/*
 * Takes pages of one mapping (search->mappings[mapping], if anything of it is kept: see who_keep()).
 * Returns whether everything was found, so that the rest need not be searched.
 */
typedef bool (*who_sink)(void *ctx, struct who_search *search, const struct page_span *span);

/* A process with something that was searched for. */
struct who_process {
	int32_t pid;
	int32_t same_as;	/* the process before that has the same memory, 0: none */
	struct bytes comm;
};

/* A pass over all processes, the one that is named first (0: none) before the others. */
struct who_search {
	struct context *ctx;
	struct caps caps;
	struct who_rule rule;
	int first;
	unsigned want;			/* enum walk_want */
	who_sink sink;
	/* of the sink: pages of a process come; those since then are to be forgotten; or NULL */
	void (*begin)(void *ctx, int pid);
	void (*undo)(void *ctx, int pid);
	void *sink_ctx;
	/* results */
	struct vma_store mappings;	/* those that were kept, with kind */
	struct who_process *processes;
	size_t process_count, process_cap;
	size_t searched, denied, vanished, stuck;
	bool ended;			/* everything was found before all processes were searched */
	uint64_t span_ns;
	struct who_state *state;	/* of the process that is searched now */
};

/* caps, rule, sink are set by the caller. Returns 0, or -errno of the list of processes. */
int who_search_run(struct who_search *search, struct error *err);
void who_search_fini(struct who_search *search);

/* For the sink: keep the mapping and the process of the span; returns its index in mappings. */
uint32_t who_keep(struct who_search *search, const struct page_span *span);

/* For the sink: the mapping of the span. */
void who_mapping(struct who_search *search, const struct page_span *span, struct vma *vma);

/* The process of a mapping that was kept. */
const struct who_process *who_process_of(const struct who_search *search, int pid);

#endif
