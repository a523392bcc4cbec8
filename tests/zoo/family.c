/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A family: a parent, three children of a fork, a stranger who maps the same file and the same
 * memfd, and a pair that shares one address space. All of them are bare: they hold the pages of
 * the regions below and one page of code each, and nothing else. So the truth is about whole
 * processes: which bytes each pair has in common, to the page.
 */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

/* Address spaces. The twin lives in that of the vfork parent. */
enum { PARENT, CHILD1, CHILD2, CHILD3, STRANGER, PAIR, SPACES };

enum { FORKED, SHARED, FILED, MEMFD, OWN_PAGES, STUB, REGIONS };

static const struct region {
	const char *label, *kind, *perm;
	size_t pages;
} regions[REGIONS] = {
	[FORKED] = { "forked", "anon", "rw-p", 64 }, [SHARED] = { "shared", "shm", "rw-s", 32 },
	[FILED] = { "file", "file", "r--p", 32 },    [MEMFD] = { "memfd", "shm", "rw-s", 16 },
	[OWN_PAGES] = { "own", "anon", "rw-p", 10 }, [STUB] = { "stub", "anon", "r-xp", 1 },
};

/*
 * What an address space keeps of a region (first to last page), and which of these it touches. In
 * FORKED the parent touches all before the fork, the children copy what they touch. Pages of the
 * file are all read that are kept.
 */
struct use {
	size_t keep, keep_end, touch, touch_end;
};

static const struct use uses[SPACES][REGIONS] = {
	[PARENT] = { [FORKED] = { 0, 64, 0, 64 },
		     [SHARED] = { 0, 32, 0, 32 },
		     [FILED] = { 0, 32, 0, 32 },
		     [MEMFD] = { 0, 16, 0, 16 },
		     [STUB] = { 0, 1, 0, 1 } },
	[CHILD1] = { [FORKED] = { 0, 64, 0, 8 },
		     [SHARED] = { 0, 32, 0, 16 },
		     [FILED] = { 8, 24, 8, 24 },
		     [STUB] = { 0, 1, 0, 1 } },
	[CHILD2] = { [FORKED] = { 0, 64, 4, 20 },
		     [SHARED] = { 0, 32, 8, 32 },
		     [MEMFD] = { 0, 16, 0, 4 },
		     [STUB] = { 0, 1, 0, 1 } },
	[CHILD3] = { [FORKED] = { 0, 64, 0, 0 }, [SHARED] = { 0, 32, 0, 0 }, [STUB] = { 0, 1, 0, 1 } },
	[STRANGER] = { [FILED] = { 0, 32, 0, 32 },
		       [MEMFD] = { 0, 16, 0, 8 },
		       [OWN_PAGES] = { 0, 10, 0, 10 },
		       [STUB] = { 0, 1, 0, 1 } },
	[PAIR] = { [MEMFD] = { 0, 16, 4, 12 }, [OWN_PAGES] = { 0, 10, 0, 6 }, [STUB] = { 0, 1, 0, 1 } },
};

struct family {
	pid_t pids[SPACES], twin;
	char *dens[REGIONS]; /* of all but the stranger */
	char *stranger_dens[REGIONS];
	char *path; /* of the file */
	int memfd;
	int tell; /* pipe for PIDs and the stranger's places */
	int space; /* of the process that is being made */
};

/* ---- the model ---- */

static bool kept(int space, int region)
{
	return uses[space][region].keep_end != 0;
}

static bool touched(int space, int region, size_t page)
{
	return page >= uses[space][region].touch && page < uses[space][region].touch_end;
}

/* The spaces that map the same frame as SPACE does at this page; 0: it maps none. */
static unsigned owners(int space, int region, size_t page)
{
	unsigned mask = 0;

	if (region == OWN_PAGES || region == STUB)
		return touched(space, region, page) ? 1U << space : 0;
	if (region != FORKED) {
		for (int s = 0; touched(space, region, page) && s < SPACES; s++)
			mask |= (unsigned)touched(s, region, page) << s;
		return mask;
	}
	if (!kept(space, region))
		return 0;
	if (space != PARENT && touched(space, region, page))
		return 1U << space;
	for (int s = 0; s < SPACES; s++)
		if (kept(s, region) && (s == PARENT || !touched(s, region, page)))
			mask |= 1U << s;
	return mask;
}

