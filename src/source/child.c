/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "source/meter.h"

enum { NS_PER_MS = 1000000, DESCRIPTORS_MOST = 1 << 16 };

int child_start(struct child *child, int type, void (*run)(void *ctx, int socket), void *ctx)
{
	const pid_t parent = getpid();
	int sockets[2], rc;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	child->pid = fork();
	rc = child->pid < 0 ? -errno : 0;
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(sockets[0]);
		run(ctx, sockets[1]);
		_exit(0);
	}
	close(sockets[1]);
	child->socket = sockets[0];
	if (rc) {
		close(sockets[0]);
		child->pid = 0;
	}
	return rc;
}

static void close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* before Linux 5.9 */
	for (unsigned fd = first; fd <= last && fd < DESCRIPTORS_MOST; fd++)
		close((int)fd);
}

void child_keep(const int *fds, size_t count)
{
	unsigned next = 0;

	for (;;) {
		unsigned least = UINT32_MAX;

		for (size_t i = 0; i < count; i++)
			if (fds[i] >= 0 && (unsigned)fds[i] >= next && (unsigned)fds[i] < least)
				least = (unsigned)fds[i];
		if (least == UINT32_MAX)
			break;
		if (least)
			close_between(next, least - 1);
		next = least + 1;
	}
	close_between(next, UINT32_MAX);
}

bool child_wait(const struct child *child, int ms)
{
	const uint64_t end = meter_now() + (uint64_t)ms * NS_PER_MS;
	struct pollfd ready = { .fd = child->socket, .events = POLLIN };

	for (;;) {
		uint64_t now = meter_now();
		int left = now < end ? (int)((end - now + NS_PER_MS - 1) / NS_PER_MS) : 0;
		int rc = poll(&ready, 1, left);

		if (rc >= 0 || errno != EINTR)
			return rc > 0;
	}
}

bool child_sleeps(const struct child *child)
{
	char path[32], text[512];
	const char *state;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	state = strrchr(text, ')');
	return state && state[1] == ' ' && (state[2] == 'D' || state[2] == 'S');
}

/* Wait for its end, but not longer than CHILD_REAP_MS. False: it goes on. */
static bool ends(pid_t pid)
{
	const struct timespec moment = { 0, NS_PER_MS };
	struct pollfd gone = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ended;

	if (gone.fd >= 0) {
		ended = poll(&gone, 1, CHILD_REAP_MS) != 0;
		close(gone.fd);
		return ended;
	}
	/* before Linux 5.3 */
	for (unsigned i = 0; i < CHILD_REAP_MS; i++) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

void child_end(struct child *child, bool killed)
{
	if (!child->pid)
		return;
	close(child->socket);
	/* one of another user may not be killed, since CAP_KILL was dropped: the closed socket ends it */
	if (killed)
		kill(child->pid, SIGKILL);
	if (!ends(child->pid))
		kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, WNOHANG);
	child->pid = 0;
}
