/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "model/page.h"
#include "source/host.h"
#include "source/pagescan.h"
#include "source/root.h"
#include "source/thp.h"

static const char needs_admin[] = "denied: needs CAP_SYS_ADMIN";
static const char needs_dac[] = "denied: needs root or CAP_DAC_READ_SEARCH";

static const char *const caps_names[CAPS_COUNT] = {
	[CAPS_SCAN] = "scan",
	[CAPS_GUARD] = "guard",
	[CAPS_FRAMES] = "frames",
	[CAPS_FLAGS] = "flags",
	[CAPS_COUNTS] = "counts",
	[CAPS_CGROUPS] = "cgroups",
	[CAPS_SOFT_DIRTY] = "soft-dirty",
};

int caps_parse(const char *list, unsigned *bits, struct error *err)
{
	unsigned found = 0;

	while (*list) {
		size_t len = strcspn(list, ",");
		int bit = 0;

		while (bit < CAPS_COUNT &&
		       !bytes_equal(bytes_of(caps_names[bit]), (struct bytes){ list, len }))
			bit++;
		if (bit == CAPS_COUNT)
			return error_set(err, EINVAL, "no such capability: %.*s", (int)len, list);
		found |= 1u << bit;
		list += len;
		list += *list == ',';
	}
	*bits = found;
	return 0;
}

static void set(struct caps *caps, enum cap_bit bit, const char *reason)
{
	if (!caps->reason[bit])
		caps->reason[bit] = reason;
}

/* These have one for each colour of their caches. */
#if defined(__s390x__) || defined(__mips__)
static const bool one_zero_page = false;
#else
static const bool one_zero_page = true;
#endif

/* Our own page: written, so that a kernel with soft-dirty tracking marks it; read, a zero page. */
static void probe_pages(struct caps *caps, int pagemap, char *pages)
{
	size_t size = caps->page_size;
	uint64_t words[2] = { 0 };
	off_t offset = (off_t)((uintptr_t)pages / size * sizeof(*words));

	pages[0] = 1;
	(void)*(volatile char *)(pages + size);
	if (pread(pagemap, words, sizeof(words), offset) != sizeof(words))
		return;
	if (!pagemap_pfn(words[0]))
		set(caps, CAPS_FRAMES, needs_admin);
	if (!(words[0] & PAGEMAP_SOFT_DIRTY))
		set(caps, CAPS_SOFT_DIRTY,
		    "unsupported: this kernel does not track soft-dirty pages");
	/* where the second page is not the zero page, it is ours alone */
	if (one_zero_page && caps_has(caps, CAPS_FRAMES) && words[1] & PAGEMAP_PRESENT &&
	    !(words[1] & PAGEMAP_EXCLUSIVE))
		caps->zero_pfn = pagemap_pfn(words[1]);
}

static void probe_scan(struct caps *caps, int pagemap, uint64_t addr)
{
	struct pagescan_request request = {
		.start = addr,
		.end = addr + caps->page_size,
		.any = PAGESCAN_PRESENT,
		.result = PAGESCAN_PRESENT,
	};
	struct pagescan_region region = { 0 };

	if (pagescan(pagemap, &request, &region, 1) < 0) {
		set(caps, CAPS_SCAN, "unsupported: needs PAGEMAP_SCAN (Linux 6.7)");
		set(caps, CAPS_GUARD, "unsupported: needs PAGEMAP_SCAN (Linux 6.7)");
		return;
	}
	request.result |= PAGESCAN_GUARD;
	request.start = addr;
	if (pagescan(pagemap, &request, &region, 1) < 0)
		set(caps, CAPS_GUARD, "unsupported: needs PAGE_IS_GUARD (Linux 6.16)");
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &header, data) || data[0].permitted || data[1].permitted;
}

/*
 * The files of a process that is not dumpable belong to root: for everybody else we have to be
 * dumpable while we open our own. Without a capability there is nothing to take from us then.
 */
static int open_own(const struct root *root)
{
	int fd = root_openat(root, O_RDONLY, NULL, "proc/self/pagemap");

	if (fd != -EACCES || prctl(PR_GET_DUMPABLE) != 0 || has_capabilities())
		return fd;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	fd = root_openat(root, O_RDONLY, NULL, "proc/self/pagemap");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return fd;
}

