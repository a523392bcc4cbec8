/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/fds.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

int fds_send(int socket, const int *fds, size_t count)
{
	char byte = 1;
	struct iovec part = { &byte, 1 };
	union control control = { .room = "" };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count > FDS_MAX)
		return -EINVAL;
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

ssize_t fds_receive(int socket, int *fds, size_t max)
{
	char byte;
	struct iovec part = { &byte, 1 };
	union control control = { .room = "" };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	const struct cmsghdr *header;
	size_t count = 0;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -EPROTO;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = max; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
		close(fd);
	}
	count = count < max ? count : max;
	if (count)
		memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	return (ssize_t)count;
}
