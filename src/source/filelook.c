/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filelook.h"

#include <assert.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/index.h"
#include "model/vma.h"
#include "source/child.h"
#include "source/fds.h"
#include "source/filelook_child.h"
#include "source/look_direct.h"
#include "source/look_record.h"
#include "source/mounts.h"
#include "source/root.h"
#include "source/shm.h"

enum { WINDOW = 32, BATCH_MAX = 32 * 1024 };

/* Memory that the child shares: what it has found, also if it then hangs. Hostile input for us. */
struct findings {
	_Atomic uint32_t done;
	_Atomic uint32_t stage; /* enum look_stage, of the first that is not done */
	struct look_reply replies[WINDOW];
};

/* A file and what is known of it. */
struct entry {
	struct look_key key;
	bool waiting;
	bool again; /* to be asked again: was lost with a child that hung on something else */
	bool linked;
	uint8_t type, why; /* enum look_type, look_why */
	uint32_t epoch; /* the process that it was looked at for */
};

/* What did not answer, and is not touched again: the files of a device, or what is below a directory. */
struct stuck {
	uint32_t dev_major, dev_minor;
	char *dir; /* NULL: the device */
	size_t len;
};

struct filelook {
	const struct root *root;
	const struct procdir *dir;
	struct arena arena; /* of the current process: its mounts */
	struct mounts mounts;
	bool mounts_read;
	struct look_dir look_dir;
	struct child child;
	unsigned lost; /* children that did not answer */
	struct stuck stuck[LOOK_LOST_MAX];
	unsigned stuck_count;
	struct findings *findings; /* NULL: there never was a child */
	size_t batch_len; /* of the requests that were not sent yet */
	char *batch; /* BATCH_MAX bytes, made with the first; most runs have none */
	size_t in_flight; /* requests made, in order, whose answer was not taken */
	uint32_t flight[WINDOW];
	struct entry *entries;
	size_t count, cap;
	struct index index;
	uint32_t last; /* of entries: most mappings are of the file of the one before */
	filelook_sink sink; /* NULL: files are not kept open */
	void *sink_ctx;
	uint32_t epoch; /* grows with each process */
	bool shm_asked;
	uint32_t shm_minor; /* of the kernel's own tmpfs */
	struct look_records records; /* of a recording: of the current process */
	bool records_read;
};

struct filelook *filelook_new(const struct root *root)
{
	struct filelook *filelook = mem_zalloc(sizeof(*filelook));

	filelook->root = root;
	filelook->look_dir.fd = -1;
	filelook->last = INDEX_NONE;
	arena_init(&filelook->arena);
	return filelook;
}

void filelook_free(struct filelook *filelook)
{
	if (!filelook)
		return;
	child_end(&filelook->child, filelook->in_flight > 0);
	for (unsigned i = 0; i < filelook->stuck_count; i++)
		free(filelook->stuck[i].dir);
	look_dir_leave(&filelook->look_dir);
	if (filelook->findings)
		munmap(filelook->findings, sizeof(*filelook->findings));
	arena_fini(&filelook->arena);
	index_fini(&filelook->index);
	look_records_fini(&filelook->records);
	free(filelook->entries);
	free(filelook->batch);
	free(filelook);
}

void filelook_open_files(struct filelook *filelook, filelook_sink sink, void *ctx)
{
	filelook->sink = sink;
	filelook->sink_ctx = ctx;
}

static bool is_entry(const void *list, uint32_t element, const void *key)
{
	return look_key_equal(&((const struct entry *)list)[element].key, key);
}

static uint32_t find(const struct filelook *filelook, const struct look_key *key)
{
	return index_find_by(&filelook->index, look_key_hash(key), is_entry, filelook->entries,
			     key);
}

/* Descriptors that the child has opened for a batch. */
struct opened {
	int fds[WINDOW];
	size_t count;
};

/* One request of a batch; returns where the next one begins. */
static size_t serve_one(const struct filelook *filelook, struct bytes batch, size_t at,
			struct opened *opened)
{
	struct findings *findings = filelook->findings;
	const struct look_process process = { filelook->dir, &filelook->mounts, &findings->stage };
	uint32_t done = atomic_load(&findings->done);
	struct look_request request;
	char path[LOOK_PATH_MAX + 1];
	int fd;

