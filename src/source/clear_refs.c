/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/clear_refs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "source/meter.h"
#include "source/root.h"

int clear_refs(const struct procdir *dir, enum clear_refs_what what, uint64_t *took_ns,
	       struct error *err)
{
	const char text = (char)('0' + what);
	struct meter_hold hold;
	uint64_t begin;
	ssize_t done;
	int fd, rc;

	if (dir->core || dir->root->recorded)
		return error_set(err, EROFS, "%d: clear_refs: not a living process", dir->pid);
	/* root_openat() opens nothing for writing */
	fd = openat(dir->fd, "clear_refs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, errno, "/proc/%s/clear_refs", dir->name);
	hold = meter_hold_begin(dir->root->meter);
	begin = meter_now();
	done = write(fd, &text, 1);
	rc = done < 0 ? -errno : done == 1 ? 0 : -EIO;
	*took_ns = meter_now() - begin;
	meter_hold_end(dir->root->meter, &hold, 1);
	close(fd);
	return rc ? error_errno(err, -rc, "/proc/%s/clear_refs", dir->name) : 0;
}
