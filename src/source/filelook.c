/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filelook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/vma.h"
#include "source/filelook_child.h"
#include "source/mounts.h"
#include "source/root.h"

enum { WINDOW = 32, CACHE_FIRST = 64, BATCH_MAX = 32 * 1024 };

/* Memory that the child shares: what it has found, also if it then hangs. Hostile input for us. */
struct findings {
	_Atomic uint32_t done;
	struct look_reply replies[WINDOW];
};

/* A file and what is known of it. */
struct entry {
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	bool used, waiting;
	bool again; /* was lost with a child that hung on another file */
	struct look_reply reply;
};

struct filelook {
	const struct root *root;
	const struct procdir *dir;
	struct arena arena; /* of the current process: its mounts */
	struct mounts mounts;
	bool mounts_read;
	pid_t child; /* 0: none */
	int socket;
	unsigned lost; /* children that did not answer */
	struct findings *findings;
	size_t batch_len; /* of the requests that were not sent yet */
	char batch[BATCH_MAX];
	size_t in_flight; /* requests made, in order, whose answer was not taken */
	struct entry *flight[WINDOW];
	size_t count, size; /* of the cache */
	struct entry *cache;
};

struct filelook *filelook_new(const struct root *root)
{
	struct filelook *filelook = mem_zalloc(sizeof(*filelook));

