/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairs [-n ROUNDS] [-w WARMUPS] [-s SECONDS] [-t LIMIT] COMMAND... [:: COMMAND...]...
 *
 * Runs commands in turn (A B A B ...) and measures each run: user + system CPU time, wall time and
 * peak memory, from wait4 of that child alone. In turn, because the speed of a machine drifts: only
 * what ran side by side is compared. A small program does this, since a child's peak memory counts
 * from its birth: begun by an interpreter, each would seem as big as that.
 *
 *   -n  rounds that count (default 7)      -w  rounds before them that do not (default 1)
 *   -s  go on with rounds, at least one, until SECONDS are over; instead of -n
 *   -t  kill a run after LIMIT seconds (default 600)
 *
 * Standard input and output of the commands are /dev/null; their standard error is ours.
 * Prints one line of JSON: for each command [[cpu_ns, wall_ns, peak_kb, status], ...]. The status is
 * the exit status, or 256 + the signal. CPU time is what the scheduler counted, exact to
 * microseconds; peak memory is the kernel's high-water mark, which may be off by 32 pages a CPU.
 * Exit status 0 also when commands fail; 2 when they cannot be run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 8

struct run {
	uint64_t cpu_ns, wall_ns;
	long peak_kb;
	int status;
};

struct runs {
	struct run *items;
	size_t count, space;
};

struct plan {
	size_t rounds, warmups;
	uint64_t duration_ns; /* 0: as many as rounds says */
	time_t limit_s;
	size_t commands;
	char **argvs[COMMANDS_MAX];
	struct runs runs[COMMANDS_MAX];
	sigset_t signals; /* SIGCHLD and what ends us: blocked, and waited for */
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t files;
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list args;

	fputs("pairs: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

static void runs_add(struct runs *runs, const struct run *run)
{
	if (runs->count == runs->space) {
		runs->space = runs->space ? 2 * runs->space : 64;
		runs->items = realloc(runs->items, runs->space * sizeof(*run));
		if (!runs->items)
			die("out of memory");
	}
	runs->items[runs->count++] = *run;
}

/* Wait until the child ends; kill it when its time is over or when we are told to end. */
static int wait_for(const struct plan *plan, pid_t pid, struct rusage *usage)
{
	const struct timespec limit = { .tv_sec = plan->limit_s };
	int status, signal = 0;

	while (wait4(pid, &status, WNOHANG, usage) == 0) {
		signal = sigtimedwait(&plan->signals, NULL, &limit);
		if (signal == SIGCHLD || (signal < 0 && errno == EINTR))
			continue;
		kill(pid, SIGKILL);
		wait4(pid, &status, 0, usage);
		if (signal > 0)
			exit(128 + signal);
		break;
	}
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static struct run run_once(const struct plan *plan, char **argv)
{
	uint64_t start = now_ns();
	struct rusage usage;
	struct run run;
	pid_t pid;
	int rc;

	rc = posix_spawnp(&pid, argv[0], &plan->files, &plan->attr, argv, environ);
	if (rc)
		die("%s: %s", argv[0], strerror(rc));
	run.status = wait_for(plan, pid, &usage);
	run.wall_ns = now_ns() - start;
	run.cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	run.peak_kb = usage.ru_maxrss;
	return run;
}

static void plan_run(struct plan *plan)
{
	uint64_t start = 0;

	for (size_t round = 0;; round++) {
		if (round == plan->warmups)
			start = now_ns();
		if (round > plan->warmups && plan->duration_ns &&
		    now_ns() - start >= plan->duration_ns)
			break;
		if (!plan->duration_ns && round == plan->warmups + plan->rounds)
			break;
		for (size_t i = 0; i < plan->commands; i++) {
			struct run run = run_once(plan, plan->argvs[i]);

			if (round >= plan->warmups)
				runs_add(&plan->runs[i], &run);
		}
	}
}

static void plan_print(const struct plan *plan)
{
	putchar('[');
	for (size_t i = 0; i < plan->commands; i++) {
		printf("%s[", i ? "," : "");
		for (size_t k = 0; k < plan->runs[i].count; k++) {
			const struct run *run = &plan->runs[i].items[k];

			printf("%s[%llu,%llu,%ld,%d]", k ? "," : "",
			       (unsigned long long)run->cpu_ns, (unsigned long long)run->wall_ns,
			       run->peak_kb, run->status);
		}
		putchar(']');
	}
	puts("]");
	if (fflush(stdout))
		die("standard output: %s", strerror(errno));
}

static void plan_spawn_init(struct plan *plan)
{
	sigset_t none;

	sigemptyset(&none);
	sigemptyset(&plan->signals);
	sigaddset(&plan->signals, SIGCHLD);
	sigaddset(&plan->signals, SIGTERM);
	sigaddset(&plan->signals, SIGINT);
	sigaddset(&plan->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &plan->signals, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (posix_spawnattr_init(&plan->attr) || posix_spawn_file_actions_init(&plan->files) ||
	    posix_spawnattr_setflags(&plan->attr, POSIX_SPAWN_SETSIGMASK) ||
	    posix_spawnattr_setsigmask(&plan->attr, &none) ||
	    posix_spawn_file_actions_addopen(&plan->files, 0, "/dev/null", O_RDONLY, 0) ||
	    posix_spawn_file_actions_addopen(&plan->files, 1, "/dev/null", O_WRONLY, 0))
		die("out of memory");
}

/* Cut the arguments at each "::" into commands. */
static void plan_commands(struct plan *plan, char **args)
{
	while (*args) {
		if (plan->commands == COMMANDS_MAX)
			die("more than %d commands", COMMANDS_MAX);
		plan->argvs[plan->commands++] = args;
		while (*args && strcmp(*args, "::") != 0)
			args++;
		if (plan->argvs[plan->commands - 1] == args)
			die("an empty command");
		if (*args)
			*args++ = NULL;
	}
	if (!plan->commands)
		die("no command");
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || n > 1000000)
		die("not a number: %s", text);
	return n;
}

int main(int argc, char **argv)
{
	struct plan plan = { .rounds = 7, .warmups = 1, .limit_s = 600 };
	int o;

	while ((o = getopt(argc, argv, "+n:w:s:t:")) != -1) {
		if (o == 'n')
			plan.rounds = number(optarg);
		else if (o == 'w')
			plan.warmups = number(optarg);
		else if (o == 's')
			plan.duration_ns = number(optarg) * 1000000000ull;
		else if (o == 't')
			plan.limit_s = (time_t)number(optarg);
		else
			return 2;
	}
	plan_commands(&plan, argv + optind);
	plan_spawn_init(&plan);
	plan_run(&plan);
	plan_print(&plan);
	return 0;
}