	memcpy(&request, batch.data + at, sizeof(request));
	at += sizeof(request);
	if (request.path_len > LOOK_PATH_MAX || request.path_len > batch.len - at || done >= WINDOW)
		_exit(1);
	memcpy(path, batch.data + at, request.path_len);
	path[request.path_len] = '\0';
	findings->replies[done] = look_at_file(&process, &request, path, &fd);
	if (fd >= 0)
		opened->fds[opened->count++] = fd;
	atomic_store(&findings->done, done + 1);
	return at + request.path_len;
}

static void serve(void *ctx, int socket)
{
	const struct filelook *filelook = ctx;
	const struct root *files = filelook->root->files;
	const int kept[] = { socket, filelook->dir->fd, filelook->root->fd,
			     files ? files->fd : -1 };
	struct opened opened = { .count = 0 };
	char batch[BATCH_MAX];
	ssize_t len;

	child_keep(kept, ARRAY_SIZE(kept));
	while ((len = recv(socket, batch, sizeof(batch), 0)) > 0) {
		const struct bytes whole = { batch, (size_t)len };

		for (size_t at = 0; at + sizeof(struct look_request) <= whole.len;)
			at = serve_one(filelook, whole, at, &opened);
		if (fds_send(socket, opened.fds, opened.count) < 0)
			break;
		while (opened.count)
			close(opened.fds[--opened.count]);
	}
}

/*
 * A process below a chroot sees the mounts below it alone, and what it maps can be of the one above, which
 * we may see. Numbers of mounts and devices are those of the machine.
 */
static void add_own_mounts(struct filelook *filelook, struct bytes *text)
{
	struct bytes root, own, both;

	if (filelook->root->recorded ||
	    procdir_readlink(filelook->dir, &filelook->arena, &root, NULL, "root") ||
	    bytes_equal(root, BYTES("/")) ||
	    root_read(filelook->root, &filelook->arena, &own, NULL, "proc/self/mountinfo"))
		return;
	both.len = text->len + own.len;
	both.data = arena_printf(&filelook->arena, "%.*s%.*s", (int)text->len, text->data,
				 (int)own.len, own.data);
	*text = both;
}

/* The mounts of the process, before the child is made that needs them. */
static void read_mounts(struct filelook *filelook)
{
	struct bytes text;
	const struct root *root = filelook->root;
	int rc;

	if (filelook->mounts_read)
		return;
	filelook->mounts_read = true;
	rc = root->core ?
		     root_read(root->files, &filelook->arena, &text, NULL, "proc/self/mountinfo") :
		     procdir_read(filelook->dir, &filelook->arena, &text, NULL, "mountinfo");
	if (rc)
		return;
	if (!root->core)
		add_own_mounts(filelook, &text);
	mounts_parse(text, &filelook->arena, &filelook->mounts);
}

