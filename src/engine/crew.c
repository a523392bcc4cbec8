/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/bytes.h"
#include "source/meter.h"
#include "source/root.h"

/* How often the watcher looks: an eighth of the timeout, within these. */
enum { LOOK_LEAST_NS = 2000000, LOOK_MOST_NS = 100000000 };

/* The shortest wait for one more target that does not answer. */
enum { PATIENCE_LEAST_NS = 20000000 };

/* A worker's thread and what is known of it; left to the thread when that is abandoned. */
struct seat {
	struct crew *crew;
	unsigned number;
	bool busy, dismissed; /* under lock */
	_Atomic int tid;
	_Atomic size_t item;
	/* the watcher's: the ticket that it saw last, and since when */
	uint64_t ticket, since;
};

/* A thread that was left behind. */
struct left {
	uint64_t number;
	pthread_t thread;
	struct seat *seat; /* which it leaves behind when it ends */
	bool patient; /* it was waited for as long as it may be, not cut off by a deadline */
};

struct crew {
	struct root root; /* with a meter of the watcher's own: tickets of the workers' are theirs */
	struct meter meter;
	uint64_t timeout_ns;
	struct left *left; /* those that did not come back, in all jobs */
	unsigned patient; /* of these */
	size_t left_count, left_cap;
	uint64_t left_ever;
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	const struct crew_job *job; /* under lock where it changes */
	unsigned working;
	bool leaving;
	atomic_size_t next;
	struct seat *seats[CREW_MOST];
	pthread_t threads[CREW_MOST];
};

struct crew *crew_new(const struct root *root, uint64_t timeout_ns)
{
	struct crew *crew = mem_zalloc(sizeof(*crew));
	pthread_condattr_t attr;

	crew->root = *root;
	crew->root.meter = &crew->meter;
	crew->timeout_ns = timeout_ns;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->begin, &attr);
	pthread_cond_init(&crew->end, &attr);
	pthread_condattr_destroy(&attr);
	return crew;
}

static void work_through(struct crew *crew, struct seat *seat)
{
	const struct crew_job *job = crew->job;
	size_t item;

	while ((item = atomic_fetch_add(&crew->next, 1)) < job->items) {
		atomic_store_explicit(&seat->item, item, memory_order_relaxed);
		job->work(job->ctx, seat->number, item);
	}
}

/* Under lock. */
static void end_work(struct crew *crew, struct seat *seat)
{
	seat->busy = false;
	if (!--crew->working)
		pthread_cond_signal(&crew->end);
}

static void *sit(void *opaque)
{
	struct seat *seat = opaque;
	struct crew *crew = seat->crew;

	atomic_store(&seat->tid, (int)syscall(SYS_gettid));
	/* it was made for a job: whoever made it holds the lock still, and need not be waited for */
	work_through(crew, seat);
	pthread_mutex_lock(&crew->lock);
	end_work(crew, seat);
	for (;;) {
		while (!seat->busy && !seat->dismissed && !crew->leaving)
			pthread_cond_wait(&crew->begin, &crew->lock);
		if (!seat->busy)
			break;
		pthread_mutex_unlock(&crew->lock);
		work_through(crew, seat);
		pthread_mutex_lock(&crew->lock);
		end_work(crew, seat);
	}
	pthread_mutex_unlock(&crew->lock);
	free(seat);
	return NULL;
}

/*
 * Begin on another processor than ours where several work: the scheduler may keep a new thread where it was
 * made for longer than the whole work takes (ps of 500 processes: 75 ms instead of 41).
 */
static void spread(pthread_attr_t *attr, unsigned number)
{
	int cpu = sched_getcpu();
	cpu_set_t others;

	if (!number || cpu < 0 || sched_getaffinity(0, sizeof(others), &others))
		return;
	CPU_CLR((unsigned)cpu, &others);
	if (CPU_COUNT(&others))
		pthread_attr_setaffinity_np(attr, sizeof(others), &others);
}