	filelook->root = root;
	filelook->size = CACHE_FIRST;
	filelook->cache = mem_zalloc(filelook->size * sizeof(filelook->cache[0]));
	arena_init(&filelook->arena);
	filelook->findings = mmap(NULL, sizeof(*filelook->findings), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (filelook->findings == MAP_FAILED)
		error_no_memory();
	return filelook;
}

/* The child ends by itself when its socket is closed; one that hangs is not waited for. */
static void end_child(struct filelook *filelook, bool hangs)
{
	if (!filelook->child)
		return;
	close(filelook->socket);
	if (hangs)
		kill(filelook->child, SIGKILL);
	waitpid(filelook->child, NULL, hangs ? WNOHANG : 0);
	filelook->child = 0;
	filelook->lost += hangs;
}

void filelook_free(struct filelook *filelook)
{
	if (!filelook)
		return;
	end_child(filelook, filelook->in_flight > 0);
	munmap(filelook->findings, sizeof(*filelook->findings));
	arena_fini(&filelook->arena);
	free(filelook->cache);
	free(filelook);
}

static size_t hash_of(const struct vma *vma)
{
	uint64_t key = vma->inode * 0x9e3779b97f4a7c15u ^
		       ((uint64_t)vma->dev_major << 32 | vma->dev_minor) * 0xc2b2ae3d27d4eb4fu;

	return (size_t)(key ^ key >> 32);
}

static struct entry *find(struct filelook *filelook, const struct vma *vma)
{
	for (size_t i = hash_of(vma);; i++) {
		struct entry *entry = &filelook->cache[i & (filelook->size - 1)];

		if (!entry->used)
			return entry;
		if (entry->inode == vma->inode && entry->dev_major == vma->dev_major &&
		    entry->dev_minor == vma->dev_minor)
			return entry;
	}
}

/* One request of a batch; returns where the next one begins. */
static size_t serve_one(const struct filelook *filelook, const char *batch, size_t at, size_t len)
{
	struct findings *findings = filelook->findings;
	uint32_t done = atomic_load(&findings->done);
	struct look_request request;
	char path[LOOK_PATH_MAX + 1];

	memcpy(&request, batch + at, sizeof(request));
	at += sizeof(request);
	if (request.path_len > LOOK_PATH_MAX || request.path_len > len - at || done >= WINDOW)
		_exit(1);
	memcpy(path, batch + at, request.path_len);
	path[request.path_len] = '\0';
	findings->replies[done] = look_at_file(filelook->dir, &filelook->mounts, &request, path);
	atomic_store(&findings->done, done + 1);
	return at + request.path_len;
}

static void serve(const struct filelook *filelook, int fd)
{
	static const char ready = 1;
	char batch[BATCH_MAX];
	ssize_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((len = recv(fd, batch, sizeof(batch), 0)) > 0) {
		for (size_t at = 0; at + sizeof(struct look_request) <= (size_t)len;)
			at = serve_one(filelook, batch, at, (size_t)len);
		if (send(fd, &ready, 1, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* The mounts of the process, before the child is made that needs them. */
static void read_mounts(struct filelook *filelook)
{
	struct bytes text;

	filelook->mounts_read = true;
	if (procdir_read(filelook->dir, &filelook->arena, &text, NULL, "mountinfo") == 0)
		mounts_parse(text, &filelook->arena, &filelook->mounts);
}

static bool start_child(struct filelook *filelook)
{
	int sockets[2];

	if (filelook->child)
		return true;
	if (filelook->lost >= LOOK_LOST_MAX ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return false;
	if (!filelook->mounts_read)
		read_mounts(filelook);
	filelook->child = fork();
	if (filelook->child == 0) {
		close(sockets[0]);
		serve(filelook, sockets[1]);
	}
	close(sockets[1]);
	if (filelook->child < 0) {
		filelook->child = 0;
		close(sockets[0]);
		return false;
	}
	filelook->socket = sockets[0];
	return true;
}

static void all_unknown(struct filelook *filelook, enum look_why first)
{
	for (size_t i = 0; i < filelook->in_flight; i++) {
		filelook->flight[i]->waiting = false;
		filelook->flight[i]->again = i > 0;
		filelook->flight[i]->reply =
			(struct look_reply){ .type = LOOK_UNKNOWN,
					     .why = (uint8_t)(i ? WHY_FAILED : first) };
	}
	filelook->in_flight = 0;
}

/* Whether the child answers the batch before the time is over that its requests have together. */
static bool exchange(struct filelook *filelook)
{
	struct pollfd ready = { .events = POLLIN };
	uint32_t before = 0, now;
	char byte;

	if (!start_child(filelook))
		return false;
	atomic_store(&filelook->findings->done, 0);
	if (send(filelook->socket, filelook->batch, filelook->batch_len, MSG_NOSIGNAL) < 0)
		return false;
	ready.fd = filelook->socket;
	for (;;) {
		if (poll(&ready, 1, LOOK_DEADLINE_MS) > 0)
			return recv(filelook->socket, &byte, 1, 0) == 1;
		now = atomic_load(&filelook->findings->done);
		if (now <= before || now > WINDOW)
			return false;
		before = now;
	}
}

/* Take the answers to everything that was asked. */
static void take_replies(struct filelook *filelook)
{
	size_t taken = 0, done;
	bool answered;

	if (!filelook->in_flight)
		return;
	answered = exchange(filelook);
	done = atomic_load(&filelook->findings->done);
	for (; taken < filelook->in_flight && taken < done; taken++) {
		struct look_reply reply = filelook->findings->replies[taken];

		if (reply.type > LOOK_DEVICE || reply.why >= WHY_COUNT)
			break;
		filelook->flight[taken]->reply = reply;
		filelook->flight[taken]->waiting = false;
	}
	if (taken < filelook->in_flight) {
		filelook->in_flight -= taken;
		memmove(filelook->flight, filelook->flight + taken,
			filelook->in_flight * sizeof(filelook->flight[0]));
		all_unknown(filelook, answered ? WHY_FAILED : WHY_HANGS);
		end_child(filelook, true);
	}
	filelook->in_flight = 0;
	filelook->batch_len = 0;
}

void filelook_process(struct filelook *filelook, const struct procdir *dir)
{
	take_replies(filelook);
	end_child(filelook, false);
	arena_fini(&filelook->arena);
	filelook->mounts = (struct mounts){ 0 };
	filelook->mounts_read = false;
	filelook->dir = dir;
}

static void add_request(struct filelook *filelook, const struct vma *vma)
{
	struct look_request request = {
		.start = vma->start,
		.end = vma->end,
		.inode = vma->inode,
		.dev_major = vma->dev_major,
		.dev_minor = vma->dev_minor,
		.path_len = (uint32_t)vma->path.len,
		.deleted = vma->deleted,
	};

	memcpy(filelook->batch + filelook->batch_len, &request, sizeof(request));
	filelook->batch_len += sizeof(request);
	memcpy(filelook->batch + filelook->batch_len, vma->path.data, vma->path.len);
	filelook->batch_len += vma->path.len;
}

static void grow_cache(struct filelook *filelook)
{
	struct entry *old = filelook->cache;
	size_t old_size = filelook->size;

	take_replies(filelook);
	filelook->size *= 2;
	filelook->cache = mem_zalloc(filelook->size * sizeof(filelook->cache[0]));
	for (size_t i = 0; i < old_size; i++) {
		struct vma key = { .inode = old[i].inode,
				   .dev_major = old[i].dev_major,
				   .dev_minor = old[i].dev_minor };

		if (old[i].used)
			*find(filelook, &key) = old[i];
	}
	free(old);
}

void filelook_ask(struct filelook *filelook, const struct vma *vma)
{
	struct entry *entry = find(filelook, vma);

	if (entry->used ? !entry->again : filelook->count >= LOOK_CACHE_MAX)
		return;
	if (filelook->count * 2 >= filelook->size) {
		grow_cache(filelook);
		entry = find(filelook, vma);
	}
	if (filelook->in_flight == WINDOW ||
	    filelook->batch_len + sizeof(struct look_request) + vma->path.len > BATCH_MAX)
		take_replies(filelook);
	filelook->count += !entry->used;
	*entry = (struct entry){ .inode = vma->inode,
				 .dev_major = vma->dev_major,
				 .dev_minor = vma->dev_minor,
				 .used = true,
				 .waiting = true,
				 .reply = { .type = LOOK_UNKNOWN, .why = WHY_FAILED } };
	add_request(filelook, vma);
	filelook->flight[filelook->in_flight++] = entry;
}

struct look filelook_get(struct filelook *filelook, const struct vma *vma)
{
	struct entry *entry;

	filelook_ask(filelook, vma);
	entry = find(filelook, vma);
	if (entry->waiting)
		take_replies(filelook);
	if (!entry->used)
		return (struct look){ LOOK_UNKNOWN, "not looked at: too many files", false };
	return (struct look){ (enum look_type)entry->reply.type, look_reasons[entry->reply.why],
			      entry->reply.linked == 1 };
}
