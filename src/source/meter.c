/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/meter.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

uint64_t meter_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void meter_target(struct meter *meter)
{
	meter->started = false;
	meter->held_ns = 0;
}

void meter_add(struct meter *meter, const struct meter *worker)
{
	meter->files += worker->files;
	meter->reads += worker->reads;
	meter->bytes += worker->bytes;
	meter->sleeps += worker->sleeps;
	meter->total_held_ns += worker->total_held_ns;
	if (worker->longest_ns > meter->longest_ns)
		meter->longest_ns = worker->longest_ns;
}

static void count(struct meter *meter, ssize_t done)
{
	meter->reads++;
	if (done > 0)
		meter->bytes += (uint64_t)done;
}

ssize_t meter_read(struct meter *meter, int fd, void *buf, size_t size)
{
	ssize_t done;

	do {
		done = read(fd, buf, size);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	count(meter, done);
	return done;
}

uint64_t meter_hold_begin(void)
{
	return meter_now();
}

void meter_hold_end(struct meter *meter, uint64_t begin, size_t bytes)
{
	static const struct timespec sleep_time = { 0, METER_SLEEP_NS };
	uint64_t held = meter_now() - begin;

	count(meter, (ssize_t)bytes);
	meter->held_ns += held;
	meter->total_held_ns += held;
	if (held > meter->longest_ns)
		meter->longest_ns = held;
	if (meter->fast || meter->held_ns < (meter->started ? METER_HOLD_NS : METER_FIRST_NS))
		return;
	meter->started = true;
	meter->held_ns = 0;
	meter->sleeps++;
	nanosleep(&sleep_time, NULL);
}

ssize_t meter_read_held(struct meter *meter, int fd, void *buf, size_t size)
{
	ssize_t done;

	/* the clock is 3 % of what is ours of a run that reads smaps */
	if (meter->untimed)
		return meter_read(meter, fd, buf, size);
	do {
		uint64_t begin = meter_hold_begin();

		done = read(fd, buf, size);
		meter_hold_end(meter, begin, done > 0 ? (size_t)done : 0);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

ssize_t meter_pread_held(struct meter *meter, int fd, void *buf, size_t size, off_t offset)
{
	ssize_t done;

	do {
		uint64_t begin = meter_hold_begin();

		done = pread(fd, buf, size, offset);
		meter_hold_end(meter, begin, done > 0 ? (size_t)done : 0);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}
