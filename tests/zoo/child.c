/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void child_ready(struct zoo *zoo)
{
	if (zoo->tell >= 0 && write(zoo->tell, "", 1) == 1)
		close(zoo->tell);
	zoo->tell = -1;
}

void child_sleep(void)
{
	for (;;)
		pause();
}

bool child_wait(int fd)
{
	ssize_t n;
	char c;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	return n == 1;
}

static _Noreturn void child_main(struct zoo *zoo, void (*run)(struct zoo *zoo, void *arg),
				 void *arg, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* 0: the parent is outside of our PID namespace */
	if (getppid() != parent && getppid() != 0)
		_exit(1);
	zoo->child_count = 0;
	run(zoo, arg);
	child_ready(zoo);
	child_sleep();
}

pid_t child_fork(struct zoo *zoo, void (*run)(struct zoo *zoo, void *arg), void *arg, int *fd)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	fflush(zoo->out);
	if (zoo->child_count == ZOO_CHILDREN_MAX || pipe2(fds, O_CLOEXEC))
		zoo_die("%s: no more children", zoo->animal);
	pid = fork();
	if (pid < 0)
		zoo_die("%s: fork: %s", zoo->animal, strerror(errno));
	if (!pid) {
		close(fds[0]);
		if (zoo->tell >= 0)
			close(zoo->tell);
		zoo->tell = fds[1];
		child_main(zoo, run, arg, parent);
	}
	close(fds[1]);
	*fd = fds[0];
	zoo->children[zoo->child_count++] = pid;
	return pid;
}

pid_t child_start(struct zoo *zoo, void (*run)(struct zoo *zoo, void *arg), void *arg)
{
	int fd;
	pid_t pid = child_fork(zoo, run, arg, &fd);

	if (!child_wait(fd))
		zoo_die("%s: a child died", zoo->animal);
	return pid;
}

void child_end(struct zoo *zoo, pid_t pid)
{
	for (size_t i = 0; i < zoo->child_count; i++) {
		if (zoo->children[i] != pid)
			continue;
		zoo->children[i] = zoo->children[--zoo->child_count];
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return;
	}
}
