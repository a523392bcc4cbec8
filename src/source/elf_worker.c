/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/child.h"
#include "source/elf_serve.h"
#include "source/elf_wire.h"
#include "source/meter.h"

enum {
	WINDOW = ELF_BATCH_MAX,	/* files that are asked for before the first answer is taken */
	BATCH = ELF_BATCH_MAX / 2,	/* of them that are sent together */
	BUFFER = 64 << 10,
	ASLEEP_MS = 250,	/* how often it is looked at whether the process sleeps, */
	ASLEEP_TIMES = 4,	/* and how often it has to, each time, to be given up */
};

/* A file that was asked for: kept open, for it has to be asked again where the process crashed. */
struct flight {
	int fd;
	struct elf_request request;
	struct elf_job *job;
};

struct elf_worker {
	struct child child;
	unsigned crashes, ended;	/* children */
	bool answered;		/* the child has answered something */
	size_t in_flight, sent;	/* sent: the first ones of flight */
	struct flight flight[WINDOW];
	struct elf_decoder decoder;	/* of the first in flight */
	uint64_t deadline;		/* of it; meter_now(), 0: nobody waits yet */
	char *buf;
	size_t begin, end, cap;		/* bytes of buf that are not used up */
};

struct elf_worker *elf_worker_new(void)
{
	struct elf_worker *worker = mem_zalloc(sizeof(*worker));

	worker->cap = BUFFER;
	worker->buf = mem_alloc(worker->cap);
	return worker;
}

static void end_child(struct elf_worker *worker)
{
	if (!worker->child.pid)
		return;
	child_end(&worker->child, true);
	worker->ended++;
	worker->begin = worker->end = 0;
	worker->answered = false;
	worker->sent = 0;
}

void elf_worker_free(struct elf_worker *worker)
{
	if (!worker)
		return;
	end_child(worker);
	for (size_t i = 0; i < worker->in_flight; i++)
		close(worker->flight[i].fd);
	free(worker->buf);
	free(worker);
}

static void serve(void *ctx, int socket)
{
	(void)ctx;
	elf_serve(socket);
}

static bool start_child(struct elf_worker *worker)
{
	return worker->child.pid || child_start(&worker->child, SOCK_STREAM, serve, NULL) == 0;
}

void elf_worker_start(struct elf_worker *worker)
{
	start_child(worker);
}

/* The first in flight is what is decoded now. */
static void begin_first(struct elf_worker *worker)
{
	struct elf_job *job = worker->flight[0].job;

	if (!worker->in_flight)
		return;
	worker->decoder = (struct elf_decoder){ .object = job->object,
						.arena = job->arena,
						.core = job->core };
	worker->deadline = 0;
}

static void end_first(struct elf_worker *worker, enum elf_why why)
{
	struct flight *first = &worker->flight[0];
	struct elf_job *job = first->job;

	if (why != ELF_WHY_NONE) {
		object_fini(job->object);
		memset(job->object, 0, sizeof(*job->object));
	}
	job->why = why;
	job->done = true;
	close(first->fd);
	worker->in_flight--;
	worker->sent -= worker->sent > 0;
	memmove(first, first + 1, worker->in_flight * sizeof(*first));
	begin_first(worker);
}

static void give_up(struct elf_worker *worker)
{
	while (worker->in_flight)
		end_first(worker, ELF_WHY_GIVEN_UP);
}

static bool is_given_up(const struct elf_worker *worker)
{
	return worker->crashes >= ELF_CRASHES_MAX;
}

/* Send what was not sent yet. Returns 0 or -errno. */
static int send_all(struct elf_worker *worker)
{
	struct elf_request requests[WINDOW];
	int fds[WINDOW], rc;
	size_t count = worker->in_flight - worker->sent;

	for (size_t i = 0; i < count; i++) {
		requests[i] = worker->flight[worker->sent + i].request;
		fds[i] = worker->flight[worker->sent + i].fd;
	}
	rc = elf_send_requests(worker->child.socket, fds, requests, count);
	if (rc == 0)
		worker->sent = worker->in_flight;
	return rc;
}

/* Another process, if one may be started: for all that is in flight. */
static void send_again(struct elf_worker *worker)
{
	if (is_given_up(worker) || !start_child(worker)) {
		give_up(worker);
		return;
	}
	begin_first(worker);
	if (send_all(worker) == 0)
		return;
	end_child(worker);
	give_up(worker);
}

/* The process ended, hangs or talks nonsense: that is the first one's doing. */
static void lose_child(struct elf_worker *worker, enum elf_why why)
{
	end_child(worker);
	worker->crashes++;
	end_first(worker, why);
	if (worker->in_flight)
		send_again(worker);
}

