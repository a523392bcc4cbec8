/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct job {
	work_fn work;
	void *ctx;
	size_t items;
	atomic_size_t next;
};

struct worker {
	struct job *job;
	unsigned number;
	pthread_t thread;
	bool started;
};

unsigned workers_wanted(size_t items, size_t per_worker)
{
	size_t wanted = items / per_worker;
	cpu_set_t set;
	size_t cpus = 1;

	/* a machine of more processors than the set can tell has more than enough for us */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = (size_t)CPU_COUNT(&set);
	else
		cpus = WORKERS_MAX;
	if (wanted > cpus)
		wanted = cpus;
	if (wanted > WORKERS_MAX)
		wanted = WORKERS_MAX;
	return wanted ? (unsigned)wanted : 1;
}

static void *work_through(void *opaque)
{
	const struct worker *worker = opaque;
	struct job *job = worker->job;
	size_t item;

	while ((item = atomic_fetch_add(&job->next, 1)) < job->items)
		job->work(job->ctx, worker->number, item);
	return NULL;
}

void workers_run(unsigned workers, size_t items, work_fn work, void *ctx)
{
	struct job job = { work, ctx, items, 0 };
	struct worker list[WORKERS_MAX] = { { .job = &job } };

	if (workers > WORKERS_MAX)
		workers = WORKERS_MAX;
	for (unsigned i = 1; i < workers; i++) {
		list[i].job = &job;
		list[i].number = i;
		list[i].started = pthread_create(&list[i].thread, NULL, work_through, &list[i]) ==
				  0;
	}
	work_through(&list[0]);
	for (unsigned i = 1; i < workers; i++)
		if (list[i].started)
			pthread_join(list[i].thread, NULL);
}
