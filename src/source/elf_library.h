/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_LIBRARY_H
#define VMVIEW_SOURCE_ELF_LIBRARY_H

#include <stdbool.h>

#include <gelf.h>

/* The calls of libelf that are used, by their names; opened here, for few runs parse a file. */
/* clang-format off */
#define ELF_LIBRARY_CALLS(CALL) \
	CALL(elf_begin) CALL(elf_end) CALL(elf_getdata_rawchunk) CALL(elf_getphdrnum) \
	CALL(elf_getscn) CALL(elf_getshdrnum) CALL(elf_getshdrstrndx) CALL(elf_kind) \
	CALL(elf_version) CALL(gelf_fsize) CALL(gelf_getclass) CALL(gelf_getdyn) \
	CALL(gelf_getehdr) CALL(gelf_getnote) CALL(gelf_getphdr) CALL(gelf_getrel) \
	CALL(gelf_getrela) CALL(gelf_getshdr) CALL(gelf_getsymshndx)
/* clang-format on */

struct elf_library {
#define ELF_LIBRARY_MEMBER(name) __typeof__(&name) name;
	ELF_LIBRARY_CALLS(ELF_LIBRARY_MEMBER)
#undef ELF_LIBRARY_MEMBER
};

/* False where it is not there, or lacks a call. It stays open. */
bool elf_library_open(struct elf_library *library);

#endif
