/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_confine.h"

#include <cap-ng.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"

#include "base/array.h"
#include "source/child.h"

/* Sanitizers have their own memory and need time and a few calls of their own. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
	NOBODY = 65534,
	CPU_SECONDS = SANITIZED ? 20 : 2,
	MEMORY = 256 << 20,
	DESCRIPTORS = 1024,	/* no descriptor of the worker has a higher number */
};

/* The calls of libseccomp that are used; opened here, for few runs need it. */
struct library {
	scmp_filter_ctx (*init)(uint32_t action);
	int (*add)(scmp_filter_ctx filter, uint32_t action, int call, unsigned count,
		   const struct scmp_arg_cmp *compare);
	int (*load)(scmp_filter_ctx filter);
	void (*release)(scmp_filter_ctx filter);
};

static bool open_library(struct library *library)
{
	void *handle = dlopen(LIBSECCOMP_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return false;
	*(void **)&library->init = dlsym(handle, "seccomp_init");
	*(void **)&library->add = dlsym(handle, "seccomp_rule_add_array");
	*(void **)&library->load = dlsym(handle, "seccomp_load");
	*(void **)&library->release = dlsym(handle, "seccomp_release");
	return library->init && library->add && library->load && library->release;
}

/* What parsing needs. */
static const int allowed[] = {
	SCMP_SYS(read),		SCMP_SYS(pread64),	 SCMP_SYS(lseek),
	SCMP_SYS(fstat),	SCMP_SYS(munmap),	 SCMP_SYS(mremap),
	SCMP_SYS(brk),		SCMP_SYS(madvise),	 SCMP_SYS(futex),
	SCMP_SYS(sendmsg),	SCMP_SYS(recvmsg),	 SCMP_SYS(write),
	SCMP_SYS(close),	SCMP_SYS(clock_gettime), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
#if SANITIZED
	SCMP_SYS(sigaltstack),	SCMP_SYS(gettid),	 SCMP_SYS(getpid),
	SCMP_SYS(sched_yield),
#endif
};

/* Memory, but none that can be executed. */
static const int allowed_without_exec[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

/* For who keeps a pace. */
static const int allowed_to_sleep[] = { SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep) };

static int add_rules(const struct library *library, scmp_filter_ctx filter, bool sleeps)
{
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	/* elf_begin() asks whether the descriptor is one */
	const struct scmp_arg_cmp ask_fd = SCMP_A1(SCMP_CMP_EQ, F_GETFD);
	/* how glibc up to 2.38 spells fstat(); of a descriptor, which is no directory */
	const struct scmp_arg_cmp of_fd[] = { SCMP_A0(SCMP_CMP_LT, DESCRIPTORS),
					      SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH) };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(allowed); i++)
		rc = library->add(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = library->add(filter, SCMP_ACT_ALLOW, allowed_without_exec[i], 1, &no_exec);
	for (size_t i = 0; rc == 0 && sleeps && i < ARRAY_SIZE(allowed_to_sleep); i++)
		rc = library->add(filter, SCMP_ACT_ALLOW, allowed_to_sleep[i], 0, NULL);
	if (rc == 0)
		rc = library->add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 2, of_fd);
	if (rc == 0)
		rc = library->add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, &ask_fd);
	return rc;
}

static bool load_filter(const struct library *library, bool sleeps)
{
	scmp_filter_ctx filter = library->init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!filter)
		return false;
	rc = add_rules(library, filter, sleeps);
	if (rc == 0)
		rc = library->load(filter);
	library->release(filter);
	return rc == 0;
}

/* The rights over files that this kernel can take away, all of them; and the network's. */
static void leave_file_system(void)
{
	static const uint64_t rights[] = {
		/* by version of the interface, from 1; a bit a right */
		(1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1,
	};
	enum { VERSIONS = ARRAY_SIZE(rights) };
	struct {
		uint64_t fs, net;
	} attr = { 0 };
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	long ruleset;

	if (version < 1)
		return;
	attr.fs = rights[version > VERSIONS ? VERSIONS - 1 : version - 1];
	attr.net = version >= 4 ? 3 : 0;	/* bind and connect of TCP */
	ruleset = syscall(SYS_landlock_create_ruleset, &attr,
			  version >= 4 ? sizeof(attr) : sizeof(attr.fs), 0);
	if (ruleset < 0)
		return;
	syscall(SYS_landlock_restrict_self, (int)ruleset, 0);
	close((int)ruleset);
}

static uint64_t memory_now(void)
{
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	return len > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void set_limit(int which, uint64_t most)
{
	const struct rlimit limit = { most, most };

	setrlimit((__rlimit_resource_t)which, &limit);
}

static void set_limits(unsigned cpu_seconds)
{
	if (!SANITIZED)
		set_limit(RLIMIT_AS, memory_now() + MEMORY);
	if (cpu_seconds)
		set_limit(RLIMIT_CPU, cpu_seconds);
	set_limit(RLIMIT_FSIZE, 0);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NPROC, 0);
	set_limit(RLIMIT_NOFILE, DESCRIPTORS);
}

static bool has_rights(void)
{
	capng_get_caps_process();
	return geteuid() == 0 || getuid() == 0 ||
	       capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE;
}

/* Another user than anybody, and no capability. What we may not change stays: seccomp is left. */
static void leave_user(void)
{
	if (capng_have_capability(CAPNG_PERMITTED, CAP_SETUID) &&
	    capng_have_capability(CAPNG_PERMITTED, CAP_SETGID)) {
		capng_clear(CAPNG_SELECT_CAPS);
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SETUID, CAP_SETGID,
			      -1);
		if (capng_apply(CAPNG_SELECT_CAPS) == 0 && setgroups(0, NULL) == 0 &&
		    setresgid(NOBODY, NOBODY, NOBODY) == 0)
			(void)!setresuid(NOBODY, NOBODY, NOBODY);
	}
	capng_clear(CAPNG_SELECT_CAPS);
	capng_apply(CAPNG_SELECT_CAPS);
}

/* Move the descriptors out of the way of each other, then to where they belong. */
static void keep_alone(const int *keep, unsigned count)
{
	int moved[CONFINED_KEEPS], kept[CONFINED_KEEPS];

	for (unsigned i = 0; i < count; i++)
		moved[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, CONFINED_KEEPS);
	for (unsigned i = 0; i < count; i++)
		kept[i] = dup2(moved[i], (int)i);
	child_keep(kept, count);
}

bool confine(const struct confinement *confinement)
{
	struct library library = { 0 };
	bool opened = open_library(&library), rights;
	pid_t parent = getppid();

	keep_alone(confinement->keep, confinement->keeps);
	rights = has_rights();
	leave_user();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	set_limits(confinement->cpu_seconds);
	leave_file_system();
	return (opened && load_filter(&library, confinement->sleeps)) || !rights;
}

bool elf_confine(int socket)
{
	const struct confinement alone = { .keep = { socket },
					   .keeps = 1,
					   .cpu_seconds = CPU_SECONDS };

	return confine(&alone);
}
