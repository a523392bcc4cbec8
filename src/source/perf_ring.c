/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"

enum { RECORD_MAX = UINT16_MAX };

static int open_once(struct perf_event_attr *attr, int pid, int cpu)
{
	long fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

int perf_open(struct perf_event_attr *attr, int pid, int cpu)
{
	int fd = open_once(attr, pid, cpu);

	if (fd == -EINVAL && attr->read_format & PERF_FORMAT_LOST) {
		attr->read_format &= ~(uint64_t)PERF_FORMAT_LOST; /* before Linux 6.0 */
		fd = open_once(attr, pid, cpu);
	}
	if (fd == -EINVAL && attr->inherit_thread) {
		attr->inherit_thread = 0; /* before Linux 5.13 */
		fd = open_once(attr, pid, cpu);
	}
	return fd;
}

int perf_ring_map(struct perf_ring *ring, int fd, size_t pages)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	int rc = 0;

	for (; pages >= PERF_RING_PAGES_MIN; pages /= 2) {
		void *base = mmap(NULL, (pages + 1) * page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				  fd, 0);

		if (base != MAP_FAILED) {
			*ring = (struct perf_ring){ .base = base,
						    .size = pages * page_size,
						    .fd = fd,
						    .linear = mem_alloc(RECORD_MAX) };
			return 0;
		}
		rc = -errno;
		if (rc != -EPERM && rc != -ENOMEM)
			break;
	}
	return rc;
}

void perf_ring_close(struct perf_ring *ring)
{
	if (!ring->base)
		return;
	munmap(ring->base, ring->size + (size_t)sysconf(_SC_PAGESIZE));
	free(ring->linear);
	*ring = (struct perf_ring){ .fd = -1 };
}

int perf_ring_share(const struct perf_ring *ring, int fd)
{
	return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) ? -errno : 0;
}

/* The record at tail, in one piece. */
static struct bytes record_at(const struct perf_ring *ring, uint64_t tail, uint64_t head)
{
	const char *data = (const char *)ring->base + sysconf(_SC_PAGESIZE);
	size_t at = (size_t)(tail % ring->size), there = (size_t)(head - tail), first;
	struct perf_event_header header;

	/* records begin at multiples of 8 bytes, so that a header is never cut */
	memcpy(&header, data + at, sizeof(header));
	if (header.size < there)
		there = header.size;
	first = ring->size - at;
	if (there <= first)
		return (struct bytes){ data + at, there };
	memcpy(ring->linear, data + at, first);
	memcpy(ring->linear + first, data, there - first);
	return (struct bytes){ ring->linear, there };
}

void perf_ring_drain(struct perf_ring *ring, uint64_t sample_type, perf_sink sink, void *ctx)
{
	struct perf_event_mmap_page *page = ring->base;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = page->data_tail;
	struct perf_record record;

	while (head - tail >= sizeof(struct perf_event_header)) {
		struct bytes text = record_at(ring, tail, head);
		ssize_t len = perf_parse(text, sample_type, &record);

		if (len > 0)
			sink(ctx, &record);
		else
			ring->malformed++;
		/* one that could not be read is passed over; without a length all that is there */
		tail = text.len >= sizeof(struct perf_event_header) ? tail + text.len : head;
	}
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

bool perf_count_read(int fd, bool has_lost, struct perf_count *out)
{
	uint64_t words[2] = { 0 };
	size_t size = has_lost ? sizeof(words) : sizeof(words[0]);

	if (read(fd, words, size) != (ssize_t)size)
		return false;
	*out = (struct perf_count){ words[0], words[1] };
	return true;
}

const char *perf_reason(int rc)
{
	switch (-rc) {
	case EACCES:
	case EPERM:
		return "denied: needs CAP_PERFMON, or one's own process and "
		       "kernel.perf_event_paranoid below 3";
	case ESRCH:
		return "gone";
	case EMFILE:
	case ENFILE:
		return "too many threads and processors for the limit of open files (ulimit -n)";
	case ENOENT:
	case ENOSYS:
	case EOPNOTSUPP:
		return "unsupported: this kernel has no such event";
	default:
		return "failed: perf_event_open";
	}
}
