/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pids.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libproc2/pids.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "config.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/listing.h"
#include "source/root.h"

/* The calls of libproc2 that are used. */
struct library {
	void *handle;
	int (*new_info)(struct pids_info **info, enum pids_item *items, int count);
	int (*unref)(struct pids_info **info);
	struct pids_fetch *(*reap)(struct pids_info *info, enum pids_fetch_type which);
	struct pids_fetch *(*select)(struct pids_info *info, unsigned *these, int count,
				     enum pids_select_type which);
};

enum item { ITEM_PID, ITEM_PPID, ITEM_EUID, ITEM_EUSER, ITEM_CMD, ITEM_COUNT };

static void *symbol(struct library *library, const char *name)
{
	return library->handle ? dlsym(library->handle, name) : NULL;
}

static int open_library(struct library *library, struct error *err)
{
	library->handle = dlopen(LIBPROC2_SONAME, RTLD_NOW | RTLD_LOCAL);
	*(void **)&library->new_info = symbol(library, "procps_pids_new");
	*(void **)&library->unref = symbol(library, "procps_pids_unref");
	*(void **)&library->reap = symbol(library, "procps_pids_reap");
	*(void **)&library->select = symbol(library, "procps_pids_select");
	if (library->new_info && library->unref && library->reap && library->select)
		return 0;
	return error_set(err, ENOENT, "%s: %s", LIBPROC2_SONAME,
			 library->handle ? "not the library that was expected" : dlerror());
}

static int open_info(struct library *library, struct pids_info **info, struct error *err)
{
	enum pids_item items[ITEM_COUNT] = {
		[ITEM_PID] = PIDS_ID_PID,   [ITEM_PPID] = PIDS_ID_PPID,
		[ITEM_EUID] = PIDS_ID_EUID, [ITEM_EUSER] = PIDS_ID_EUSER,
		[ITEM_CMD] = PIDS_CMD,
	};
	int rc = open_library(library, err);

	if (rc)
		return rc;
	*info = NULL;
	rc = library->new_info(info, items, ITEM_COUNT);
	return rc < 0 ? error_errno(err, -rc, "libproc2: list of processes") : 0;
}

static struct bytes copy(struct arena *arena, const char *text)
{
	return text ? arena_bytes(arena, bytes_of(text)) : (struct bytes){ NULL, 0 };
}

static void fill(struct arena *arena, const struct pids_stack *stack, struct pid_entry *entry)
{
	const struct pids_result *head = stack->head;

	*entry = (struct pid_entry){
		.pid = head[ITEM_PID].result.s_int,
		.ppid = head[ITEM_PPID].result.s_int,
		.uid = head[ITEM_EUID].result.u_int,
		.user = copy(arena, head[ITEM_EUSER].result.str),
		.comm = copy(arena, head[ITEM_CMD].result.str),
	};
}

static int list_live(struct arena *arena, struct pid_entry **out, size_t *count, struct error *err)
{
	struct library library;
	struct pids_info *info;
	struct pids_fetch *fetch;
	int rc = open_info(&library, &info, err);

	if (rc)
		return rc;
	fetch = library.reap(info, PIDS_FETCH_TASKS_ONLY);
	if (!fetch) {
		rc = error_errno(err, errno ? errno : EIO, "libproc2: list of processes");
	} else {
		*count = (size_t)fetch->counts->total;
		*out = arena_alloc(arena, *count * sizeof(**out));
		for (size_t i = 0; i < *count; i++)
			fill(arena, fetch->stacks[i], &(*out)[i]);
	}
	library.unref(&info);
	return rc;
}

static int by_pid(const void *left, const void *right)
{
	const struct pid_entry *a = left, *b = right;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static bool fill_recorded(const struct root *root, struct arena *arena, int pid,
			  struct pid_entry *entry)
{
	struct process process;
	struct procdir dir;
	int rc;

	if (procdir_open(&dir, root, pid, NULL))
		return false;
	rc = facts_read(&dir, arena, FACT_STAT | FACT_STATUS, &process, NULL);
	procdir_close(&dir);
	if (rc)
		return false;
	*entry = (struct pid_entry){
		.pid = pid, .ppid = process.ppid, .uid = process.uid, .comm = process.comm
	};
	return true;
}

int pids_scan(const struct root *root, struct arena *arena, int **out, size_t *count,
	      struct error *err)
{
	int fd = root_openat(root, O_RDONLY | O_DIRECTORY, err, "proc");

	if (fd < 0)
		return fd;
	*count = listing_numbers(fd, "", arena, out);
	/* nobody's number, but a recording may have anything */
	while (*count && !**out) {
		++*out;
		--*count;
	}
	return 0;
}

static int list_recorded(const struct root *root, struct arena *arena, struct pid_entry **out,
			 size_t *count, struct error *err)
{
	size_t scanned, found = 0;
	int *pids, rc = pids_scan(root, arena, &pids, &scanned, err);

	if (rc)
		return rc;
	*out = arena_alloc(arena, scanned * sizeof(**out));
	for (size_t i = 0; i < scanned; i++)
		found += fill_recorded(root, arena, pids[i], &(*out)[found]);
	*count = found;
	return 0;
}

int pids_list(const struct root *root, struct arena *arena, struct pid_entry **out, size_t *count,
	      struct error *err)
{
	int rc = root->recorded ? list_recorded(root, arena, out, count, err) :
				  list_live(arena, out, count, err);

	if (rc == 0)
		qsort(*out, *count, sizeof(**out), by_pid);
	return rc;
}

int pids_user(const struct root *root, int pid, struct arena *arena, struct bytes *out)
{
	struct library library;
	struct pids_info *info;
	struct pids_fetch *fetch;
	unsigned these[] = { (unsigned)pid };
	struct pid_entry entry = { 0 };

	if (root->recorded || open_info(&library, &info, NULL))
		return -ENOENT;
	fetch = library.select(info, these, 1, PIDS_SELECT_PID);
	if (fetch && fetch->counts->total == 1)
		fill(arena, fetch->stacks[0], &entry);
	library.unref(&info);
	*out = entry.user;
	return entry.user.len ? 0 : -ENOENT;
}