/* Whole frames that are in the buffer. */
static int use_frames(struct elf_worker *worker)
{
	uint32_t len;

	while (worker->in_flight && worker->end - worker->begin >= sizeof(len)) {
		const char *at = worker->buf + worker->begin;

		memcpy(&len, at, sizeof(len));
		if (len > ELF_FRAME_MAX)
			return -EPROTO;
		if (worker->end - worker->begin < sizeof(len) + len)
			break;
		worker->begin += sizeof(len) + len;
		if (elf_decode(&worker->decoder, (struct bytes){ at + sizeof(len), len }))
			return -EPROTO;
		if (worker->decoder.ended) {
			worker->answered = true;
			end_first(worker, worker->decoder.why);
		}
	}
	return 0;
}

static void make_room(struct elf_worker *worker)
{
	if (worker->begin) {
		memmove(worker->buf, worker->buf + worker->begin, worker->end - worker->begin);
		worker->end -= worker->begin;
		worker->begin = 0;
	}
	if (worker->end < worker->cap)
		return;
	worker->cap *= 2;	/* a frame that is longer; ELF_FRAME_MAX bounds it */
	worker->buf = mem_grow(worker->buf, worker->cap, 1);
}

/* The time runs from when we begin to wait: before that we may have been long at other things. */
static int time_left(struct elf_worker *worker)
{
	uint64_t now = meter_now();

	if (!worker->deadline)
		worker->deadline = now + ELF_DEADLINE_MS * 1000000ull;
	return now < worker->deadline ? (int)((worker->deadline - now) / 1000000) + 1 : 0;
}

/* Wait for the child to say something; one that sleeps all the time waits for the file's file system. */
static enum elf_why wait_for_child(struct elf_worker *worker)
{
	unsigned asleep = 0;
	int left;

	while ((left = time_left(worker)) > 0) {
		if (child_wait(&worker->child, left < ASLEEP_MS ? left : ASLEEP_MS))
			return ELF_WHY_NONE;
		asleep = child_sleeps(&worker->child) ? asleep + 1 : 0;
		if (asleep == ASLEEP_TIMES)
			return ELF_WHY_STUCK;
	}
	return ELF_WHY_HANGS;
}

/* It ends by itself where its CPU is nearly used up; to have done that without any work is a lie. */
static void end_of_child(struct elf_worker *worker)
{
	if (worker->decoder.cpu_ms < ELF_CPU_MOST_MS || !worker->answered) {
		lose_child(worker, ELF_WHY_CRASHED);
		return;
	}
	end_child(worker);
	send_again(worker);
}

/* Take what has come; waits for something. Progress or the deadline ends it. */
static void take_some(struct elf_worker *worker)
{
	enum elf_why why;
	ssize_t len;

	make_room(worker);
	why = wait_for_child(worker);
	if (why != ELF_WHY_NONE) {
		lose_child(worker, why);
		return;
	}
	len = recv(worker->child.socket, worker->buf + worker->end, worker->cap - worker->end, 0);
	if (len <= 0) {
		end_of_child(worker);
		return;
	}
	worker->end += (size_t)len;
	if (use_frames(worker))
		lose_child(worker, ELF_WHY_CRASHED);
}

/* What was asked for is sent together, once it is many or an answer is wanted. */
static void flush(struct elf_worker *worker)
{
	unsigned ended;
	int rc;

	if (worker->sent == worker->in_flight)
		return;
	if (!worker->child.pid) {
		send_again(worker);
		return;
	}
	rc = send_all(worker);
	if (rc == -EPIPE || rc == -ECONNRESET) {
		/* it has ended: what it said before tells why; the next one is sent everything again */
		for (ended = worker->ended; worker->ended == ended && worker->in_flight;)
			take_some(worker);
	} else if (rc) {
		lose_child(worker, ELF_WHY_CRASHED);
	}
}

void elf_worker_ask(struct elf_worker *worker, int fd, const struct elf_request *request,
		    struct elf_job *job)
{
	job->done = false;
	while (worker->in_flight == WINDOW) {
		flush(worker);
		if (worker->in_flight == WINDOW)
			take_some(worker);
	}
	worker->flight[worker->in_flight++] = (struct flight){ fd, *request, job };
	if (worker->in_flight == 1)
		begin_first(worker);
	if (worker->in_flight - worker->sent >= BATCH || is_given_up(worker))
		flush(worker);
}

void elf_worker_wait(struct elf_worker *worker, const struct elf_job *job)
{
	flush(worker);
	while (!job->done)
		take_some(worker);
}

unsigned elf_worker_crashes(const struct elf_worker *worker)
{
	return worker->crashes;
}
