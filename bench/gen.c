/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

void gen_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void gen_usage(const struct gen *gen)
{
	gen_die("usage: %s", gen->usage);
}

static void die_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (parent && getppid() != parent)
		_exit(0); /* it died before the prctl() */
}

void gen_init(struct gen *gen, const char *usage)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	struct stat st;

	*gen = (struct gen){ .usage = usage, .pause_us = 50 };
	die_with_parent(0);
	sigemptyset(&gen->control);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&gen->control, signals[i]);
	sigprocmask(SIG_BLOCK, &gen->control, NULL);
	if (fstat(STDIN_FILENO, &st) == 0)
		gen->stdin_stops = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
				   isatty(STDIN_FILENO);
}

void gen_child_init(struct gen *gen, pid_t parent)
{
	die_with_parent(parent);
	gen->stdin_stops = false;
	gen->probe = NULL; /* threads are not inherited */
}

void gen_option(struct gen *gen, int letter, const char *arg)
{
	switch (letter) {
	case 'P':
		gen->probe_wanted = true;
		break;
	case 'u':
		gen->pause_us = (unsigned)gen_count(arg);
		break;
	default:
		gen_usage(gen);
	}
}

void gen_probe(struct gen *gen, void *region, size_t bytes)
{
	if (gen->probe_wanted)
		gen->probe = probe_start(region, bytes, gen->pause_us);
}

void gen_ready(const char *format, ...)
{
	va_list args;

	printf("ready %d ", (int)getpid());
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* Serve one signal; false: it asks us to end. */
static bool serve_signal(struct gen *gen, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return true;
	if (info.ssi_signo == SIGUSR1 && gen->probe)
		probe_reset(gen->probe);
	else if (info.ssi_signo == SIGUSR2 && gen->probe)
		probe_print(gen->probe);
	return info.ssi_signo == SIGUSR1 || info.ssi_signo == SIGUSR2;
}

static bool stdin_ended(void)
{
	char buf[256];

	return read(STDIN_FILENO, buf, sizeof(buf)) <= 0;
}

void gen_wait(struct gen *gen)
{
	struct pollfd fds[] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

	fds[0].fd = signalfd(-1, &gen->control, SFD_CLOEXEC);
	if (fds[0].fd < 0)
		gen_die("signalfd: %s", strerror(errno));
	for (;;) {
		if (poll(fds, gen->stdin_stops ? 2 : 1, -1) < 0 && errno != EINTR)
			gen_die("poll: %s", strerror(errno));
		if ((fds[0].revents & POLLIN) && !serve_signal(gen, fds[0].fd))
			break;
		if (gen->stdin_stops && fds[1].revents && stdin_ended())
			break;
	}
	close(fds[0].fd);
}

void *gen_map(size_t bytes, int prot, int flags, int fd)
{
	void *p = mmap(NULL, bytes, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		gen_die("mmap of %zu bytes: %s", bytes, strerror(errno));
	return p;
}

size_t gen_size(const char *text, size_t unit)
{
	static const struct {
		char letter;
		size_t unit;
	} units[] = { { 'k', KIB }, { 'm', MIB }, { 'g', GIB }, { 't', TIB } };
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if ((*end | 0x20) != units[i].letter)
			continue;
		unit = units[i].unit;
		end++;
		break;
	}
	value *= (double)unit;
	if (errno || *end || end == text || !(value >= 0 && value < 0x1p47))
		gen_die("not a size: %s", text);
	return (size_t)value & ~(PAGE - 1);
}

size_t gen_count(const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || !value || value > 1ul << 40)
		gen_die("not a count: %s", text);
	return value;
}

const char *gen_libc_path(void)
{
	Dl_info info;
	void *symbol = dlsym(RTLD_DEFAULT, "getpid");

	if (!symbol || !dladdr(symbol, &info) || !info.dli_fname)
		gen_die("cannot find the C library");
	return info.dli_fname;
}