/* frames[M]: how many frames belong to exactly the spaces in M. */
static void count_frames(size_t frames[1 << SPACES])
{
	memset(frames, 0, sizeof(size_t) << SPACES);
	for (int space = 0; space < SPACES; space++)
		for (int region = 0; region < REGIONS; region++)
			for (size_t page = 0; page < regions[region].pages; page++) {
				unsigned mask = owners(space, region, page);

				/* counted by its first owner */
				if (mask && !(mask & ((1U << space) - 1)))
					frames[mask]++;
			}
}

static unsigned owner_count(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

/* ---- the making ---- */

static void region_use(struct zoo *zoo, const struct use *use, int region, char *den)
{
	size_t pages = regions[region].pages;

	if (region == FILED) {
		/* Reading a page brings in its neighbours: so only what is to be read stays. */
		if (use->keep)
			munmap(den, use->keep * zoo->page);
		if (use->keep_end < pages)
			munmap(den + use->keep_end * zoo->page,
			       (pages - use->keep_end) * zoo->page);
		den_populate(zoo, den + use->keep * zoo->page, use->keep_end - use->keep);
		return;
	}
	if (region != STUB)
		den_touch(zoo, den, use->touch, use->touch_end - use->touch);
}

/* Use the regions as the table says. */
static void space_fill(struct zoo *zoo, int space, char *const *dens)
{
	for (int region = 0; region < REGIONS; region++)
		if (kept(space, region))
			region_use(zoo, &uses[space][region], region, dens[region]);
}

static int keep_compare(const void *a, const void *b)
{
	const struct keep *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static _Noreturn void space_sleep(struct zoo *zoo, int space, char *const *dens)
{
	struct keep keep[REGIONS] = { 0 };
	size_t count = 0;

	for (int region = 0; region < STUB; region++) {
		const struct use *use = &uses[space][region];

		if (kept(space, region))
			keep[count++] = (struct keep){
				addr_of(dens[region]) + use->keep * zoo->page,
				addr_of(dens[region]) + use->keep_end * zoo->page,
			};
	}
	qsort(keep, count, sizeof(keep[0]), keep_compare);
	bare_sleep(zoo, keep, count, dens[STUB]);
}

static void child_run(struct zoo *zoo, void *arg)
{
	const struct family *family = arg;

	space_fill(zoo, family->space, family->dens);
	child_ready(zoo);
	space_sleep(zoo, family->space, family->dens);
}

static void parent_run(struct zoo *zoo, void *arg)
{
	struct family *family = arg;

	space_fill(zoo, PARENT, family->dens);
	for (family->space = CHILD1; family->space <= CHILD3; family->space++)
		family->pids[family->space] = child_start(zoo, child_run, family);
	if (write(family->tell, family->pids, sizeof(family->pids)) != sizeof(family->pids))
		_exit(1);
	child_ready(zoo);
	space_sleep(zoo, PARENT, family->dens);
}

struct twin {
	struct zoo *zoo;
	const struct family *family;
};

static int twin_run(void *arg)
{
	const struct twin *twin = arg;
	pid_t pid = getpid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(twin->family->tell, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	space_sleep(twin->zoo, PAIR, twin->family->dens);
}

static void pair_run(struct zoo *zoo, void *arg)
{
	struct twin twin = { zoo, arg };
	char *stack = den_anon(zoo, 8);

	space_fill(zoo, PAIR, twin.family->dens);
	if (clone(twin_run, stack + 8 * zoo->page, CLONE_VM | CLONE_VFORK | SIGCHLD, &twin) < 0)
		_exit(1);
}

static void dens_make(struct zoo *zoo, char **dens, int file, int memfd)
{
	dens[FILED] = den_map(zoo, DEN(.pages = regions[FILED].pages, .prot = PROT_READ,
				       .flags = MAP_PRIVATE, .fd = file));
	dens[MEMFD] = den_map(zoo, DEN(.pages = regions[MEMFD].pages, .prot = RW,
				       .flags = MAP_SHARED, .fd = memfd));
	dens[OWN_PAGES] = den_anon(zoo, regions[OWN_PAGES].pages);
	dens[STUB] = den_anon(zoo, 1);
}

/* The stranger is another program: --stranger TELL MEMFD FILE. */
_Noreturn void stranger_main(struct zoo *zoo, char **argv)
{
	char *dens[REGIONS] = { 0 };
	int tell = atoi(argv[2]), file = open(argv[4], O_RDONLY | O_CLOEXEC);

	if (file < 0)
		_exit(1);
	zoo->animal = "family";
	dens_make(zoo, dens, file, atoi(argv[3]));
	space_fill(zoo, STRANGER, dens);
	if (write(tell, dens, sizeof(dens)) != sizeof(dens))
		_exit(1);
	space_sleep(zoo, STRANGER, dens);
}

static void stranger_run(struct zoo *zoo, void *arg)
{
	const struct family *family = arg;
	char tell[16], memfd[16];
	char *argv[] = { strdup(zoo->self), strdup("--stranger"), tell, memfd, family->path, NULL };

	snprintf(tell, sizeof(tell), "%d", family->tell);
	snprintf(memfd, sizeof(memfd), "%d", family->memfd);
	fcntl(family->tell, F_SETFD, 0);
	fcntl(family->memfd, F_SETFD, 0);
	execv(zoo->self, argv);
	_exit(1);
}

static void read_all(int fd, void *to, size_t len)
{
	if (read(fd, to, len) != (ssize_t)len)
		zoo_die("family: a member died");
}

/* All members, each waited for until it is bare. */
static void members_make(struct zoo *zoo, struct family *family)
{
	pid_t pids[SPACES];
	int fds[2], fd;

	if (pipe2(fds, O_CLOEXEC))
		zoo_die("pipe: %s", strerror(errno));
	family->tell = fds[1];
	family->pids[PARENT] = child_start(zoo, parent_run, family);
	read_all(fds[0], pids, sizeof(pids));
	memcpy(family->pids + CHILD1, pids + CHILD1, 3 * sizeof(pids[0]));
	family->pids[STRANGER] = child_fork(zoo, stranger_run, family, &fd);
	close(fd);
	read_all(fds[0], family->stranger_dens, sizeof(family->stranger_dens));
	family->pids[PAIR] = child_fork(zoo, pair_run, family, &fd);
	close(fd);
	read_all(fds[0], &family->twin, sizeof(family->twin));
	close(fds[0]);
	close(fds[1]);
	for (int space = 0; space < SPACES; space++) {
		size_t mappings = 0;

		for (int region = 0; region < REGIONS; region++)
			mappings += kept(space, region);
		if (!bare_wait(family->pids[space], mappings))
			zoo_die("family: member %d is not bare", space);
	}
}

/* ---- the truth ---- */

static void say_pids(struct zoo *zoo, const struct family *family, unsigned mask)
{
	const char *sep = "";

	fputs("\"pids\":[", zoo->out);
	for (int space = 0; space < SPACES; space++) {
		if (!(mask >> space & 1))
			continue;
		fprintf(zoo->out, "%s%d", sep, (int)family->pids[space]);
		if (space == PAIR)
			fprintf(zoo->out, ",%d", (int)family->twin);
		sep = ",";
	}
	putc(']', zoo->out);
}

static void say_process(struct zoo *zoo, const size_t *frames, int space, pid_t pid)
{
	size_t rss = 0, uss = frames[1U << space];
	double pss = 0;

	for (unsigned mask = 0; mask < 1U << SPACES; mask++) {
		if (!(mask >> space & 1))
			continue;
		rss += frames[mask];
		pss += (double)(frames[mask] * zoo->page) / owner_count(mask);
	}
	fprintf(zoo->out, "{\"pid\":%d,\"space\":%d,\"rss\":%zu,\"uss\":%zu,\"pss\":%.0f}",
		(int)pid, space, rss * zoo->page, uss * zoo->page, pss);
}

static size_t common(const size_t *frames, int a, int b)
{
	size_t count = 0;

	for (unsigned mask = 0; mask < 1U << SPACES; mask++)
		if (mask >> a & 1 && mask >> b & 1)
			count += frames[mask];
	return count;
}

static void say_pairs(struct zoo *zoo, const struct family *family, const size_t *frames)
{
	const char *sep = "";

	fputs(",\"pairs\":[", zoo->out);
	for (int a = 0; a < SPACES; a++)
		for (int b = a + 1; b < SPACES; b++) {
			fprintf(zoo->out, "%s{\"a\":%d,\"b\":%d,\"shared\":%zu}", sep,
				(int)family->pids[a], (int)family->pids[b],
				common(frames, a, b) * zoo->page);
			sep = ",";
		}
	/* The twin has all that its parent has. */
	for (int a = 0; a < SPACES; a++)
		fprintf(zoo->out, ",{\"a\":%d,\"b\":%d,\"shared\":%zu}", (int)family->pids[a],
			(int)family->twin, common(frames, a, PAIR) * zoo->page);
	putc(']', zoo->out);
}

static void say_groups(struct zoo *zoo, const struct family *family, const size_t *frames)
{
	const char *sep = "";
	size_t footprint = 0;

	fputs(",\"groups\":[", zoo->out);
	for (unsigned mask = 1; mask < 1U << SPACES; mask++) {
		footprint += frames[mask];
		if (!frames[mask])
			continue;
		fprintf(zoo->out, "%s{", sep);
		say_pids(zoo, family, mask);
		fprintf(zoo->out, ",\"bytes\":%zu}", frames[mask] * zoo->page);
		sep = ",";
	}
	putc(']', zoo->out);
	say_num(zoo, "footprint", footprint * zoo->page);
}

/* What smaps must say of one region of one member. */
static void say_region(struct zoo *zoo, const struct family *family, int space, int region)
{
	const struct use *use = &uses[space][region];
	bool file = region == FILED, anon = !strcmp(regions[region].kind, "anon");
	size_t own = 0, shared = 0;
	struct run run;
	char *name = file ? strdup(family->path) :
			    strdup(region == SHARED ? "/dev/zero (deleted)" :
				   region == MEMFD  ? "/memfd:zoo family (deleted)" :
						      "");
	char *const *dens = space == STRANGER ? family->stranger_dens : family->dens;

	for (size_t page = use->keep; page < use->keep_end; page++) {
		unsigned count = owner_count(owners(space, region, page));

		own += count == 1;
		shared += count > 1;
	}
	run = (struct run){ PRESENT, region == FORKED ? 0 : use->touch - use->keep, own + shared };
	say_mapping(zoo,
		    TRUTH(.start = addr_of(dens[region]) + use->keep * zoo->page,
			  .pages = use->keep_end - use->keep, .pid = family->pids[space],
			  .kind = regions[region].kind, .perm = regions[region].perm, .name = name,
			  .offset = file ? use->keep * zoo->page : 0,
			  .private_clean = file ? own : 0, .private_dirty = file ? 0 : own,
			  .shared_clean = file ? shared : 0, .shared_dirty = file ? 0 : shared,
			  .anonymous = anon ? own + shared : 0, .unsure = UNSURE_PSS | UNSURE_ORDER,
			  .runs = &run, .run_count = run.count != 0));
	free(name);
}

static void family_say(struct zoo *zoo, const struct family *family)
{
	size_t frames[1 << SPACES];

	count_frames(frames);
	say_open(zoo, family->pids[PARENT]);
	fputs(",\"processes\":[", zoo->out);
	for (int space = 0; space < SPACES; space++) {
		say_process(zoo, frames, space, family->pids[space]);
		putc(',', zoo->out);
	}
	say_process(zoo, frames, PAIR, family->twin);
	putc(']', zoo->out);
	say_pairs(zoo, family, frames);
	say_groups(zoo, family, frames);
	for (int space = 0; space < SPACES; space++)
		for (int region = 0; region < REGIONS; region++)
			if (kept(space, region))
				say_region(zoo, family, space, region);
	say_close(zoo);
}

static int family_build(struct zoo *zoo)
{
	struct family family = { .path = zoo_path(zoo->scratch, "family") };
	int file;

	if (!bare_is_known())
		return zoo_skip(zoo, "not known how to unmap everything on this architecture");
	file = file_make(zoo, family.path, regions[FILED].pages);
	family.memfd = memfd_create("zoo family", MFD_CLOEXEC);
	if (family.memfd < 0 || ftruncate(family.memfd, (off_t)(regions[MEMFD].pages * zoo->page)))
		zoo_die("memfd: %s", strerror(errno));
	dens_make(zoo, family.dens, file, family.memfd);
	family.dens[FORKED] = den_anon(zoo, regions[FORKED].pages);
	family.dens[SHARED] = den_map(zoo, DEN(.pages = regions[SHARED].pages, .prot = RW,
					       .flags = MAP_SHARED | MAP_ANONYMOUS));
	members_make(zoo, &family);
	family_say(zoo, &family);
	return 0;
}

const struct animal family_animals[] = {
	{ "family", "who shares what, among seven bare processes", family_build, 0, true },
	{ NULL, NULL, NULL, 0, false },
};
