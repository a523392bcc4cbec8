/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_FILES_H
#define VMVIEW_ENGINE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/index.h"
#include "engine/visit.h"
#include "model/kind.h"
#include "source/cacheprobe.h"
#include "source/caps.h"
#include "source/mounts.h"

struct context;
struct vma;

/* The name of a process. */
struct file_process {
	int pid;
	struct bytes comm;
};

/* Processes, each once. */
struct file_pids {
	int32_t *list;
	uint32_t count, cap;
};

/* Pages of a file that a cgroup pays for, by the inode of its directory. */
struct file_cgroup {
	uint64_t inode, pages;
};

/*
 * A file, with what is known of it. Frames are counted once, however often they are mapped: of each file
 * those that processes map. What the page cache holds of it is known once files_ask() was called.
 */
struct file {
	uint64_t dev, inode; /* as maps shows them; dev: major << 32 | minor */
	struct bytes path; /* without " (deleted)" */
	bool deleted;
	enum vma_kind kind; /* file, shm, hugetlb or device */
	enum fs_class fs; /* of its file system, FS_UNKNOWN where that is not known */
	bool overlay;
	uint32_t same_as; /* index + 1 of the file that it turned out to be; 0: none */
	struct file_pids mapped_by, opened_by;
	uint64_t mapped, active; /* pages */
	struct file_cgroup *cgroups; /* that pay for mapped pages */
	uint32_t cgroup_count, cgroup_cap;
	/* how it can be opened */
	int pid; /* 0: it was found below a path */
	bool by_descriptor;
	uint64_t from, to; /* mapping; from: descriptor */
	/* what the page cache has */
	const char *reason; /* why counts are not known; NULL: they are */
	enum cache_source source;
	uint64_t stat_dev, stat_inode, size;
	struct cache_counts counts; /* pages */
	bool below; /* it was found below a path that the user gave */
	bool named; /* it is such a path itself */
};

enum file_wants {
	FILES_DESCRIPTORS = 1, /* files that processes have open, too */
	FILES_FRAMES = 2, /* mapped */
	FILES_FLAGS = 4, /* active, and kinds by the frames */
	FILES_CGROUPS = 8,
};

struct files {
	struct context *ctx;
	struct caps caps;
	struct file *list;
	size_t count, cap;
	struct index by_maps, by_stat; /* of list, by the two pairs of numbers */
	const char *frames_reason; /* why mapped is not known; NULL: it is, or was not asked for */
	const char *flags_reason, *cgroups_reason;
	struct file_process *processes; /* by pid */
	size_t process_count, process_cap;
	struct visits visits; /* what became of the processes */
	size_t refused; /* processes whose descriptors could not be read */
};

/* caps: as probed, or with what the user switched off. */
void files_init(struct files *files, struct context *ctx, const struct caps *caps);
void files_fini(struct files *files);

/* Files that processes map; wants: enum file_wants. */
void files_read_processes(struct files *files, const char *command, unsigned wants);

/* The file of a mapping, of an inode; new where it is not known yet. */
struct file *files_of_vma(struct files *files, const struct vma *vma);

/*
 * The file that stat tells by device and inode, or NULL; files_add_found() makes a new one: path has to
 * live as long as files.
 */
struct file *files_find_stat(struct files *files, uint64_t dev, uint64_t inode);
struct file *files_add_found(struct files *files, const struct probe_reply *reply,
			     struct bytes path);

/* Note what the probe told of a file. */
void file_take_reply(struct file *file, const struct probe_reply *reply);

/* Ask the page cache about the files of processes. Of those that turn out to be one, one is left. */
void files_ask(struct files *files, struct cacheprobe *probe);

/* What a recording has of it: source/cache_list.h. */
void files_ask_recording(struct files *files);

/* The name of a process that was read; "" where it is none of these. */
struct bytes files_comm(const struct files *files, int pid);

/* Add a process; whether it was new. Processes come one after the other. */
bool file_pids_add(struct file_pids *pids, int pid);

/* Add pages that a cgroup pays for. */
void file_charge(struct file *file, uint64_t cgroup, uint64_t pages);

#endif