/* A thread for the number, under lock, which begins at once. False: none can be made. */
static bool take_seat(struct crew *crew, unsigned number)
{
	struct seat *seat;
	pthread_attr_t attr;
	bool made;

	if (crew->seats[number])
		return true;
	seat = mem_zalloc(sizeof(*seat));
	seat->crew = crew;
	seat->number = number;
	seat->busy = true;
	pthread_attr_init(&attr);
	spread(&attr, number);
	made = pthread_create(&crew->threads[number], &attr, sit, seat) == 0;
	pthread_attr_destroy(&attr);
	if (!made)
		free(seat);
	else
		crew->seats[number] = seat;
	return made;
}

/* Under lock: the thread of this number begins with the job. */
static bool start(struct crew *crew, unsigned number)
{
	struct seat *seat;

	if (!take_seat(crew, number))
		return false;
	seat = crew->seats[number];
	seat->ticket = 0;
	seat->busy = true;
	crew->working++;
	return true;
}

/* Whether the kernel has the thread in a sleep that nothing but a kill ends. */
static bool sleeps(struct crew *crew, const struct seat *seat)
{
	const char *state;
	struct arena arena;
	struct bytes text;
	bool does = false;

	arena_init(&arena);
	if (root_read(&crew->root, &arena, &text, NULL, "proc/self/task/%d/stat",
		      atomic_load(&seat->tid)) == 0) {
		state = memrchr(text.data, ')', text.len);
		does = state && state + 2 < text.data + text.len && state[2] == 'D';
	}
	arena_fini(&arena);
	return does;
}

/* How long the next target that does not answer is waited for. */
static uint64_t patience_now(const struct crew *crew)
{
	uint64_t wait = crew->timeout_ns;

	for (unsigned i = 0; i < crew->patient && wait > PATIENCE_LEAST_NS; i++)
		wait /= 2;
	return wait;
}

/* How long a read may still take, seen since when it was under way; 0: it is over. */
static uint64_t patience(struct crew *crew, const struct seat *seat, uint64_t now)
{
	uint64_t deadline = crew->job->deadline, wait = patience_now(crew), most;

	most = now - seat->since >= wait ? 0 : wait - (now - seat->since);
	if (!most && crew->patient && now - seat->since < crew->timeout_ns && !sleeps(crew, seat))
		most = LOOK_LEAST_NS;
	if (!deadline || seat->since >= deadline)
		return most;
	if (now >= deadline)
		return 0;
	return deadline - now < most ? deadline - now : most;
}

/* Under lock. The thread stays where it is; what it uses is its own from here on. */
static void abandon(struct crew *crew, unsigned number, uint64_t waited)
{
	const struct crew_job *job = crew->job;
	struct seat *seat = crew->seats[number];
	size_t item = atomic_load_explicit(&seat->item, memory_order_relaxed);
	uint64_t nominal = patience_now(crew);
	const struct left left = { ++crew->left_ever, crew->threads[number], seat,
				   !job->deadline || waited >= nominal };

	waited = waited < nominal ? waited : nominal;
	crew->left = mem_room(crew->left, crew->left_count, &crew->left_cap, sizeof(*crew->left));
	crew->left[crew->left_count++] = left;
	crew->patient += left.patient;
	crew->seats[number] = NULL;
	crew->working--;
	pthread_mutex_unlock(&crew->lock);
	job->abandoned(job->ctx, number, item, waited);
	pthread_mutex_lock(&crew->lock);
	if (start(crew, number)) {
		pthread_cond_broadcast(&crew->begin);
		return;
	}
	/* nobody to watch us, but nobody else to do it */
	pthread_mutex_unlock(&crew->lock);
	work_through(crew, &(struct seat){ .crew = crew, .number = number });
	pthread_mutex_lock(&crew->lock);
}

