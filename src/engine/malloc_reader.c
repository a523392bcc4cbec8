/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/malloc_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "analysis/malloc_view.h"
#include "base/arena.h"
#include "base/error.h"
#include "engine/progress.h"
#include "model/vma_store.h"
#include "source/caps.h"
#include "source/child.h"
#include "source/elf_confine.h"
#include "source/memory.h"
#include "source/meter.h"
#include "source/root.h"

enum {
	ARENAS_SENT = 64, /* in one message */
	WORD_NS = 200000000, /* from one word of the child to the next */
	WAIT_MS = 1 << 30,
	MAPPINGS_MOST = 1 << 20,
};

enum message_kind { MESSAGE_GOES_ON, MESSAGE_ARENAS, MESSAGE_FACTS };

/* Numbers alone, so that nothing in it can be out of its range. */
struct message {
	uint64_t kind, count;
	union {
		struct {
			struct malloc_facts facts;
			uint64_t reads, bytes, sleeps, held_ns, longest_ns, confined;
		} end;
		struct malloc_arena arenas[ARENAS_SENT];
		uint64_t bytes;
	};
};

/* The child. */
struct serving {
	const struct malloc_ask *ask;
	struct memory *memory;
	struct meter meter;
	struct malloc_mapping *mappings;
	size_t mapping_count, mapping_cap;
	uint64_t deadline, next_word;
	int socket;
	struct message message;
};

