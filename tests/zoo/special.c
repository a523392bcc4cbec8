/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that the kernel or a driver puts into a process. */
#include "zoo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/aio_abi.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13) /* since 6.4 */
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15) /* since 6.7 */
#endif

#define RW	     (PROT_READ | PROT_WRITE)
#define DEVICE_BYTES UNSURE_BYTES /* drivers come and go with how they count theirs */

/* Is there such a name in our own maps? Only to know what this machine has. */
static bool has_mapping(const char *name)
{
	char *line = NULL;
	size_t size = 0;
	bool has = false;
	FILE *f = fopen("/proc/self/maps", "re");

	if (!f)
		return false;
	while (!has && getline(&line, &size, f) > 0)
		has = strstr(line, name) != NULL;
	free(line);
	fclose(f);
	return has;
}

static int vdso(struct zoo *zoo)
{
	uint64_t start = getauxval(AT_SYSINFO_EHDR);

	if (!start)
		return zoo_skip(zoo, "no vDSO");
	return say_one(zoo, TRUTH(.start = start, .pages = 1, .kind = "special", .perm = "r-xp",
				  .name = "[vdso]", .unsure = UNSURE_END | UNSURE_BYTES));
}

/* The page of the old system calls; in no task's tables, and nobody can read it. */
static int vsyscall(struct zoo *zoo)
{
	if (!has_mapping("[vsyscall]"))
		return zoo_skip(zoo, "no vsyscall page");
	return say_one(zoo, TRUTH(.start = 0xffffffffff600000, .pages = 1, .kind = "special",
				  .name = "[vsyscall]", .unsure = UNSURE_PERM));
}

static int uffd_open(struct zoo *zoo)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_ASYNC,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		zoo_skip(zoo, "userfaultfd: %s", strerror(errno));
	return fd;
}

/* Write-protected by the process itself: four present pages, and two holes that get a marker. */
static int uffd_wp(struct zoo *zoo)
{
	char *p = den_anon(zoo, 16);
	struct uffdio_register reg = {
		.range = { addr_of(p), 16 * zoo->page },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = uffd_open(zoo);

	if (fd < 0)
		return ZOO_SKIP;
	den_touch(zoo, p, 0, 8);
	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		return zoo_skip(zoo, "UFFDIO_REGISTER: %s", strerror(errno));
	wp.range = (struct uffdio_range){ addr_of(p), 4 * zoo->page };
	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		return zoo_skip(zoo, "UFFDIO_WRITEPROTECT: %s", strerror(errno));
	wp.range = (struct uffdio_range){ addr_of(p) + 12 * zoo->page, 2 * zoo->page };
	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		zoo_die("UFFDIO_WRITEPROTECT: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 16, .kind = "anon", OWN(8),
				  .flags = "uw", .uffd_wp = 6,
				  RUNS({ PRESENT, 0, 8 }, { MARKER, 12, 2 })));
}

/* The kernel chooses the place of these rings. */
static int io_uring(struct zoo *zoo)
{
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 8, &params);
	size_t len = 8 * sizeof(struct io_uring_sqe);
	char *p;

	if (fd < 0)
		return zoo_skip(zoo, "io_uring_setup: %s", strerror(errno));
	p = mmap(NULL, len, RW, MAP_SHARED, fd, (off_t)IORING_OFF_SQES);
	if (p == MAP_FAILED)
		return zoo_skip(zoo, "io_uring: mmap: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 1, .kind = "device", .perm = "rw-s",
				  .name = "anon_inode:[io_uring]", .offset = IORING_OFF_SQES,
				  .unsure = DEVICE_BYTES));
}

static int perf(struct zoo *zoo)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	char *p;

	if (fd < 0)
		return zoo_skip(zoo, "perf_event_open: %s", strerror(errno));
	p = den_try(zoo, DEN(.pages = 9, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	if (p == MAP_FAILED)
		return zoo_skip(zoo, "perf: mmap: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 9, .kind = "device", .perm = "rw-s",
				  .name = "anon_inode:[perf_event]", .unsure = DEVICE_BYTES));
}

static int aio(struct zoo *zoo)
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, 64, &ctx))
		return zoo_skip(zoo, "io_setup: %s", strerror(errno));
	/* Its address is its name. */
	return say_one(zoo, TRUTH(.start = ctx, .pages = 1, .kind = "device", .perm = "rw-s",
				  .name = "/[aio] (deleted)", .unsure = UNSURE_END | DEVICE_BYTES));
}

