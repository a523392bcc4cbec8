/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faulter [-t THREADS] RATE: touches RATE fresh pages a second in each thread, and works in between, so
 * that a thread keeps a processor busy. SIGUSR1 resets the measurement, SIGUSR2 prints
 * {"faults":N,"cpu_ns":N}: what a fault costs with the work that belongs to it, in processor time of the
 * threads, which others on the machine take no part in.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 2048, THREADS_MAX = 64 };

struct worker {
	pthread_t thread;
	clockid_t clock;
	_Atomic uint64_t faults;
	uint64_t spins; /* between two faults */
	char *pages;
};

struct faulter {
	struct worker workers[THREADS_MAX];
	size_t threads;
};

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void spin(uint64_t count)
{
	for (volatile uint64_t i = 0; i < count; i++)
		;
}

/* Touch all pages once, then give them back. */
static void cycle(struct worker *worker)
{
	for (size_t i = 0; i < PAGES; i++) {
		*(volatile char *)(worker->pages + i * PAGE) = 1;
		spin(worker->spins);
	}
	madvise(worker->pages, PAGES * PAGE, MADV_DONTNEED);
	atomic_fetch_add_explicit(&worker->faults, PAGES, memory_order_relaxed);
}

/* So much work that there are as many faults as asked for. */
static void calibrate(struct worker *worker, size_t rate)
{
	enum { SPINS = 10000000, CYCLES = 20 };
	uint64_t begin = now(CLOCK_THREAD_CPUTIME_ID), fault, each = 1000000000 / rate;

	for (unsigned i = 0; i < CYCLES; i++)
		cycle(worker);
	fault = (now(CLOCK_THREAD_CPUTIME_ID) - begin) / CYCLES / PAGES;
	begin = now(CLOCK_THREAD_CPUTIME_ID);
	spin(SPINS);
	if (each > fault)
		worker->spins = (each - fault) * SPINS / (now(CLOCK_THREAD_CPUTIME_ID) - begin);
}

static void *work(void *arg)
{
	for (;;)
		cycle(arg);
	return NULL;
}

static void sum(const struct faulter *faulter, uint64_t *faults, uint64_t *cpu)
{
	*faults = *cpu = 0;
	for (size_t i = 0; i < faulter->threads; i++) {
		*faults += atomic_load(&faulter->workers[i].faults);
		*cpu += now(faulter->workers[i].clock);
	}
}

static void *answer(void *arg)
{
	uint64_t faults = 0, cpu = 0, faults_now, cpu_now;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	for (;;) {
		sigwait(&set, &sig);
		sum(arg, &faults_now, &cpu_now);
		if (sig == SIGUSR2)
			printf("{\"faults\":%llu,\"cpu_ns\":%llu}\n",
			       (unsigned long long)(faults_now - faults),
			       (unsigned long long)(cpu_now - cpu));
		fflush(stdout);
		faults = faults_now;
		cpu = cpu_now;
	}
	return NULL;
}

static void start(struct faulter *faulter, size_t rate)
{
	pthread_t teller;

	for (size_t i = 0; i < faulter->threads; i++) {
		struct worker *worker = &faulter->workers[i];

		worker->pages = gen_map(PAGES * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1);
		madvise(worker->pages, PAGES * PAGE, MADV_NOHUGEPAGE);
		calibrate(worker, rate);
		if (pthread_create(&worker->thread, NULL, work, worker) ||
		    pthread_getcpuclockid(worker->thread, &worker->clock))
			gen_die("no thread");
	}
	if (pthread_create(&teller, NULL, answer, faulter))
		gen_die("no thread");
}

int main(int argc, char **argv)
{
	static struct faulter faulter = { .threads = 1 };
	struct gen gen;
	int o;

	gen_init(&gen, "faulter [-t THREADS] RATE");
	while ((o = getopt(argc, argv, "t:" GEN_OPTIONS)) != -1) {
		if (o == 't')
			faulter.threads = gen_count(optarg);
		else
			gen_option(&gen, o, optarg);
	}
	if (optind + 1 != argc || faulter.threads > THREADS_MAX)
		gen_usage(&gen);
	sigdelset(&gen.control, SIGUSR1);
	sigdelset(&gen.control, SIGUSR2);
	start(&faulter, gen_count(argv[optind]));
	gen_ready("rate=%s threads=%zu", argv[optind], faulter.threads);
	gen_wait(&gen);
	return 0;
}
