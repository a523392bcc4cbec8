/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filecache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "source/child.h"
#include "source/mounts.h"
#include "source/root.h"
#include "source/smaps.h"

enum { DEADLINE_MS = 1000 };

enum refusal { REFUSED_NOT, REFUSED_TYPE, REFUSED_FILE_SYSTEM };

/* What the child answers; with it comes the descriptor where unreadable is 0. */
struct answer {
	int error;		/* errno: there is no such file */
	int unreadable;		/* errno: it may not be read */
	int refused;		/* enum refusal */
	uint64_t size, inode;
	uint32_t dev_major, dev_minor;
};

static bool may_hang(const struct mounts *mounts, const struct statx *st)
{
	struct bytes type = { NULL, 0 };

	if (st->stx_mask & STATX_MNT_ID)
		type = mounts_type_by_id(mounts, st->stx_mnt_id);
	if (!type.len)
		type = mounts_type_by_dev(mounts, st->stx_dev_major, st->stx_dev_minor);
	return !fs_class_answers(fs_class_of(type));
}

/* May block for ever: for the child alone. */
static int look(const char *path, const struct mounts *mounts, struct answer *answer)
{
	struct statx st;
	char link[40];
	int fd, path_fd = open(path, O_PATH | O_CLOEXEC);

	if (path_fd < 0 || statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
				 STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MNT_ID, &st)) {
		answer->error = errno;
		return -1;
	}
	if (may_hang(mounts, &st))
		answer->refused = REFUSED_FILE_SYSTEM;
	else if (!S_ISREG(st.stx_mode))
		answer->refused = REFUSED_TYPE;
	if (answer->refused)
		return -1;
	answer->size = st.stx_size;
	answer->inode = st.stx_ino;
	answer->dev_major = st.stx_dev_major;
	answer->dev_minor = st.stx_dev_minor;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	/* mapping the file for mincore would be an access */
	fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		answer->unreadable = errno;
	return fd;
}

static void send_answer(int socket, const struct answer *answer, int fd)
{
	struct iovec data = { (void *)(uintptr_t)answer, sizeof(*answer) };
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *head;

		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		head = CMSG_FIRSTHDR(&message);
		*head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	}
	sendmsg(socket, &message, MSG_NOSIGNAL);
}

/* What the child answers in time; false: nothing. */
static bool take_answer(const struct child *child, struct answer *answer, int *fd)
{
	struct iovec data = { answer, sizeof(*answer) };
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	struct cmsghdr *head;

	if (!child_wait(child, DEADLINE_MS) ||
	    recvmsg(child->socket, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*answer))
		return false;
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(head), sizeof(*fd));
	return true;
}

struct question {
	const char *path;
	const struct mounts *mounts;
};

static void serve(void *ctx, int socket)
{
	const struct question *question = ctx;
	struct answer answer = { 0 };
	int fd;

	child_keep(&socket, 1);
	fd = look(question->path, question->mounts, &answer);
	send_answer(socket, &answer, fd);
}

static bool ask_child(struct question *question, struct answer *answer, int *fd)
{
	struct child child;
	bool answered;

	*fd = -1;
	if (child_start(&child, SOCK_SEQPACKET, serve, question))
		return false;
	answered = take_answer(&child, answer, fd);
	child_end(&child, !answered);
	return answered;
}

static int judge(const struct answer *answer, const char *path, struct error *err)
{
	if (answer->error)
		return error_errno(err, answer->error, "%s", path);
	if (answer->refused == REFUSED_TYPE)
		return error_set(err, EINVAL, "%s: no regular file", path);
	if (answer->refused == REFUSED_FILE_SYSTEM)
		return error_set(
			err, EOPNOTSUPP,
			"%s: not opened: its file system may make its reader wait for ever", path);
	return 0;
}

static int open_file(struct filecache *file, const struct root *root, const char *path,
		     struct error *err)
{
	struct mounts mounts = { 0 };
	struct answer answer;
	struct arena arena;
	struct bytes text;
	bool answered;
	int fd, rc;

	arena_init(&arena);
	if (root_read(root, &arena, &text, NULL, "proc/self/mountinfo") == 0)
		mounts_parse(text, &arena, &mounts);
	answered = ask_child(&(struct question){ path, &mounts }, &answer, &fd);
	arena_fini(&arena);
	if (!answered)
		return error_set(err, ETIMEDOUT, "%s: stuck: its file system does not answer",
				 path);
	rc = judge(&answer, path, err);
	if (rc) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	*file = (struct filecache){
		.fd = fd,
		.size = answer.size,
		.inode = answer.inode,
		.dev_major = answer.dev_major,
		.dev_minor = answer.dev_minor,
		.reason = fd >= 0	    ? NULL :
			  answer.unreadable ? "denied: the file may not be read" :
					      "failed",
	};
	return 0;
}

/* Of one mapping of the file the kernel prints what it knows the file by. */
struct identity {
	struct filecache *file;
	uint64_t addr;
};

static void keep_base(struct filecache *file, struct bytes path)
{
	const char *slash = memrchr(path.data, '/', path.len);
	size_t skip = slash ? (size_t)(slash - path.data) + 1 : path.len;

	if (path.len - skip < sizeof(file->base))
		memcpy(file->base, path.data + skip, path.len - skip);
}

static int take_identity(void *opaque, struct vma *vma)
{
	struct identity *identity = opaque;

	if (vma->start > identity->addr || vma->end <= identity->addr)
		return 0;
	identity->file->inode = vma->inode;
	identity->file->dev_major = vma->dev_major;
	identity->file->dev_minor = vma->dev_minor;
	keep_base(identity->file, vma->path);
	return 1;
}

static void read_identity(struct filecache *file, const struct root *root)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE, file->fd, 0);
	struct identity identity = { file, (uintptr_t)at };
	struct smaps_keys keys;
	struct smaps_pass pass;
	struct procdir self;

	if (at == MAP_FAILED)
		return;
	smaps_keys_init(&keys);
	if (procdir_open(&self, root, getpid(), NULL) == 0) {
		smaps_read(&self, "maps", &keys, take_identity, &identity, &pass, NULL);
		procdir_close(&self);
	}
	munmap(at, size);
}

int filecache_open(struct filecache *file, const struct root *root, const char *path,
		   struct error *err)
{
	int rc = open_file(file, root, path, err);

	if (rc == 0 && file->fd >= 0)
		read_identity(file, root);
	return rc;
}

void filecache_close(struct filecache *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