static int packet(struct zoo *zoo)
{
	struct tpacket_req req = {
		.tp_block_size = (unsigned)(4 * zoo->page),
		.tp_block_nr = 1,
		.tp_frame_size = 2048,
		.tp_frame_nr = (unsigned)(4 * zoo->page / 2048),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct stat st;
	char name[40], *p;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) ||
	    fstat(fd, &st))
		return zoo_skip(zoo, "packet socket: %s", strerror(errno));
	p = den_try(zoo, DEN(.pages = 4, .prot = RW, .flags = MAP_SHARED, .fd = fd));
	if (p == MAP_FAILED)
		return zoo_skip(zoo, "packet socket: mmap: %s", strerror(errno));
	snprintf(name, sizeof(name), "socket:[%llu]", (unsigned long long)st.st_ino);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 4, .kind = "device", .perm = "rw-s",
				  .name = name, .inode = st.st_ino, .unsure = DEVICE_BYTES));
}

static int kvm(struct zoo *zoo)
{
	int dev = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, cpu, len;
	char *p;

	if (dev < 0)
		return zoo_skip(zoo, "/dev/kvm: %s", strerror(errno));
	vm = ioctl(dev, KVM_CREATE_VM, 0UL);
	cpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0UL);
	len = ioctl(dev, KVM_GET_VCPU_MMAP_SIZE, 0UL);
	if (cpu < 0 || len <= 0)
		return zoo_skip(zoo, "KVM: %s", strerror(errno));
	p = den_try(zoo, DEN(.pages = (size_t)len / zoo->page, .prot = RW, .flags = MAP_SHARED,
			     .fd = cpu));
	if (p == MAP_FAILED)
		return zoo_skip(zoo, "KVM: mmap: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = (size_t)len / zoo->page,
				  .kind = "device", .perm = "rw-s", .name = "anon_inode:kvm-vcpu:0",
				  .unsure = DEVICE_BYTES));
}

enum { PROBE, PROBE_NOP, PROBES };

#ifdef __x86_64__
/*
 * An instruction that the kernel has to execute out of line, and a nop of five bytes, which it may
 * replace by a call (since 6.18).
 */
__asm__(".pushsection .text\n"
	".globl zoo_probe_point, zoo_probe_nop\n"
	".type zoo_probe_point, @function\n"
	"zoo_probe_point:\n"
	"	mov %rdi, %rax\n"
	"	ret\n"
	".type zoo_probe_nop, @function\n"
	"zoo_probe_nop:\n"
	"	.byte 0x0f, 0x1f, 0x44, 0, 0\n"
	"	ret\n"
	".popsection\n");
extern void zoo_probe_point(void);
extern void zoo_probe_nop(void);
static void (*const probe_points[PROBES])(void) = { zoo_probe_point, zoo_probe_nop };
#else
static void (*const probe_points[PROBES])(void);
#endif

struct place {
	uint64_t addr;
	size_t offset;
};

static int place_find(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct place *place = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + phdr->p_vaddr;

		if (phdr->p_type == PT_LOAD && place->addr >= start &&
		    place->addr < start + phdr->p_filesz)
			place->offset = place->addr - start + phdr->p_offset;
	}
	return 1;	/* the program comes first, and is all we want */
}

static size_t probe_offset(int probe)
{
	struct place place = { .addr = (uint64_t)(uintptr_t)probe_points[probe] };

	dl_iterate_phdr(place_find, &place);
	return place.offset;
}

void probe_print(const struct zoo *zoo)
{
	printf("%s %#zx %#zx\n", zoo->self, probe_offset(PROBE), probe_offset(PROBE_NOP));
}

/* Somebody has to have set a uprobe, where `zoo --probe` says. */
static int uprobes(struct zoo *zoo)
{
	const char *name = zoo->arg == PROBE ? "[uprobes]" : "[uprobes-trampoline]";

	if (probe_points[zoo->arg])
		probe_points[zoo->arg]();
	if (!has_mapping(name))
		return zoo_skip(zoo, "no uprobe at the probe point, or none that makes %s", name);
	say_open(zoo, 0);
	say_text(zoo, "special", name);
	say_close(zoo);
	return 0;
}

const struct animal special_animals[] = {
	{ "vdso", "[vdso]", vdso, 0, false },
	{ "vsyscall", "[vsyscall]", vsyscall, 0, false },
	{ "uffd-wp", "write-protected by userfaultfd, also where nothing is", uffd_wp, 0, false },
	{ "io-uring", "rings of io_uring", io_uring, 0, false },
	{ "perf", "ring of a perf event", perf, 0, false },
	{ "aio", "ring of io_setup", aio, 0, false },
	{ "packet", "ring of a packet socket", packet, 0, false },
	{ "kvm", "a virtual CPU", kvm, 0, false },
	{ "uprobes", "[uprobes]; needs a uprobe where --probe says", uprobes, PROBE, true },
	{ "uprobes-nop", "[uprobes-trampoline]; the same", uprobes, PROBE_NOP, true },
	{ NULL, NULL, NULL, 0, false },
};