static void probe_pagemap(struct caps *caps, const struct root *root)
{
	int fd = open_own(root);
	char *pages = mmap(NULL, 2 * caps->page_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd >= 0 && pages != MAP_FAILED) {
		madvise(pages, 2 * caps->page_size, MADV_NOHUGEPAGE);
		probe_pages(caps, fd, pages);
		probe_scan(caps, fd, (uintptr_t)pages);
	} else {
		const char *why = fd == -ENOENT ? "unsupported: no /proc/self/pagemap" :
				  fd < 0	? error_reason(-fd) :
						  "failed: no memory";

		for (enum cap_bit bit = CAPS_SCAN; bit <= CAPS_FRAMES; bit++)
			set(caps, bit, why);
		set(caps, CAPS_SOFT_DIRTY, why);
	}
	if (pages != MAP_FAILED)
		munmap(pages, 2 * caps->page_size);
	if (fd >= 0)
		close(fd);
}

static void probe_file(struct caps *caps, const struct root *root, enum cap_bit bit,
		       const char *path)
{
	int fd = root_openat(root, O_RDONLY, NULL, "%s", path);

	if (fd >= 0)
		close(fd);
	else if (fd == -ENOENT)
		set(caps, bit, root->recorded ? "not recorded" : "unsupported");
	else
		set(caps, bit, fd == -EACCES || fd == -EPERM ? needs_dac : error_reason(-fd));
}

/* "NAME yes" or "NAME no" a line: what the recorded system was found to have. */
static bool recorded_says(struct bytes text, const char *name, const char *answer)
{
	const char *at = text.data, *end = text.len ? text.data + text.len : at;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct bytes line = { at, (size_t)((newline ? newline : end) - at) };
		size_t len = strlen(name);

		if (bytes_start_with(line, bytes_of(name)) && line.len > len &&
		    line.data[len] == ' ' &&
		    bytes_equal((struct bytes){ line.data + len + 1, line.len - len - 1 },
				bytes_of(answer)))
			return true;
		at += line.len + 1;
	}
	return false;
}

/* "NAME NUMBER": 0 where there is no such line. */
static uint64_t recorded_number(struct bytes text, const char *name)
{
	const char *at = text.data, *end = text.len ? text.data + text.len : at;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end, *digits = at + strlen(name);
		uint64_t number;

		if (bytes_start_with((struct bytes){ at, (size_t)(stop - at) }, bytes_of(name)) &&
		    num_parse_dec(&digits, stop, &number) && digits == stop)
			return number;
		at = stop + 1;
	}
	return 0;
}

static void probe_recorded(struct caps *caps, const struct root *root)
{
	struct bytes text = { NULL, 0 };
	struct arena arena;
	struct host host;

	arena_init(&arena);
	host_read(root, &arena, false, &host);
	caps->page_size = host.page_size;
	if (root_read(root, &arena, &text, NULL, "vmview/caps"))
		text.len = 0;
	if (!recorded_says(text, caps_names[CAPS_SOFT_DIRTY], "yes"))
		set(caps, CAPS_SOFT_DIRTY,
		    recorded_says(text, caps_names[CAPS_SOFT_DIRTY], "no") ?
			    "unsupported: this kernel does not track "
			    "soft-dirty pages" :
			    "not recorded");
	caps->page_counts = recorded_says(text, "page-counts", "yes");
	caps->zero_pfn = recorded_number(text, "zero-pfn ");
	caps->some_frames = recorded_says(text, "frames", "some");
	arena_fini(&arena);
}

void caps_probe(struct caps *caps, const struct root *root, unsigned without)
{
	*caps = (struct caps){ .page_size = (uint64_t)sysconf(_SC_PAGESIZE) };
	for (int bit = 0; bit < CAPS_COUNT; bit++)
		if (without >> bit & 1)
			caps->reason[bit] = "switched off";
	if (root->recorded)
		probe_recorded(caps, root);
	caps->huge_size = thp_size(root, caps->page_size);
	if (!root->recorded)
		probe_pagemap(caps, root);
	probe_file(caps, root, CAPS_FLAGS, "proc/kpageflags");
	probe_file(caps, root, CAPS_COUNTS, "proc/kpagecount");
	probe_file(caps, root, CAPS_CGROUPS, "proc/kpagecgroup");
}
