/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/refresh.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "base/memory.h"
#include "cmd/live/read.h"

struct live_refresh {
	struct live_reader *reader;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int ready; /* eventfd: result is set */
	bool busy; /* of the thread that asks */
	/* under lock */
	bool asked, leaving;
	struct live_request request;
	struct live_result *result;
};

static void *work(void *opaque)
{
	struct live_refresh *refresh = opaque;
	const uint64_t one = 1;

	pthread_mutex_lock(&refresh->lock);
	for (;;) {
		struct live_request request;
		struct live_result *result;

		while (!refresh->asked && !refresh->leaving)
			pthread_cond_wait(&refresh->changed, &refresh->lock);
		if (refresh->leaving)
			break;
		request = refresh->request;
		refresh->asked = false;
		pthread_mutex_unlock(&refresh->lock);
		result = live_read(refresh->reader, &request);
		pthread_mutex_lock(&refresh->lock);
		refresh->result = result;
		pthread_cond_signal(&refresh->changed);
		if (write(refresh->ready, &one, sizeof(one)) < 0)
			continue; /* it holds a 1 already */
	}
	pthread_mutex_unlock(&refresh->lock);
	return NULL;
}

/* Signals are for the thread that has the terminal, but for those that a crash sends to where it happens. */
static void block_signals(sigset_t *before)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(&set, own[i]);
	pthread_sigmask(SIG_BLOCK, &set, before);
}

struct live_refresh *live_refresh_new(struct live_reader *reader)
{
	struct live_refresh *refresh = mem_zalloc(sizeof(*refresh));
	sigset_t before;
	int rc;

	refresh->reader = reader;
	refresh->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&refresh->lock, NULL);
	pthread_cond_init(&refresh->changed, NULL);
	block_signals(&before);
	rc = pthread_create(&refresh->thread, NULL, work, refresh);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0 && refresh->ready >= 0)
		return refresh;
	if (rc == 0)
		live_refresh_free(refresh);
	else
		free(refresh);
	return NULL;
}

bool live_refresh_free(struct live_refresh *refresh)
{
	if (!refresh)
		return true;
	live_result_free(live_refresh_fetch(refresh));
	if (refresh->busy)
		return false;
	pthread_mutex_lock(&refresh->lock);
	refresh->leaving = true;
	pthread_cond_signal(&refresh->changed);
	pthread_mutex_unlock(&refresh->lock);
	pthread_join(refresh->thread, NULL);
	pthread_cond_destroy(&refresh->changed);
	pthread_mutex_destroy(&refresh->lock);
	if (refresh->ready >= 0)
		close(refresh->ready);
	free(refresh);
	return true;
}

void live_refresh_ask(struct live_refresh *refresh, const struct live_request *request)
{
	atomic_store(&refresh->reader->hurry, false);
	refresh->busy = true;
	pthread_mutex_lock(&refresh->lock);
	refresh->request = *request;
	refresh->asked = true;
	pthread_cond_signal(&refresh->changed);
	pthread_mutex_unlock(&refresh->lock);
}

bool live_refresh_is_busy(const struct live_refresh *refresh)
{
	return refresh->busy;
}

void live_refresh_hurry(struct live_refresh *refresh)
{
	atomic_store(&refresh->reader->hurry, true);
}

int live_refresh_fd(const struct live_refresh *refresh)
{
	return refresh->ready;
}

static struct live_result *fetch(struct live_refresh *refresh, bool wait)
{
	struct live_result *result;
	uint64_t count;

	pthread_mutex_lock(&refresh->lock);
	while (wait && !refresh->result)
		pthread_cond_wait(&refresh->changed, &refresh->lock);
	result = refresh->result;
	refresh->result = NULL;
	pthread_mutex_unlock(&refresh->lock);
	if (!result)
		return NULL;
	refresh->busy = false;
	if (read(refresh->ready, &count, sizeof(count)) < 0)
		return result; /* not written yet: the next fetch finds nothing */
	return result;
}

struct live_result *live_refresh_fetch(struct live_refresh *refresh)
{
	return fetch(refresh, false);
}

struct live_result *live_refresh_wait(struct live_refresh *refresh)
{
	return fetch(refresh, true);
}
