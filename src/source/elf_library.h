/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_LIBRARY_H
#define VMVIEW_SOURCE_ELF_LIBRARY_H

#include <stdbool.h>

#include <gelf.h>

/* The calls of libelf that are used, by their names; opened here, for few runs parse a file. */
struct elf_library {
	__typeof__(elf_begin) *elf_begin;
	__typeof__(elf_end) *elf_end;
	__typeof__(elf_getdata_rawchunk) *elf_getdata_rawchunk;
	__typeof__(elf_getphdrnum) *elf_getphdrnum;
	__typeof__(elf_getscn) *elf_getscn;
	__typeof__(elf_getshdrnum) *elf_getshdrnum;
	__typeof__(elf_getshdrstrndx) *elf_getshdrstrndx;
	__typeof__(elf_kind) *elf_kind;
	__typeof__(elf_version) *elf_version;
	__typeof__(gelf_fsize) *gelf_fsize;
	__typeof__(gelf_getclass) *gelf_getclass;
	__typeof__(gelf_getdyn) *gelf_getdyn;
	__typeof__(gelf_getehdr) *gelf_getehdr;
	__typeof__(gelf_getnote) *gelf_getnote;
	__typeof__(gelf_getphdr) *gelf_getphdr;
	__typeof__(gelf_getrel) *gelf_getrel;
	__typeof__(gelf_getrela) *gelf_getrela;
	__typeof__(gelf_getshdr) *gelf_getshdr;
	__typeof__(gelf_getsymshndx) *gelf_getsymshndx;
};

/* False where it is not there, or lacks a call. It stays open. */
bool elf_library_open(struct elf_library *library);

#endif