/* Under lock. Look at a worker; returns when to look again at the latest, as time from now. */
static uint64_t look(struct crew *crew, unsigned number, uint64_t now)
{
	struct seat *seat = crew->seats[number];
	struct meter *meter;
	uint64_t ticket, left;

	if (!seat || !seat->busy)
		return UINT64_MAX;
	meter = crew->job->meter(crew->job->ctx, number);
	ticket = atomic_load(&meter->ticket);
	if (ticket != seat->ticket || !(ticket & 1)) {
		seat->ticket = ticket;
		seat->since = now;
	}
	if (!(ticket & 1))
		return UINT64_MAX;
	left = patience(crew, seat, now);
	if (!left && meter_abandon(meter, ticket))
		abandon(crew, number, now - seat->since);
	return left;
}

static void watch(struct crew *crew)
{
	uint64_t often = crew->timeout_ns / 8;

	often = often < LOOK_LEAST_NS ? LOOK_LEAST_NS : often > LOOK_MOST_NS ? LOOK_MOST_NS : often;
	while (crew->working) {
		uint64_t wait = often, now = meter_now();
		struct timespec until;

		if (!crew->timeout_ns) {
			pthread_cond_wait(&crew->end, &crew->lock);
			continue;
		}
		for (unsigned i = 0; i < CREW_MOST; i++) {
			uint64_t left = look(crew, i, now);

			wait = left < wait ? left : wait;
		}
		now += wait < LOOK_LEAST_NS ? LOOK_LEAST_NS : wait;
		until.tv_sec = (time_t)(now / 1000000000);
		until.tv_nsec = (long)(now % 1000000000);
		if (crew->working)
			pthread_cond_timedwait(&crew->end, &crew->lock, &until);
	}
}

/* Under lock. Threads beside the first may have descriptors of their own: none outlives the job. */
static void dismiss(struct crew *crew)
{
	pthread_t threads[CREW_MOST];
	size_t count = 0;

	for (unsigned i = 1; i < CREW_MOST; i++) {
		if (!crew->seats[i])
			continue;
		crew->seats[i]->dismissed = true;
		crew->seats[i] = NULL;
		threads[count++] = crew->threads[i];
	}
	pthread_cond_broadcast(&crew->begin);
	pthread_mutex_unlock(&crew->lock);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_lock(&crew->lock);
}

void crew_run(struct crew *crew, const struct crew_job *job)
{
	unsigned workers = job->workers > CREW_MOST ? CREW_MOST : job->workers, begun = 0;

	if (!job->items)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->job = job;
	atomic_store(&crew->next, 0);
	for (unsigned i = 0; i < workers && (workers > 1 || crew->timeout_ns); i++)
		begun += start(crew, i);
	if (begun) {
		pthread_cond_broadcast(&crew->begin);
		watch(crew);
	} else {
		pthread_mutex_unlock(&crew->lock);
		work_through(crew, &(struct seat){ .crew = crew });
		pthread_mutex_lock(&crew->lock);
	}
	if (workers > 1)
		dismiss(crew);
	pthread_mutex_unlock(&crew->lock);
}

uint64_t crew_left(const struct crew *crew)
{
	return crew->left_ever;
}

bool crew_came_back(struct crew *crew, uint64_t number)
{
	for (size_t i = 0; i < crew->left_count; i++) {
		struct left *left = &crew->left[i];

		if (left->number != number)
			continue;
		if (pthread_tryjoin_np(left->thread, NULL))
			return false;
		crew->patient -= left->patient;
		free(left->seat);
		*left = crew->left[--crew->left_count];
		return true;
	}
	return true;
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->leaving = true;
	pthread_cond_broadcast(&crew->begin);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < CREW_MOST; i++)
		if (crew->seats[i])
			pthread_join(crew->threads[i], NULL);
	if (crew->left_count)
		return; /* those that were left behind may still look at it */
	pthread_cond_destroy(&crew->begin);
	pthread_cond_destroy(&crew->end);
	pthread_mutex_destroy(&crew->lock);
	free(crew->left);
	free(crew);
}

void crew_leave(struct crew *crew)
{
	for (unsigned i = 0; crew && i < CREW_MOST; i++)
		if (crew->seats[i])
			return;
	crew_free(crew);
}