static void send_message(struct serving *serving, size_t size)
{
	struct iovec part = { &serving->message, offsetof(struct message, arenas) + size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	while (sendmsg(serving->socket, &message, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			_exit(0);
}

static bool stop(void *ctx)
{
	struct serving *serving = ctx;
	uint64_t now = meter_now();

	if (now >= serving->next_word) {
		serving->next_word = now + WORD_NS;
		serving->message.kind = MESSAGE_GOES_ON;
		serving->message.bytes = serving->meter.bytes;
		send_message(serving, sizeof(serving->message.bytes));
	}
	return now >= serving->deadline;
}

static size_t read_memory(void *ctx, uint64_t addr, void *into, size_t size)
{
	return memory_read(((struct serving *)ctx)->memory, addr, into, size);
}

static void read_pages(void *ctx, uint64_t addr, size_t count, uint8_t *states)
{
	memory_pages(((struct serving *)ctx)->memory, addr, count, states);
	for (size_t i = 0; i < count; i++)
		states[i] = states[i] == PAGE_PRESENT ? MALLOC_PAGE_RESIDENT :
			    states[i] == PAGE_SWAPPED ? MALLOC_PAGE_SWAPPED :
							MALLOC_PAGE_NONE;
}

/* "libc.so.6", "libc-2.31.so". */
static bool is_libc(struct bytes path)
{
	size_t name = path.len;

	while (name && path.data[name - 1] != '/')
		name--;
	path = (struct bytes){ path.data + name, path.len - name };
	return bytes_start_with(path, BYTES("libc.so.")) ||
	       bytes_start_with(path, BYTES("libc-2."));
}

static int take_mapping(void *ctx, struct vma *vma)
{
	struct serving *serving = ctx;
	const uint8_t wanted = VMA_READ | VMA_WRITE;
	bool heap = bytes_equal(vma->path, BYTES("[heap]"));
	struct malloc_mapping *last;

	if ((vma->perm & (wanted | VMA_SHARED)) != wanted ||
	    serving->mapping_count == MAPPINGS_MOST)
		return 0;
	/* madvise() cuts it in pieces */
	last = serving->mapping_count ? &serving->mappings[serving->mapping_count - 1] : NULL;
	if (heap && last && last->heap && last->end == vma->start) {
		last->end = vma->end;
		return 0;
	}
	serving->mappings = mem_room(serving->mappings, serving->mapping_count,
				     &serving->mapping_cap, sizeof(serving->mappings[0]));
	serving->mappings[serving->mapping_count++] = (struct malloc_mapping){
		.start = vma->start,
		.end = vma->end,
		.file = vma->inode,
		.libc = is_libc(vma->path),
		.heap = heap,
	};
	return 0;
}

static void refresh(struct malloc_source *source)
{
	struct serving *serving = source->ctx;

	serving->mapping_count = 0;
	memory_mappings(serving->memory, take_mapping, serving);
	source->mappings = serving->mappings;
	source->mapping_count = serving->mapping_count;
}

static void send_look(struct serving *serving, const struct malloc_look *look, bool confined)
{
	struct message *message = &serving->message;

	for (uint64_t i = 0; i < look->facts.arenas; i += message->count) {
		uint64_t left = look->facts.arenas - i;

		message->kind = MESSAGE_ARENAS;
		message->count = left < ARENAS_SENT ? left : ARENAS_SENT;
		memcpy(message->arenas, look->arenas + i, message->count * sizeof(look->arenas[0]));
		send_message(serving, message->count * sizeof(look->arenas[0]));
	}
	message->kind = MESSAGE_FACTS;
	message->end.facts = look->facts;
	message->end.reads = serving->meter.reads;
	message->end.bytes = serving->meter.bytes;
	message->end.sleeps = serving->meter.sleeps;
	message->end.held_ns = serving->meter.total_held_ns;
	message->end.longest_ns = serving->meter.longest_ns;
	message->end.confined = confined;
	send_message(serving, sizeof(message->end));
}

static void serve(void *ctx, int socket)
{
	struct serving *serving = ctx;
	struct memory *memory = serving->memory;
	const struct confinement confinement = {
		.keep = { socket, memory->mem, memory->pagemap, memory->maps },
		.keeps = 1 + MEMORY_FILES,
		.sleeps = true,
	};
	struct malloc_source source = {
		.read = read_memory,
		.pages = read_pages,
		.refresh = refresh,
		.stop = stop,
		.ctx = serving,
		.page_size = memory->page_size,
		.swap_in = serving->ask->swap_in,
	};
	struct malloc_look look = { 0 };
	bool confined = confine(&confinement);

	serving->socket = 0;
	memory->mem = 1;
	memory->pagemap = 2;
	memory->maps = 3;
	memory->meter = &serving->meter;
	if (confined)
		malloc_look(&source, serving->ask->wide, &look);
	look.facts.bytes = serving->meter.bytes;
	send_look(serving, &look, confined);
	_exit(0);
}

/* Ours. */
struct reading {
	struct meter *meter;
	struct child child;
	struct malloc_look *look;
	size_t cap;
	uint64_t count;
	bool done;
	struct progress progress;
	struct message message;
};

static int take_arenas(struct reading *reading, size_t size)
{
	const struct message *message = &reading->message;

	if (message->count > ARENAS_SENT || size != message->count * sizeof(message->arenas[0]) ||
	    reading->count + message->count > MALLOC_ARENAS_MAX)
		return -EPROTO;
	for (uint64_t i = 0; i < message->count; i++) {
		reading->look->arenas = mem_room(reading->look->arenas, reading->count,
						 &reading->cap, sizeof(reading->look->arenas[0]));
		reading->look->arenas[reading->count++] = message->arenas[i];
	}
	return 0;
}

static int take_facts(struct reading *reading, size_t size)
{
	const struct message *message = &reading->message;
	const struct malloc_facts *facts = &message->end.facts;
	const struct meter meter = {
		.reads = message->end.reads,
		.bytes = message->end.bytes,
		.sleeps = message->end.sleeps,
		.total_held_ns = message->end.held_ns,
		.longest_ns = message->end.longest_ns,
	};

	if (size != sizeof(message->end) || facts->arenas != reading->count ||
	    facts->outcome >= MALLOC_OUTCOMES || !message->end.confined)
		return message->end.confined ? -EPROTO : -EPERM;
	reading->look->facts = *facts;
	reading->done = true;
	meter_add(reading->meter, &meter);
	return 0;
}

/* The next message. Returns 0 or -errno. */
static int take_message(struct reading *reading)
{
	struct message *message = &reading->message;
	const size_t head = offsetof(struct message, arenas);
	uint64_t ticket = meter_enter(reading->meter);
	ssize_t size;

	/* (whoever watches the meter sees how long) */
	child_wait(&reading->child, WAIT_MS);
	meter_leave(reading->meter, ticket);
	size = recv(reading->child.socket, message, sizeof(*message), MSG_DONTWAIT);
	if (size < (ssize_t)head)
		return size < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -EPIPE;
	if (message->kind == MESSAGE_ARENAS)
		return take_arenas(reading, (size_t)size - head);
	if (message->kind == MESSAGE_FACTS)
		return take_facts(reading, (size_t)size - head);
	if (message->kind != MESSAGE_GOES_ON)
		return -EPROTO;
	progress_show(&reading->progress, (size_t)(message->bytes >> 20), 0);
	return 0;
}

static int refused(int rc, const struct procdir *dir, struct error *err)
{
	static const struct {
		int rc;
		const char *why;
	} reasons[] = {
		{ -EPERM, "no process could be made that may look at memory: needs seccomp" },
		{ -EPIPE, "the process that reads it ended" },
		{ -EPROTO, "the process that reads it told nonsense" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (rc == reasons[i].rc)
			return error_set(err, -rc, "%d: malloc: %s", dir->pid, reasons[i].why);
	return error_errno(err, -rc, "%d: malloc", dir->pid);
}

static int run_child(struct reading *reading, struct serving *serving)
{
	int rc = child_start(&reading->child, SOCK_SEQPACKET, serve, serving);

	if (rc)
		return rc;
	progress_begin(&reading->progress, "MiB of memory read");
	while (rc == 0 && !reading->done)
		rc = take_message(reading);
	progress_end(&reading->progress);
	child_end(&reading->child, true);
	return rc;
}

/* The kernel gives 32-bit processes no address above 4 GiB, and 64-bit ones their stack there. */
bool malloc_is_wide(const struct vma_store *vmas)
{
	struct vma vma;

	for (size_t i = vmas->count; i; i--) {
		vma_store_get(vmas, i - 1, &vma);
		if (vma.end >> 32 && !(vma.start >> 63))
			return true;
	}
	return false;
}

int malloc_read(const struct procdir *dir, const struct malloc_ask *ask, struct malloc_look *look,
		struct error *err)
{
	struct serving *serving;
	struct reading *reading;
	struct memory memory;
	struct caps caps;
	int rc = memory_open(&memory, dir, err);

	if (rc)
		return rc;
	caps_probe(&caps, dir->root, 0);
	memory.page_size = caps.page_size;
	memory.zero_pfn = caps.zero_pfn;
	serving = mem_zalloc(sizeof(*serving));
	serving->ask = ask;
	serving->memory = &memory;
	serving->meter.fast = dir->root->meter->fast;
	serving->deadline = ask->budget_ns ? meter_now() + ask->budget_ns : UINT64_MAX;
	serving->next_word = meter_now() + WORD_NS;
	reading = mem_zalloc(sizeof(*reading));
	reading->meter = dir->root->meter;
	reading->look = look;
	*look = (struct malloc_look){ 0 };
	rc = run_child(reading, serving);
	if (rc)
		malloc_look_fini(look);
	memory_close(&memory);
	free(reading);
	free(serving);
	return rc ? refused(rc, dir, err) : 0;
}
