/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/slurp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "source/meter.h"
#include "source/root.h"

enum { FIRST = 8192 };

void slurp_fini(struct slurp *slurp)
{
	free(slurp->buf);
	*slurp = SLURP_EMPTY;
}

/* A read that does not fill the buffer was the last: proc files give all they have. */
static ssize_t read_to_end(struct slurp *slurp, struct meter *meter, int fd, size_t most, bool held)
{
	size_t len = 0;

	for (;;) {
		size_t room = slurp->cap - len;
		ssize_t done = held ? meter_read_held(meter, fd, slurp->buf + len, room) :
				      meter_read(meter, fd, slurp->buf + len, room);

		if (done < 0)
			return done;
		len += (size_t)done;
		if ((size_t)done < room || len > most)
			return (ssize_t)len;
		slurp->buf = mem_grow(slurp->buf, slurp->cap *= 2, 1);
	}
}

int slurp_read_fd(struct slurp *slurp, struct meter *meter, int fd, size_t most, bool held,
		  struct bytes *out, bool *cut)
{
	ssize_t len;

	if (!slurp->buf)
		slurp->buf = mem_alloc(slurp->cap = FIRST);
	len = read_to_end(slurp, meter, fd, most, held);
	if (len < 0)
		return (int)len;
	if (cut)
		*cut = (size_t)len > most;
	*out = (struct bytes){ slurp->buf, (size_t)len > most ? most : (size_t)len };
	return 0;
}

int slurp_read(struct slurp *slurp, const struct procdir *dir, const char *name, size_t most,
	       bool held, struct bytes *out, bool *cut)
{
	int fd = procdir_open_file(dir, O_RDONLY, name), rc;

	if (fd < 0)
		return fd;
	rc = slurp_read_fd(slurp, dir->root->meter, fd, most, held, out, cut);
	close(fd);
	return rc;
}
