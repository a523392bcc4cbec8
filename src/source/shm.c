/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/shm.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "source/host.h"
#include "source/root.h"

int shm_device(const struct root *root, uint32_t *minor_out, struct error *err)
{
	struct stat st;
	int fd, rc = 0;

	if (root->recorded) {
		*minor_out = host_shm_minor(root);
		return 0;
	}
	fd = memfd_create("", MFD_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "memfd_create");
	if (fstat(fd, &st) < 0)
		rc = error_errno(err, errno, "memfd");
	else
		*minor_out = minor(st.st_dev);
	close(fd);
	return rc;
}
