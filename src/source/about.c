/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/about.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include "config.h"

#include "base/array.h"
#include "base/out.h"
#include "source/caps.h"
#include "source/meter.h"
#include "source/root.h"

/* All but the first are opened when they are needed; and what there is not without them. */
static const struct {
	const char *name, *use;
} libraries[] = {
	{ "libcap-ng.so.0", "rights are dropped that a command does not need" },
	{ LIBELF_SONAME, "sections, symbols and build-ids of program files" },
	{ LIBSECCOMP_SONAME, "system calls of the process that reads them are confined" },
	{ LIBPROC2_SONAME, "lists of processes" },
	{ NCURSESW_SONAME, "vmview live" },
};

static const struct {
	enum cap_bit bit;
	const char *name;
} abilities[] = {
	{ CAPS_SCAN, "page tables are read by PAGEMAP_SCAN" },
	{ CAPS_GUARD, "guard regions" },
	{ CAPS_FRAMES, "frame numbers" },
	{ CAPS_FLAGS, "flags of frames" },
	{ CAPS_COUNTS, "map counts of frames" },
	{ CAPS_CGROUPS, "cgroups of frames" },
	{ CAPS_SOFT_DIRTY, "soft-dirty pages" },
};

static void print_libraries(struct out *out)
{
	out_printf(out, "\nLibraries (glibc %s):\n", gnu_get_libc_version());
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
		void *handle = dlopen(libraries[i].name, RTLD_LAZY | RTLD_LOCAL);

		out_printf(out, "  %-18s %-8s %s\n", libraries[i].name,
			   handle ? "found" : "missing", libraries[i].use);
		if (handle)
			dlclose(handle);
	}
}

static void print_abilities(struct out *out)
{
	struct meter meter = { 0 };
	struct root root = { .fd = -1 };
	struct utsname kernel;
	struct caps caps;

	if (uname(&kernel) || root_open(&root, NULL, &meter, NULL))
		return;
	caps_probe(&caps, &root, 0);
	out_printf(out, "\nLinux %s on %s, for this user:\n", kernel.release, kernel.machine);
	for (size_t i = 0; i < ARRAY_SIZE(abilities); i++) {
		const char *reason = caps.reason[abilities[i].bit];

		out_printf(out, "  %-38s %s\n", abilities[i].name, reason ? reason : "yes");
	}
	root_close(&root);
}

void about_print(struct out *out)
{
	out_str(out, PACKAGE_STRING "\n");
	print_libraries(out);
	print_abilities(out);
}
