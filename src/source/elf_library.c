/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "source/elf_library.h"

#include <dlfcn.h>
#include <stddef.h>

static const struct {
	const char *name;
	size_t offset;
} calls[] = {
#define ELF_LIBRARY_ROW(name) { #name, offsetof(struct elf_library, name) },
	ELF_LIBRARY_CALLS(ELF_LIBRARY_ROW)
};

bool elf_library_open(struct elf_library *library)
{
	void *handle = dlopen(LIBELF_SONAME, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; handle && i < sizeof(calls) / sizeof(calls[0]); i++) {
		void *call = dlsym(handle, calls[i].name);

		if (!call)
			return false;
		*(void **)((char *)library + calls[i].offset) = call;
	}
	return handle;
}
