/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/meter.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t meter_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t meter_enter(struct meter *meter)
{
	return atomic_fetch_add(&meter->ticket, 1) + 1;
}

bool meter_abandon(struct meter *meter, uint64_t ticket)
{
	return atomic_compare_exchange_strong(&meter->ticket, &ticket, ticket + 1);
}

void meter_leave(struct meter *meter, uint64_t ticket)
{
	if (meter_abandon(meter, ticket))
		return;
	/* not pthread_exit(), which loads a library to unwind what nobody waits for */
	for (;;)
		syscall(SYS_exit, 0);
}

void meter_wait_until(uint64_t when)
{
	const struct timespec at = { (time_t)(when / 1000000000u), (long)(when % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
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
	if (worker->longest_cpu_ns > meter->longest_cpu_ns)
		meter->longest_cpu_ns = worker->longest_cpu_ns;
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
		uint64_t ticket = meter_enter(meter);

		done = read(fd, buf, size);
		meter_leave(meter, ticket);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	count(meter, done);
	return done;
}

ssize_t meter_pread(struct meter *meter, int fd, void *buf, size_t size, off_t offset)
{
	ssize_t done;

	do {
		uint64_t ticket = meter_enter(meter);

		done = pread(fd, buf, size, offset);
		meter_leave(meter, ticket);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	count(meter, done);
	return done;
}

struct meter_hold meter_hold_begin(struct meter *meter)
{
	return (struct meter_hold){
		.cpu = meter->costs ? clock_ns(CLOCK_THREAD_CPUTIME_ID) : 0,
		.ticket = meter_enter(meter),
		.began = meter_now(),
	};
}

static void note_longest(struct meter *meter, const struct meter_hold *hold, uint64_t held)
{
	uint64_t cpu = meter->costs ? clock_ns(CLOCK_THREAD_CPUTIME_ID) - hold->cpu : 0;

	if (held > meter->longest_ns)
		meter->longest_ns = held;
	if (cpu > meter->longest_cpu_ns)
		meter->longest_cpu_ns = cpu;
}

void meter_hold_end(struct meter *meter, const struct meter_hold *hold, size_t bytes)
{
	static const struct timespec sleep_time = { 0, METER_SLEEP_NS };
	int error = errno;
	uint64_t held;

	meter_leave(meter, hold->ticket);
	held = meter_now() - hold->began;
	count(meter, (ssize_t)bytes);
	meter->held_ns += held;
	meter->total_held_ns += held;
	note_longest(meter, hold, held);
	if (!meter->fast && meter->held_ns >= (meter->started ? METER_HOLD_NS : METER_FIRST_NS)) {
		meter->started = true;
		meter->held_ns = 0;
		meter->sleeps++;
		nanosleep(&sleep_time, NULL);
	}
	errno = error;
}

ssize_t meter_read_held(struct meter *meter, int fd, void *buf, size_t size)
{
	ssize_t done;

	/* the clock is 3 % of what is ours of a run that reads smaps */
	if (meter->untimed)
		return meter_read(meter, fd, buf, size);
	do {
		struct meter_hold hold = meter_hold_begin(meter);

		done = read(fd, buf, size);
		meter_hold_end(meter, &hold, done > 0 ? (size_t)done : 0);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

ssize_t meter_pread_held(struct meter *meter, int fd, void *buf, size_t size, off_t offset)
{
	ssize_t done;

	do {
		struct meter_hold hold = meter_hold_begin(meter);

		done = pread(fd, buf, size, offset);
		meter_hold_end(meter, &hold, done > 0 ? (size_t)done : 0);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}
