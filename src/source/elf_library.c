/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "source/elf_library.h"

#include <dlfcn.h>
#include <stddef.h>

static const struct {
	const char *name;
	size_t offset;
} calls[] = {
	{ "elf_begin", offsetof(struct elf_library, elf_begin) },
	{ "elf_end", offsetof(struct elf_library, elf_end) },
	{ "elf_getdata_rawchunk", offsetof(struct elf_library, elf_getdata_rawchunk) },
	{ "elf_getphdrnum", offsetof(struct elf_library, elf_getphdrnum) },
	{ "elf_getscn", offsetof(struct elf_library, elf_getscn) },
	{ "elf_getshdrnum", offsetof(struct elf_library, elf_getshdrnum) },
	{ "elf_getshdrstrndx", offsetof(struct elf_library, elf_getshdrstrndx) },
	{ "elf_kind", offsetof(struct elf_library, elf_kind) },
	{ "elf_version", offsetof(struct elf_library, elf_version) },
	{ "gelf_fsize", offsetof(struct elf_library, gelf_fsize) },
	{ "gelf_getclass", offsetof(struct elf_library, gelf_getclass) },
	{ "gelf_getdyn", offsetof(struct elf_library, gelf_getdyn) },
	{ "gelf_getehdr", offsetof(struct elf_library, gelf_getehdr) },
	{ "gelf_getnote", offsetof(struct elf_library, gelf_getnote) },
	{ "gelf_getphdr", offsetof(struct elf_library, gelf_getphdr) },
	{ "gelf_getrel", offsetof(struct elf_library, gelf_getrel) },
	{ "gelf_getrela", offsetof(struct elf_library, gelf_getrela) },
	{ "gelf_getshdr", offsetof(struct elf_library, gelf_getshdr) },
	{ "gelf_getsymshndx", offsetof(struct elf_library, gelf_getsymshndx) },
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