/* Nothing is found yet, whatever an earlier child has left there. */
static void clear_findings(struct filelook *filelook)
{
	if (!filelook->findings)
		filelook->findings = mmap(NULL, sizeof(*filelook->findings), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (filelook->findings == MAP_FAILED)
		mem_exhausted();
	atomic_store(&filelook->findings->done, 0);
}

static enum look_why start_child(struct filelook *filelook)
{
	if (filelook->child.pid)
		return WHY_NONE;
	if (filelook->lost >= LOOK_LOST_MAX)
		return WHY_GIVEN_UP;
	read_mounts(filelook);
	return child_start(&filelook->child, SOCK_SEQPACKET, serve, filelook) ? WHY_FAILED :
										WHY_NONE;
}

/*
 * Have the child answer the batch. Each file has its time: it is over when nothing was found for so
 * long. Returns why there is no answer.
 */
static enum look_why exchange(struct filelook *filelook, struct opened *opened)
{
	uint32_t before = 0, now;
	enum look_why why;
	ssize_t count;

	clear_findings(filelook);
	why = start_child(filelook);
	if (why != WHY_NONE)
		return why;
	if (send(filelook->child.socket, filelook->batch, filelook->batch_len, MSG_NOSIGNAL) < 0)
		return WHY_FAILED;
	while (!child_wait(&filelook->child, LOOK_DEADLINE_MS)) {
		now = atomic_load(&filelook->findings->done);
		if (now <= before || now > WINDOW)
			return WHY_HANGS;
		before = now;
	}
	count = fds_receive(filelook->child.socket, opened->fds, WINDOW);
	opened->count = count < 0 ? 0 : (size_t)count;
	return count < 0 ? WHY_FAILED : WHY_NONE;
}

static void hand_on(struct filelook *filelook, const struct entry *entry,
		    const struct look_reply *reply, int fd)
{
	struct look_file file = {
		.key = entry->key,
		.type = (enum look_type)entry->type,
		.reason = entry->type == LOOK_UNKNOWN ? look_reasons[entry->why] : NULL,
		.fd = fd,
	};

	if (reply) {
		file.place = (enum look_place)reply->place;
		file.build_id =
			(struct bytes){ (const char *)reply->build_id, reply->build_id_len };
		file.dev = reply->dev;
		file.inode = reply->inode;
		file.size = reply->size;
		file.mtime_ns = reply->mtime_ns;
		file.uid = reply->uid;
	}
	filelook->sink(filelook->sink_ctx, &file);
}

static void settle(struct filelook *filelook, struct entry *entry, const struct look_reply *reply,
		   int fd)
{
	entry->type = reply->type;
	entry->why = reply->why;
	entry->linked = reply->linked == 1;
	entry->waiting = false;
	if (filelook->sink)
		hand_on(filelook, entry, reply, fd);
}

/* One answer. False where it is none that the child would give: all behind it is not used either. */
static bool take_reply(struct filelook *filelook, struct entry *entry,
		       const struct look_reply *reply, struct opened *opened)
{
	int fd = -1;

	if (reply->type > LOOK_DEVICE || reply->why >= WHY_COUNT ||
	    reply->place > LOOK_PLACE_OTHER || reply->build_id_len > LOOK_BUILD_ID_MAX ||
	    (reply->opened && !opened->count))
		return false;
	if (reply->opened) {
		fd = opened->fds[0];
		memmove(opened->fds, opened->fds + 1, --opened->count * sizeof(fd));
	}
	settle(filelook, entry, reply, fd);
	return true;
}

/* The request at index of the batch, and its path. */
static struct look_request request_at(const struct filelook *filelook, size_t index,
				      struct bytes *path)
{
	const char *at = filelook->batch;
	struct look_request request;

	for (;; index--) {
		memcpy(&request, at, sizeof(request));
		*path = (struct bytes){ at + sizeof(request), request.path_len };
		if (!index)
			return request;
		at += sizeof(request) + request.path_len;
	}
}

static size_t dir_len(struct bytes path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;

	return slash ? (size_t)(slash - path.data) + 1 : 0;
}

/* Remember what the child hangs on. Returns whether it is on the way to the file's name alone. */
static bool note_stuck(struct filelook *filelook, size_t index)
{
	uint32_t stage = atomic_load(&filelook->findings->stage);
	struct bytes path;
	struct look_request request = request_at(filelook, index, &path);
	struct stuck *stuck = &filelook->stuck[filelook->stuck_count++];

	*stuck = (struct stuck){ .dev_major = request.dev_major, .dev_minor = request.dev_minor };
	if (stage == LOOK_STAGE_FILE)
		return false;
	stuck->len = dir_len(path);
	stuck->dir = mem_alloc(stuck->len);
	memcpy(stuck->dir, path.data, stuck->len);
	return stage == LOOK_STAGE_PLACE;
}

static bool is_stuck_device(const struct filelook *filelook, const struct look_key *key)
{
	for (unsigned i = 0; i < filelook->stuck_count; i++)
		if (!filelook->stuck[i].dir && filelook->stuck[i].dev_major == key->dev_major &&
		    filelook->stuck[i].dev_minor == key->dev_minor)
			return true;
	return false;
}

static bool is_stuck_path(const struct filelook *filelook, struct bytes path)
{
	for (unsigned i = 0; i < filelook->stuck_count; i++)
		if (filelook->stuck[i].dir && path.len >= filelook->stuck[i].len &&
		    memcmp(path.data, filelook->stuck[i].dir, filelook->stuck[i].len) == 0)
			return true;
	return false;
}

/*
 * What was not answered: the first one is what it failed on, the others are to be asked again; so is a
 * first one of which all but what is in its place can be told.
 */
static void lose_replies(struct filelook *filelook, size_t taken, enum look_why first)
{
	bool first_again = first == WHY_HANGS && note_stuck(filelook, taken);

	for (size_t i = taken; i < filelook->in_flight; i++) {
		struct entry *entry = &filelook->entries[filelook->flight[i]];

		entry->waiting = false;
		entry->again = i > taken || first_again;
		entry->type = LOOK_UNKNOWN;
		entry->why = (uint8_t)(i > taken ? WHY_FAILED : first);
		if (filelook->sink && !entry->again)
			hand_on(filelook, entry, NULL, -1);
	}
	filelook->lost += filelook->child.pid != 0;
	child_end(&filelook->child, true);
}

/* Take the answers to everything that was asked. */
static void take_replies(struct filelook *filelook)
{
	struct opened opened = { .count = 0 };
	size_t taken = 0, done;
	enum look_why why;

	if (!filelook->in_flight)
		return;
	why = exchange(filelook, &opened);
	done = atomic_load(&filelook->findings->done);
	while (taken < filelook->in_flight && taken < done) {
		const struct look_reply reply = filelook->findings->replies[taken];

		if (!take_reply(filelook, &filelook->entries[filelook->flight[taken]], &reply,
				&opened))
			break;
		taken++;
	}
	while (opened.count)
		close(opened.fds[--opened.count]);
	if (taken < filelook->in_flight)
		lose_replies(filelook, taken, why == WHY_NONE ? WHY_FAILED : why);
	filelook->in_flight = 0;
	filelook->batch_len = 0;
}

void filelook_process(struct filelook *filelook, const struct procdir *dir)
{
	take_replies(filelook);
	child_end(&filelook->child, false);
	look_dir_leave(&filelook->look_dir);
	arena_fini(&filelook->arena);
	filelook->mounts = (struct mounts){ 0 };
	filelook->mounts_read = false;
	look_records_fini(&filelook->records);
	filelook->records_read = false;
	filelook->dir = dir;
	filelook->epoch++;
}

static struct look_request request_of(const struct filelook *filelook, const struct vma *vma)
{
	return (struct look_request){
		.start = vma->start,
		.end = vma->end,
		.inode = vma->inode,
		.dev_major = vma->dev_major,
		.dev_minor = vma->dev_minor,
		.path_len = (uint32_t)vma->path.len,
		.deleted = vma->deleted,
		.open = filelook->sink != NULL,
		.follow = !is_stuck_path(filelook, vma->path),
	};
}

static void ask_child(struct filelook *filelook, uint32_t entry, const struct look_request *request,
		      struct bytes path)
{
	if (filelook->in_flight == WINDOW ||
	    filelook->batch_len + sizeof(*request) + path.len > BATCH_MAX)
		take_replies(filelook);
	if (!filelook->batch)
		filelook->batch = mem_alloc(BATCH_MAX);
	memcpy(filelook->batch + filelook->batch_len, request, sizeof(*request));
	filelook->batch_len += sizeof(*request);
	memcpy(filelook->batch + filelook->batch_len, path.data, path.len);
	filelook->batch_len += path.len;
	filelook->flight[filelook->in_flight++] = entry;
}

/* Whether the file could be looked at without the child. */
static bool look_now(struct filelook *filelook, struct entry *entry,
		     const struct look_request *request, struct bytes name)
{
	const struct root *root = filelook->root;
	char path[LOOK_PATH_MAX + 1];
	struct look_reply reply;
	int fd;

	if (root->core || root->recorded || name.len > LOOK_PATH_MAX)
		return false;
	memcpy(path, name.data, name.len);
	path[name.len] = '\0';
	if (!look_directly(&filelook->look_dir, request, path, &reply, &fd))
		return false;
	settle(filelook, entry, &reply, fd);
	return true;
}

static void read_records(struct filelook *filelook)
{
	struct arena arena;
	struct bytes text;

	filelook->records_read = true;
	arena_init(&arena);
	/* without it, or where it makes no sense, copies of the files may tell */
	if (procdir_read(filelook->dir, &arena, &text, NULL, "vmview.files") == 0)
		look_records_parse(text, &filelook->records, NULL);
	arena_fini(&arena);
}

/* What a recording says of the file, with the copy that it has of an ELF file. */
static bool recall(struct filelook *filelook, struct entry *entry)
{
	const struct look_record *record;
	struct look_reply reply;
	int fd = -1;

	if (!filelook->root->recorded || filelook->root->core)
		return false;
	if (!filelook->records_read)
		read_records(filelook);
	record = look_records_find(&filelook->records, &entry->key);
	if (!record)
		return false;
	reply = record->reply;
	if (reply.opened && filelook->sink)
		fd = root_openat(filelook->root, O_RDONLY, NULL, "vmview/elf/%u:%u:%llu",
				 entry->key.dev_major, entry->key.dev_minor,
				 (unsigned long long)entry->key.inode);
	settle(filelook, entry, &reply, fd < 0 ? -1 : fd);
	return true;
}

/*
 * A memfd or a SysV segment: the kernel's own tmpfs gives no number twice, whatever the name that it
 * marks as deleted.
 */
static bool is_kernels_own(struct filelook *filelook, const struct look_key *key)
{
	if (key->dev_major)
		return false;
	if (!filelook->shm_asked && shm_device(filelook->root, &filelook->shm_minor, NULL))
		filelook->shm_minor = UINT32_MAX;
	filelook->shm_asked = true;
	return key->dev_minor == filelook->shm_minor;
}

/* Whether what is known of the file still holds. */
static bool is_known(struct filelook *filelook, const struct entry *entry)
{
	return !entry->again &&
	       (!filelook->sink || entry->epoch == filelook->epoch ||
		look_key_is_lasting(&entry->key) ||
		(entry->type != LOOK_UNKNOWN && is_kernels_own(filelook, &entry->key)));
}

/* The entry to ask about: a new one, or what is not known any more. INDEX_NONE: none, or no room. */
static uint32_t make_entry(struct filelook *filelook, const struct look_key *key)
{
	uint32_t at = find(filelook, key);

	assert(at == INDEX_NONE || filelook->entries);
	if (at == INDEX_NONE) {
		if (filelook->count >= LOOK_CACHE_MAX)
			return INDEX_NONE;
		at = (uint32_t)filelook->count++;
		filelook->entries = mem_room(filelook->entries, at, &filelook->cap,
					     sizeof(filelook->entries[0]));
		index_add(&filelook->index, look_key_hash(key), at);
	} else if (is_known(filelook, &filelook->entries[at])) {
		return INDEX_NONE;
	}
	filelook->entries[at] = (struct entry){ .key = *key,
						.waiting = true,
						.type = LOOK_UNKNOWN,
						.why = WHY_FAILED,
						.epoch = filelook->epoch };
	return at;
}

void filelook_ask(struct filelook *filelook, const struct vma *vma)
{
	const struct look_reply stuck = { .type = LOOK_UNKNOWN, .why = WHY_HANGS };
	const struct look_request request = request_of(filelook, vma);
	const struct look_key key = look_key_of(vma);
	uint32_t at = make_entry(filelook, &key);

	if (at == INDEX_NONE)
		return;
	if (is_stuck_device(filelook, &key))
		settle(filelook, &filelook->entries[at], &stuck, -1);
	else if (!recall(filelook, &filelook->entries[at]) &&
		 !look_now(filelook, &filelook->entries[at], &request, vma->path))
		ask_child(filelook, at, &request, vma->path);
}

static struct look look_of(const struct entry *entry)
{
	return (struct look){ (enum look_type)entry->type, look_reasons[entry->why],
			      entry->linked };
}

struct look filelook_get(struct filelook *filelook, const struct vma *vma)
{
	const struct look_key key = look_key_of(vma);
	const struct entry *last =
		filelook->last == INDEX_NONE ? NULL : &filelook->entries[filelook->last];
	uint32_t at;

	if (last && !last->waiting && look_key_equal(&last->key, &key) && is_known(filelook, last))
		return look_of(last);
	filelook_ask(filelook, vma);
	at = find(filelook, &key);
	if (at == INDEX_NONE)
		return (struct look){ LOOK_UNKNOWN, "not looked at: too many files", false };
	while (filelook->entries[at].waiting) {
		take_replies(filelook);
		filelook_ask(filelook, vma);
	}
	filelook->last = at;
	return look_of(&filelook->entries[at]);
}
