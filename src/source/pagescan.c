/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagescan.h"

#include <errno.h>
#include <sys/ioctl.h>

/* struct pm_scan_arg of <linux/fs.h> since 6.7, which older headers do not have. */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

int pagescan(int pagemap_fd, struct pagescan_request *request, struct pagescan_region *regions,
	     size_t count)
{
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = request->start,
		.end = request->end,
		.vec = (uintptr_t)regions,
		.vec_len = count,
		.max_pages = request->max_pages,
		.category_anyof_mask = request->any,
		.return_mask = request->result,
	};
	int found;

	do {
		found = ioctl(pagemap_fd, SCAN_IOCTL, &arg);
	} while (found < 0 && errno == EINTR);
	if (found < 0)
		return -errno;
	/* what goes wrong must not make the caller's loop endless */
	if (arg.walk_end <= request->start || arg.walk_end > request->end)
		return -EPROTO;
	request->start = arg.walk_end;
	/*
	 * When the end of the range is reached after more regions than the kernel holds back (512),
	 * walk_end stays behind regions that are already in vec: going on from it would give them twice.
	 */
	if (found && regions[found - 1].end > request->start)
		request->start = regions[found - 1].end;
	return found;
}
