/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "probe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "gen.h"

/* Durations are counted in buckets of 1/32 of a power of two nanoseconds. */
#define SUB_BITS 5
#define SUB	 (1u << SUB_BITS)
#define BUCKETS	 (64 * SUB)

enum op { OP_MMAP, OP_TOUCH, OP_MUNMAP, OP_REFAULT, OP_COUNT };

static const char *const op_names[OP_COUNT] = { "mmap", "touch", "munmap", "refault" };

struct timing {
	_Atomic uint64_t calls, sum_ns, max_ns, over_1ms;
	_Atomic uint32_t buckets[BUCKETS];
};

struct probe {
	char *region;
	size_t pages;
	struct timespec pause;
	struct timing timings[OP_COUNT];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned exponent;

	if (ns < SUB)
		return (unsigned)ns;
	exponent = 63 - (unsigned)__builtin_clzll(ns);
	return (exponent - SUB_BITS + 1) * SUB +
	       ((unsigned)(ns >> (exponent - SUB_BITS)) & (SUB - 1));
}

/* The first duration that is too long for the bucket. */
static uint64_t bucket_end_ns(unsigned bucket)
{
	unsigned shift = bucket / SUB;

	if (!shift)
		return bucket + 1;
	return ((uint64_t)SUB + bucket % SUB + 1) << (shift - 1);
}

static void timing_add(struct timing *timing, uint64_t ns)
{
	timing->calls++;
	timing->sum_ns += ns;
	timing->buckets[bucket_of(ns)]++;
	if (ns > timing->max_ns)
		timing->max_ns = ns;
	if (ns > 1000000)
		timing->over_1ms++;
}

static void thread_init(void)
{
	prctl(PR_SET_TIMERSLACK, 1);
	setpriority(PRIO_PROCESS, 0, -20); /* of this thread alone, on Linux */
}

static void *map_thread(void *arg)
{
	struct probe *probe = arg;

	thread_init();
	for (;;) {
		uint64_t start = now_ns(), mapped, touched, unmapped;
		char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		mapped = now_ns();
		if (p == MAP_FAILED)
			gen_die("probe: mmap failed");
		*(volatile char *)p = 1;
		touched = now_ns();
		munmap(p, PAGE);
		unmapped = now_ns();
		timing_add(&probe->timings[OP_MMAP], mapped - start);
		timing_add(&probe->timings[OP_TOUCH], touched - mapped);
		timing_add(&probe->timings[OP_MUNMAP], unmapped - touched);
		nanosleep(&probe->pause, NULL);
	}
	return NULL;
}

static void *refault_thread(void *arg)
{
	struct probe *probe = arg;
	uint64_t random = 88172645463325252ull;

	thread_init();
	for (;;) {
		uint64_t start;
		char *p;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		p = probe->region + random % probe->pages * PAGE;
		madvise(p, PAGE, MADV_DONTNEED);
		start = now_ns();
		*(volatile char *)p = 1;
		timing_add(&probe->timings[OP_REFAULT], now_ns() - start);
		nanosleep(&probe->pause, NULL);
	}
	return NULL;
}

struct probe *probe_start(void *region, size_t bytes, unsigned pause_us)
{
	struct probe *probe = gen_map(sizeof(*probe), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);
	pthread_t thread;
	int rc;

	if (!region) {
		bytes = 64 * MIB;
		region = gen_map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		madvise(region, bytes, MADV_NOHUGEPAGE);
		*(volatile char *)region = 1;
	}
	probe->region = region;
	probe->pages = bytes / PAGE;
	probe->pause = (struct timespec){ pause_us / 1000000, (long)(pause_us % 1000000) * 1000 };
	rc = pthread_create(&thread, NULL, map_thread, probe);
	if (!rc)
		rc = pthread_create(&thread, NULL, refault_thread, probe);
	if (rc)
		gen_die("pthread_create: %s", strerror(rc));
	return probe;
}

void probe_reset(struct probe *probe)
{
	for (int op = 0; op < OP_COUNT; op++) {
		struct timing *timing = &probe->timings[op];

		timing->calls = timing->sum_ns = timing->max_ns = timing->over_1ms = 0;
		for (unsigned i = 0; i < BUCKETS; i++)
			timing->buckets[i] = 0;
	}
}

static double quantile_us(const struct timing *timing, double q)
{
	uint64_t total = 0, seen = 0, max = timing->max_ns;

	for (unsigned i = 0; i < BUCKETS; i++)
		total += timing->buckets[i];
	for (unsigned i = 0; i < BUCKETS; i++) {
		uint64_t end = bucket_end_ns(i);

		seen += timing->buckets[i];
		if (seen && (double)seen >= q * (double)total)
			return (double)(end < max ? end : max) / 1e3;
	}
	return 0;
}

static void timing_print(const struct timing *timing)
{
	uint64_t calls = timing->calls;

	printf("{\"calls\":%llu", (unsigned long long)calls);
	if (calls)
		printf(",\"mean_us\":%.2f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p99.9_us\":%.1f,"
		       "\"max_us\":%.1f,\"over_1ms\":%llu",
		       (double)timing->sum_ns / (double)calls / 1e3, quantile_us(timing, 0.5),
		       quantile_us(timing, 0.99), quantile_us(timing, 0.999),
		       (double)timing->max_ns / 1e3, (unsigned long long)timing->over_1ms);
	putchar('}');
}

void probe_print(const struct probe *probe)
{
	for (int op = 0; op < OP_COUNT; op++) {
		printf("%s\"%s\":", op ? "," : "{", op_names[op]);
		timing_print(&probe->timings[op]);
	}
	puts("}");
	fflush(stdout);
}
