/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_serve.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/out.h"
#include "base/wire.h"
#include "source/elf_confine.h"
#include "source/elf_library.h"
#include "source/elf_parse.h"
#include "source/elf_wire.h"

enum {
	SEND_MOST = 64 << 10,
	CPU_ASK_NS = 10000000,	/* how long what is known of the CPU time is good for */
};

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(ELF_BATCH_MAX * sizeof(int))];
};

int elf_send_requests(int socket, const int *fds, const struct elf_request *requests, size_t count)
{
	struct iovec part = { (void *)(uintptr_t)requests, count * sizeof(*requests) };
	union control control = { .header.cmsg_len = CMSG_LEN(count * sizeof(int)),
				  .header.cmsg_level = SOL_SOCKET,
				  .header.cmsg_type = SCM_RIGHTS };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Requests with their descriptors. */
struct batch {
	struct elf_request requests[ELF_BATCH_MAX];
	int fds[ELF_BATCH_MAX];
	size_t count;
};

/* The next batch. flags: MSG_DONTWAIT. Returns 0, -EAGAIN, or another error at the end. */
static int take_batch(int socket, struct batch *batch, int flags)
{
	struct iovec part = { batch->requests, sizeof(batch->requests) };
	union control control = { .room = "" };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t len;

	do
		len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	batch->count = (size_t)len / sizeof(batch->requests[0]);
	/* a stream, but what comes with descriptors is never joined with what comes behind it */
	if (!batch->count || control.header.cmsg_type != SCM_RIGHTS ||
	    control.header.cmsg_len != CMSG_LEN(batch->count * sizeof(int)))
		return -EPROTO;
	memcpy(batch->fds, CMSG_DATA(&control.header), batch->count * sizeof(int));
	return 0;
}

struct server {
	int socket;
	bool confined;
	struct elf_library library;
	uint64_t cpu_ns, cpu_when;	/* CPU that the process had had, and when that was (monotonic) */
	struct out out;		/* answers that were not sent yet */
};

/* sendmsg(2), for send(2) is another system call than those that are left. */
static void flush(struct server *server)
{
	const char *at = server->out.buf;

	while (server->out.len) {
		struct iovec part = { (void *)(uintptr_t)at, server->out.len };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t done = sendmsg(server->socket, &message, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			_exit(0);
		at += done;
		server->out.len -= (size_t)done;
	}
}

static int emit(void *ctx, const char *frames, size_t len)
{
	struct server *server = ctx;

	out_mem(&server->out, frames, len);
	if (server->out.len > SEND_MOST)
		flush(server);
	return 0;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/*
 * How much CPU the process has had. To ask takes a system call, the time of day none: for a while it can
 * not have had more since than the time that has passed.
 */
static uint64_t cpu_ms(struct server *server)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), since = now - server->cpu_when;

	if (!server->cpu_when || since > CPU_ASK_NS) {
		server->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		server->cpu_when = now;
		since = 0;
	}
	return (server->cpu_ns + since) / 1000000;
}

static void answer(struct server *server, int fd, const struct elf_request *request)
{
	uint64_t used = cpu_ms(server);

	elf_put_cpu(&server->out, (uint32_t)used);
	/* a file may take as much again as is left: rather another process for it */
	if (used >= ELF_CPU_MOST_MS) {
		flush(server);
		_exit(0);
	}
	if (server->confined)
		elf_parse(&server->library, fd, request, emit, server);
	else
		elf_put_end(&server->out, ELF_WHY_UNCONFINED);
}

_Noreturn void elf_serve(int socket)
{
	struct server server = { .socket = 0 };
	struct batch batch;
	int rc;

	server.confined = elf_library_open(&server.library) && elf_confine(socket);
	out_init_memory(&server.out);
	for (;;) {
		rc = take_batch(server.socket, &batch, server.out.len ? MSG_DONTWAIT : 0);
		if (rc == -EAGAIN) {
			flush(&server);
			continue;
		}
		if (rc)
			_exit(0);
		for (size_t i = 0; i < batch.count; i++) {
			answer(&server, batch.fds[i], &batch.requests[i]);
			close(batch.fds[i]);
		}
	}
}
