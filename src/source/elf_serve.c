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

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int elf_send_request(int socket, int fd, const struct elf_request *request)
{
	struct elf_request copy = *request;
	struct iovec part = { &copy, sizeof(copy) };
	union control control = { .header.cmsg_len = CMSG_LEN(sizeof(int)),
				  .header.cmsg_level = SOL_SOCKET,
				  .header.cmsg_type = SCM_RIGHTS };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The next request and its descriptor; false at the end. */
static bool take_request(int socket, struct elf_request *request, int *fd)
{
	struct iovec part = { request, sizeof(*request) };
	union control control = { .room = "" };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t len;

	do
		len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	while (len < 0 && errno == EINTR);
	if (len != sizeof(*request) || control.header.cmsg_type != SCM_RIGHTS ||
	    control.header.cmsg_len != CMSG_LEN(sizeof(int)))
		return false;
	memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	return true;
}

/* sendmsg(2), for send(2) is another system call than those that are left. */
static int emit(void *ctx, const char *frames, size_t len)
{
	const int *socket = ctx;

	while (len) {
		struct iovec part = { (void *)(uintptr_t)frames, len };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t done = sendmsg(*socket, &message, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		frames += done;
		len -= (size_t)done;
	}
	return 0;
}

/* How much CPU the process has had. */
static uint64_t cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}
static void answer(int socket, int fd, const struct elf_request *request, bool confined)
{
	uint64_t used = cpu_ms();
	struct out out;

	out_init_memory(&out);
	elf_put_cpu(&out, (uint32_t)used);
	if (!confined)
		elf_put_end(&out, ELF_WHY_UNCONFINED);
	/* a file may take as much again as is left: rather another process for it */
	if (emit(&socket, out.buf, out.len) || used >= ELF_CPU_MOST_MS ||
	    (confined && elf_parse(fd, request, emit, &socket)))
		_exit(0);
	out_fini(&out);
}

_Noreturn void elf_serve(int socket)
{
	bool confined = elf_confine(socket);
	struct elf_request request;
	int fd;

	while (take_request(0, &request, &fd)) {
		answer(0, fd, &request, confined);
		close(fd);
	}
	_exit(0);
}
