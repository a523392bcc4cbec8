/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children for what may never end: what they keep, and that nobody waits for one that hangs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "source/child.h"
#include "source/meter.h"

#include "unit.h"

enum { MS = 1000000, KEPT = 900, OTHER = 901 };

/* Which descriptors are open: the standard ones, KEPT, and OTHER. */
static void tell_open(void *ctx, int socket)
{
	const int asked[] = { 0, 1, 2, KEPT, OTHER };
	const int kept[] = { -1, socket, KEPT };
	char open[ARRAY_SIZE(asked)];

	(void)ctx;
	child_keep(kept, ARRAY_SIZE(kept));
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		open[i] = fcntl(asked[i], F_GETFD) >= 0;
	send(socket, open, sizeof(open), 0);
}

static void test_keep(void **state)
{
	struct child child;
	char open[5] = "";

	(void)state;
	assert_int_equal(dup2(1, KEPT), KEPT);
	assert_int_equal(dup2(1, OTHER), OTHER);
	assert_int_equal(child_start(&child, SOCK_SEQPACKET, tell_open, NULL), 0);
	assert_true(child_wait(&child, 10000));
	assert_int_equal(recv(child.socket, open, sizeof(open), 0), sizeof(open));
	assert_memory_equal(open, "\0\0\0\1\0", sizeof(open));
	child_end(&child, false);
	assert_int_equal(child.pid, 0);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	close(KEPT);
	close(OTHER);
}

/* It ends with the thread that started it. */
static void tell_death_signal(void *ctx, int socket)
{
	char signal;
	int number = 0;

	(void)ctx;
	prctl(PR_GET_PDEATHSIG, &number);
	signal = (char)number;
	send(socket, &signal, 1, 0);
}

static void test_ends_with_us(void **state)
{
	struct child child;
	char signal = 0;

	(void)state;
	assert_int_equal(child_start(&child, SOCK_STREAM, tell_death_signal, NULL), 0);
	assert_int_equal(recv(child.socket, &signal, 1, 0), 1);
	assert_int_equal(signal, SIGKILL);
	/* it has returned from what it was started for, so it has ended */
	assert_true(child_wait(&child, 10000));
	assert_int_equal(recv(child.socket, &signal, 1, 0), 0);
	child_end(&child, false);
	child_end(&child, true);
}

static void sleep_for_ever(void *ctx, int socket)
{
	(void)ctx;
	(void)socket;
	for (;;)
		pause();
}

static void compute_for_ever(void *ctx, int socket)
{
	volatile unsigned long count = 0;

	(void)ctx;
	(void)socket;
	for (;;)
		count = count + 1;
}

static void on_alarm(int number)
{
	(void)number;
}

static void test_hangs(void **state)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct child child, other;
	bool slept = false;
	uint64_t began;

	(void)state;
	assert_int_equal(child_start(&child, SOCK_STREAM, sleep_for_ever, NULL), 0);
	assert_int_equal(child_start(&other, SOCK_STREAM, compute_for_ever, NULL), 0);
	/* a signal does not end the time before it is over */
	sigaction(SIGALRM, &action, NULL);
	ualarm(10000, 0);
	began = meter_now();
	assert_false(child_wait(&child, 100));
	assert_true(meter_now() - began >= 100ull * MS);
	for (unsigned i = 0; i < 100 && !slept; i++) {
		slept = child_sleeps(&child);
		usleep(10000);
	}
	assert_true(slept);
	assert_false(child_sleeps(&other));
	/* neither ends when its socket is closed: one is killed at once, one a moment later */
	began = meter_now();
	child_end(&child, true);
	child_end(&other, false);
	assert_true(meter_now() - began < 5000ull * MS);
	/* what was left behind is gone, too */
	waitpid(-1, NULL, 0);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_ends_with_us),
		cmocka_unit_test(test_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
